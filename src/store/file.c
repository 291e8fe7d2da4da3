/* Blobs in a private directory, one file for each key, that several processes may share. No temporary file
 * and no rename: the file is made once in its full size and then written in place (file_layout.h), so that a
 * full disk cannot stop a write and a power cut leaves the previous blob. Nothing is kept open between two
 * operations. */
#include "store/store.h"
#include "base/limits.h"
#include "base/secret.h"
#include "store/file_layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SUFFIX ".identity"

enum { NAME_SIZE = 2 * IDENTITY__MAX_STORE_KEY + (int)sizeof SUFFIX, NOT_OPEN = -1, OTHERS = 077 };

typedef struct file_store {
  char *directory; /* absolute: the app may change its working directory */
} file_store;

/* A slot while an operation runs on it. */
typedef struct slot {
  int directory;
  int file;
} slot;

/* ---- The directory ---- */

static int open_again(int directory, const char *name, int flags) {
  int file = NOT_OPEN;
  do
    file = openat(directory, name, flags | O_CLOEXEC, S_IRUSR | S_IWUSR);
  while (file < 0 && errno == EINTR);
  return file;
}

/* Only a directory that is ours alone: who else may write into it could hand us a record. */
static int open_directory(const char *path) {
  struct stat facts;
  int directory = open_again(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (directory < 0)
    return NOT_OPEN;
  if (fstat(directory, &facts) == 0 && facts.st_uid == geteuid() && (facts.st_mode & OTHERS) == 0)
    return directory;
  (void)close(directory);
  return NOT_OPEN;
}

static bool sync_directory(int directory) {
  int result = 0;
  do
    result = fsync(directory);
  while (result != 0 && errno == EINTR);
  return result == 0 || errno == EINVAL || errno == ENOTSUP; /* not every file system can */
}

/* Makes the name of a new directory durable. A parent that may not be read cannot be told to; that has to do.
 */
static bool sync_parent(int directory) {
  int parent = open_again(directory, "..", O_RDONLY | O_DIRECTORY);
  if (parent < 0)
    return errno == EACCES;
  bool done = sync_directory(parent);
  (void)close(parent);
  return done;
}

/* ---- A slot ---- */

static bool name_slot(const char *key, char name[NAME_SIZE]) {
  static const char digits[] = "0123456789abcdef";
  size_t length = strlen(key);
  if (length == 0 || length > IDENTITY__MAX_STORE_KEY)
    return false;
  for (size_t i = 0; i < length; i++) {
    name[2 * i] = digits[(unsigned char)key[i] >> 4];
    name[2 * i + 1] = digits[(unsigned char)key[i] & 15];
  }
  memcpy(name + 2 * length, SUFFIX, sizeof SUFFIX);
  return true;
}

/* The lock belongs to this opening of the file, so that two handles of one process exclude each other too. */
static int32_t lock_file(int file, int mode) {
  int result = 0;
  do
    result = flock(file, mode | LOCK_NB);
  while (result != 0 && errno == EINTR);
  if (result == 0)
    return IDENTITY__STORE_OK;
  return errno == EWOULDBLOCK ? IDENTITY__STORE_LOCKED : IDENTITY__STORE_IO;
}

static int32_t check_file(int file) {
  struct stat facts;
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != geteuid() || facts.st_nlink != 1)
    return IDENTITY__STORE_IO;
  if ((facts.st_mode & OTHERS) != 0) /* a restored backup; the directory has kept others out all the time */
    (void)fchmod(file, S_IRUSR | S_IWUSR);
  return IDENTITY__STORE_OK;
}

static int32_t open_slot(const file_store *store, const char *key, int flags, slot *opened) {
  char name[NAME_SIZE];
  if (!name_slot(key, name))
    return IDENTITY__STORE_IO;
  opened->directory = open_directory(store->directory);
  if (opened->directory < 0)
    return IDENTITY__STORE_IO; /* also when it is gone: it may be on a medium that is not mounted */
  /* O_NONBLOCK: a pipe of that name must not hold us. */
  opened->file = open_again(opened->directory, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (opened->file < 0)
    return errno == ENOENT ? IDENTITY__STORE_ABSENT : IDENTITY__STORE_IO;
  int32_t status = lock_file(opened->file, flags == O_RDONLY ? LOCK_SH : LOCK_EX);
  return status != IDENTITY__STORE_OK ? status : check_file(opened->file);
}

static void close_slot(slot *opened) {
  if (opened->file >= 0) {
    /* A child forked just now keeps the lock of a file that is only closed. */
    (void)flock(opened->file, LOCK_UN);
    (void)close(opened->file);
  }
  if (opened->directory >= 0)
    (void)close(opened->directory);
}

/* ---- The two operations ---- */

static uint64_t current_revision(const identity__layout *layout) {
  if (layout->newest >= 0)
    return layout->halves[layout->newest].sequence;
  return layout->blank ? 0 : IDENTITY__LOST_REVISION;
}

static int32_t load_slot(int file, void *buffer, size_t capacity, size_t *length, uint64_t *revision) {
  identity__layout layout;
  if (!identity__layout_read(file, &layout))
    return IDENTITY__STORE_IO;
  *revision = current_revision(&layout);
  if (layout.newest < 0)
    return layout.blank ? IDENTITY__STORE_ABSENT : IDENTITY__STORE_KEY_LOST;
  if (layout.halves[layout.newest].length > capacity || !identity__layout_load(file, &layout, buffer)) {
    *revision = 0;
    return IDENTITY__STORE_IO;
  }
  *length = layout.halves[layout.newest].length;
  return IDENTITY__STORE_OK;
}

static int32_t file_load(void *user_data, const char *key, void *buffer, size_t capacity, size_t *length,
                         uint64_t *revision) {
  slot opened = {NOT_OPEN, NOT_OPEN};
  *length = 0;
  *revision = 0;
  int32_t status = open_slot(user_data, key, O_RDONLY, &opened);
  if (status == IDENTITY__STORE_OK)
    status = load_slot(opened.file, buffer, capacity, length, revision);
  close_slot(&opened);
  return status;
}

static int32_t swap_slot(const slot *opened, uint64_t expected_revision, bool both_copies, const void *bytes,
                         size_t length, uint64_t *new_revision) {
  identity__layout layout;
  if (!identity__layout_read(opened->file, &layout))
    return IDENTITY__STORE_IO;
  if (current_revision(&layout) != expected_revision)
    return IDENTITY__STORE_CONFLICT;
  /* A half that counts then proves that the file has its size and its name for good. */
  if (!identity__layout_prepare(opened->file) || (layout.newest < 0 && !sync_directory(opened->directory)))
    return IDENTITY__STORE_IO;
  bool replace_all = both_copies || expected_revision == IDENTITY__LOST_REVISION;
  for (int copy = 0; copy < (replace_all ? IDENTITY__HALVES : 1); copy++)
    if (!identity__layout_write(opened->file, &layout, bytes, length))
      return IDENTITY__STORE_IO;
  *new_revision = current_revision(&layout);
  return IDENTITY__STORE_OK;
}

static int32_t file_swap(void *user_data, const char *key, uint64_t expected_revision, int32_t both_copies,
                         const void *bytes, size_t length, uint64_t *new_revision) {
  slot opened = {NOT_OPEN, NOT_OPEN};
  if (length > IDENTITY__MAX_RECORD)
    return IDENTITY__STORE_IO;
  int32_t status = open_slot(user_data, key, O_RDWR | (expected_revision == 0 ? O_CREAT : 0), &opened);
  if (status == IDENTITY__STORE_OK)
    status = swap_slot(&opened, expected_revision, both_copies != 0, bytes, length, new_revision);
  else if (status == IDENTITY__STORE_ABSENT)
    status = IDENTITY__STORE_CONFLICT; /* something was expected */
  close_slot(&opened);
  return status;
}

static void file_destroy(void *user_data) {
  file_store *store = user_data;
  free(store->directory);
  free(store);
}

/* ---- Making one ---- */

static bool make_directory(const char *path) {
  bool made = mkdir(path, S_IRWXU) == 0;
  if (!made && errno != EEXIST)
    return false;
  int directory = open_directory(path);
  if (directory < 0)
    return false;
  bool safe = !made || sync_parent(directory);
  (void)close(directory);
  return safe;
}

/* Behind a slash at the end a symbolic link would be followed. */
static void strip_slashes(char *path) {
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/')
    path[--length] = '\0';
}

int32_t identity__file_store(identity__store *store, const char *directory) {
  int32_t status = IDENTITY__STORE_MEMORY;
  file_store *made = calloc(1, sizeof *made);
  char *path = identity__secret_copy(directory);
  if (made == NULL || path == NULL)
    goto end;
  strip_slashes(path);
  status = IDENTITY__STORE_IO;
  if (!make_directory(path))
    goto end;
  made->directory = realpath(path, NULL);
  if (made->directory == NULL) {
    status = errno == ENOMEM ? IDENTITY__STORE_MEMORY : IDENTITY__STORE_IO;
    goto end;
  }
  *store = (identity__store){file_load, file_swap, file_destroy, made};
  made = NULL;
  status = IDENTITY__STORE_OK;
end:
  free(path);
  free(made);
  return status;
}
