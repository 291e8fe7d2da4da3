#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STAT_SIZE = 512, STATE_FIELD = 3, THREADS_FIELD = 20, START_FIELD = 22 };

/* The inode names the namespace that process ids count in. */
static int64_t own_space(void) {
  struct stat facts;
  return stat("/proc/self/ns/pid", &facts) == 0 ? (int64_t)facts.st_ino : 0;
}

/* The contents of /proc/ID/stat. */
static bool read_stat(int64_t id, char text[STAT_SIZE]) {
  char path[48];
  (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", id);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  ssize_t length = read(file, text, STAT_SIZE - 1);
  (void)close(file);
  if (length < 0)
    return false;
  text[length] = '\0';
  return true;
}

/* A field behind the name of the program, which is in parentheses and may hold anything (proc(5)). */
static const char *find_field(const char *text, int number) {
  const char *field = strrchr(text, ')');
  for (int i = STATE_FIELD - 1; field != NULL && i < number; i++) {
    field = strchr(field, ' ');
    field += field != NULL;
  }
  return field;
}

static int64_t number_of(const char *text, int field_number) {
  const char *field = find_field(text, field_number);
  return field != NULL ? strtoll(field, NULL, 10) : 0;
}

/* A zombie, whose threads have all ended: the first one of them may have gone alone. */
static bool is_zombie(const char *text) {
  const char *state = find_field(text, STATE_FIELD);
  bool ended = state != NULL && (*state == 'Z' || *state == 'X');
  return ended && number_of(text, THREADS_FIELD) <= 1;
}

void identity__process_self(int64_t *id, int64_t *start, int64_t *space) {
  char text[STAT_SIZE];
  *id = getpid();
  *start = read_stat(*id, text) ? number_of(text, START_FIELD) : 0;
  *space = own_space();
}

bool identity__process_is_gone(int64_t id, int64_t start, int64_t space) {
  char text[STAT_SIZE];
  if (id <= 0 || start == 0 || space == 0 || space != own_space())
    return false;
  /* That /proc does not show it means little: it may hide the processes of others. */
  if ((pid_t)id != id || (kill((pid_t)id, 0) != 0 && errno == ESRCH))
    return true;
  return read_stat(id, text) && (is_zombie(text) || number_of(text, START_FIELD) != start);
}

enum { UNKNOWN_ADVICE = 9999 };

static void *wiped_page(void) {
#if defined(MADV_WIPEONFORK)
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED)
    return NULL;
  /* An emulator that says yes to everything does not wipe. */
  bool tells = madvise(page, size, UNKNOWN_ADVICE) != 0;
  if (tells && madvise(page, size, MADV_WIPEONFORK) == 0)
    return page;
  (void)munmap(page, size);
#endif
  return NULL;
}

void identity__fork_mark_init(identity__fork_mark *mark) {
  mark->process = getpid();
  mark->page = wiped_page();
  if (mark->page != NULL)
    *mark->page = 1;
}

void identity__fork_mark_clear(identity__fork_mark *mark) {
  if (mark->page != NULL)
    (void)munmap((void *)mark->page, (size_t)sysconf(_SC_PAGESIZE));
  mark->page = NULL;
}

bool identity__is_forked(const identity__fork_mark *mark) {
  return mark->page != NULL ? *mark->page == 0 : getpid() != mark->process;
}
