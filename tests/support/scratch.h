/* A directory of its own for a test, under $TMPDIR or /tmp, and a file store in it. */
#ifndef SUPPORT_SCRATCH_H
#define SUPPORT_SCRATCH_H

#include "support/suite.h"

#include "base/limits.h"
#include "store/store.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch[512];       /* the directory */
static char scratch_store[600]; /* the store's directory in it; not made yet */
static char scratch_file[900];  /* the file of the key "a" in that */

static int scratch_make(void **state) {
  const char *parent = getenv("TMPDIR");
  (void)state;
  (void)snprintf(scratch, sizeof scratch, "%s/identity-test-XXXXXX", parent != NULL ? parent : "/tmp");
  if (mkdtemp(scratch) == NULL)
    return -1;
  (void)snprintf(scratch_store, sizeof scratch_store, "%s/store", scratch);
  (void)snprintf(scratch_file, sizeof scratch_file, "%s/61.identity", scratch_store);
  return 0;
}

static int scratch_delete(const char *path, const struct stat *facts, int kind, struct FTW *place) {
  (void)facts;
  (void)kind;
  (void)place;
  return remove(path);
}

static int scratch_remove(void **state) {
  (void)state;
  return nftw(scratch, scratch_delete, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
