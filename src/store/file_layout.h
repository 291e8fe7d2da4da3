/* What a file of the file store looks like inside: two halves of the same size, far enough apart that a
 * broken write of one does not touch the other. Each begins with a header (magic, length, sequence, checksum
 * over these and the blob), the blob follows, and zeroes to the end. The valid half with the higher sequence
 * counts. A layout that cannot be read this way has to take another file name. */
#ifndef IDENTITY__FILE_LAYOUT_H
#define IDENTITY__FILE_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IDENTITY__HALF_SIZE = 68 * 1024, IDENTITY__HALF_HEADER = 20, IDENTITY__HALVES = 2 };

typedef struct identity__half {
  uint64_t sequence; /* 0: not valid */
  size_t length;     /* of its blob */
} identity__half;

typedef struct identity__layout {
  identity__half halves[IDENTITY__HALVES];
  int newest; /* the half that counts; -1: none is valid */
  bool blank; /* none ever was: a header is the last thing that is written into a new file */
} identity__layout;

/* All work on an open file that is locked; false: the device failed. */

bool identity__layout_read(int file, identity__layout *layout);
/* Copies the blob of the newest half; the buffer holds its length. */
bool identity__layout_load(int file, const identity__layout *layout, void *buffer);
/* Gives a file its full size, so that no later write needs space; durable with the write that follows. */
bool identity__layout_prepare(int file);
/* Writes a blob over the half that does not count, durably, and makes it the newest. Nothing of what that
 * half held is left. After a failure the other half still counts, as far as the device lets it. */
bool identity__layout_write(int file, identity__layout *layout, const void *bytes, size_t length);

#endif
