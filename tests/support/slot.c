#include "support/slot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512 };

char *slot_path_besides(service *server, const char *store, const char *other) {
  char directory[128];
  char path[PATH_SIZE];
  char *found = NULL;
  snprintf(directory, sizeof directory, "%s/%s", server->directory, store);
  DIR *list = opendir(directory);
  assert_non_null(list);
  for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
    int length = snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
    if (entry->d_name[0] == '.' || length < 0 || length >= PATH_SIZE ||
        (other != NULL && strcmp(path, other) == 0))
      continue;
    assert_null(found);
    found = strdup(path);
  }
  closedir(list);
  assert_non_null(found);
  return found;
}

char *slot_path(service *server, const char *store) {
  return slot_path_besides(server, store, NULL);
}

bool slot_has(const char *path, const char *text) {
  struct stat facts;
  int file = open(path, O_RDONLY | O_CLOEXEC);
  assert_true(file >= 0);
  assert_int_equal(fstat(file, &facts), 0);
  char *bytes = malloc((size_t)facts.st_size + 1);
  assert_non_null(bytes);
  assert_int_equal(read(file, bytes, (size_t)facts.st_size), facts.st_size);
  bool found = memmem(bytes, (size_t)facts.st_size, text, strlen(text)) != NULL;
  free(bytes);
  close(file);
  return found;
}

int slot_lock(const char *path) {
  int file = open(path, O_RDWR | O_CLOEXEC);
  assert_true(file >= 0);
  assert_int_equal(flock(file, LOCK_EX | LOCK_NB), 0);
  return file;
}

void slot_unlock(int lock) {
  assert_int_equal(flock(lock, LOCK_UN), 0);
  close(lock);
}

void slot_damage(const char *path) {
  struct stat facts;
  int file = open(path, O_WRONLY | O_CLOEXEC);
  assert_true(file >= 0);
  assert_int_equal(fstat(file, &facts), 0);
  for (off_t at = 0; at < facts.st_size; at += 7)
    assert_int_equal(pwrite(file, "garbage", 7, at), 7);
  close(file);
}

static void aside(const char *path, char moved[PATH_SIZE]) {
  char copy[PATH_SIZE];
  snprintf(copy, sizeof copy, "%s", path);
  *strrchr(copy, '/') = '\0';
  assert_true(snprintf(moved, PATH_SIZE, "%s-aside", copy) < PATH_SIZE);
}

void slot_block(const char *path) {
  char moved[PATH_SIZE];
  aside(path, moved);
  assert_int_equal(rename(path, moved), 0);
  assert_int_equal(mkdir(path, 0700), 0);
}

void slot_unblock(const char *path) {
  char moved[PATH_SIZE];
  aside(path, moved);
  assert_int_equal(rmdir(path), 0);
  assert_int_equal(rename(moved, path), 0);
}
