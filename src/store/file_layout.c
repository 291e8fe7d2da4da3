#include "store/file_layout.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC = 0x46534449 /* "IDSF" */, FILE_SIZE = IDENTITY__HALVES * IDENTITY__HALF_SIZE, CHUNK = 4096 };
enum { AT_MAGIC = 0, AT_LENGTH = 4, AT_SEQUENCE = 8, AT_CHECKSUM = 16 };

/* The two after it must stay below the revision that means "lost". */
#define MAX_SEQUENCE (UINT64_MAX - 3)

_Static_assert(IDENTITY__MAX_RECORD <= IDENTITY__HALF_SIZE - IDENTITY__HALF_HEADER,
               "a half holds any record");
_Static_assert(IDENTITY__HALF_SIZE % CHUNK == 0, "a half is read in whole chunks");

static off_t half_start(int half) {
  return (off_t)half * IDENTITY__HALF_SIZE;
}

/* ---- The file as bytes ---- */

/* What lies behind the end of a short file reads as zeroes. */
static bool read_at(int file, off_t offset, void *buffer, size_t length) {
  char *target = buffer;
  while (length > 0) {
    ssize_t got = pread(file, target, length, offset);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return false;
    if (got == 0) {
      memset(target, 0, length);
      return true;
    }
    target += got;
    offset += got;
    length -= (size_t)got;
  }
  return true;
}

static bool write_at(int file, off_t offset, const void *bytes, size_t length) {
  const char *source = bytes;
  while (length > 0) {
    ssize_t put = pwrite(file, source, length, offset);
    if (put < 0 && errno == EINTR)
      continue;
    if (put <= 0)
      return false;
    source += put;
    offset += put;
    length -= (size_t)put;
  }
  return true;
}

static bool write_zeroes(int file, off_t from, off_t to) {
  char zeroes[CHUNK] = {0}; /* not a constant: that would be 4 KiB of every library */
  while (from < to) {
    size_t length = to - from < CHUNK ? (size_t)(to - from) : CHUNK;
    if (!write_at(file, from, zeroes, length))
      return false;
    from += (off_t)length;
  }
  return true;
}

static int sync_once(int file) {
#if defined(F_FULLFSYNC)
  if (fcntl(file, F_FULLFSYNC) == 0) /* there fsync alone leaves the bytes in the cache of the disk */
    return 0;
  return errno == EINTR ? -1 : fsync(file);
#else
  return fdatasync(file);
#endif
}

static bool sync_file(int file) {
  int result = 0;
  do
    result = sync_once(file);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

static bool is_zero(const char *bytes, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (bytes[i] != 0)
      return false;
  return true;
}

/* ---- Reading ---- */

/* The checksum a header should have, over itself and the blob that is there. */
static bool sum_half(int file, int half, const char *header, size_t length, uint32_t *sum) {
  char chunk[CHUNK];
  off_t offset = half_start(half) + IDENTITY__HALF_HEADER;
  bool read = true;
  *sum = identity__checksum(0, header, AT_CHECKSUM);
  while (read && length > 0) {
    size_t part = length < CHUNK ? length : CHUNK;
    read = read_at(file, offset, chunk, part);
    if (read)
      *sum = identity__checksum(*sum, chunk, part);
    offset += (off_t)part;
    length -= part;
  }
  identity__wipe(chunk, sizeof chunk);
  return read;
}

static bool read_half(int file, int half, identity__half *found, bool *blank) {
  char header[IDENTITY__HALF_HEADER];
  uint32_t sum = 0;
  memset(found, 0, sizeof *found);
  if (!read_at(file, half_start(half), header, sizeof header))
    return false;
  *blank = is_zero(header, sizeof header);
  uint64_t length = identity__get_number(header + AT_LENGTH, 4);
  uint64_t sequence = identity__get_number(header + AT_SEQUENCE, 8);
  if (identity__get_number(header + AT_MAGIC, 4) != MAGIC || length > IDENTITY__MAX_RECORD ||
      sequence > MAX_SEQUENCE)
    return true;
  if (!sum_half(file, half, header, (size_t)length, &sum))
    return false;
  if (identity__get_number(header + AT_CHECKSUM, 4) != sum)
    return true;
  found->sequence = sequence;
  found->length = (size_t)length;
  return true;
}

bool identity__layout_read(int file, identity__layout *layout) {
  uint64_t highest = 0;
  layout->newest = -1;
  layout->blank = true;
  for (int half = 0; half < IDENTITY__HALVES; half++) {
    bool blank = false;
    if (!read_half(file, half, &layout->halves[half], &blank))
      return false;
    layout->blank = layout->blank && blank;
    if (layout->halves[half].sequence <= highest)
      continue;
    highest = layout->halves[half].sequence;
    layout->newest = half;
  }
  return true;
}

bool identity__layout_load(int file, const identity__layout *layout, void *buffer) {
  off_t start = half_start(layout->newest) + IDENTITY__HALF_HEADER;
  return read_at(file, start, buffer, layout->halves[layout->newest].length);
}

/* ---- Writing ---- */

bool identity__layout_prepare(int file) {
  struct stat facts;
  if (fstat(file, &facts) != 0)
    return false;
  if (facts.st_size >= FILE_SIZE)
    return true;
#if !defined(__APPLE__)
  int result = 0;
  do
    result = posix_fallocate(file, 0, FILE_SIZE);
  while (result == EINTR);
  if (result == 0)
    return true;
  if (result != EOPNOTSUPP && result != EINVAL && result != ENOSYS)
    return false;
#endif
  return write_zeroes(file, facts.st_size, FILE_SIZE);
}

/* How far into a half anything but zeroes reaches. Looked up and not remembered: after a power cut nobody
 * knows what of the last write is there. */
static bool find_used(int file, int half, off_t *used) {
  char chunk[CHUNK];
  bool found = false;
  bool read = true;
  *used = IDENTITY__HALF_SIZE;
  while (read && !found && *used > 0) {
    read = read_at(file, half_start(half) + *used - CHUNK, chunk, CHUNK);
    found = read && !is_zero(chunk, CHUNK);
    if (!found)
      *used -= CHUNK;
  }
  identity__wipe(chunk, sizeof chunk);
  return read;
}

/* What failed must not count, not even as long as it is only in memory. A blank file stays one. */
static void spoil_half(int file, int half, bool blank) {
  char header[IDENTITY__HALF_HEADER];
  memset(header, blank ? 0 : 'X', sizeof header);
  (void)write_at(file, half_start(half), header, sizeof header);
}

/* The header comes last. In a blank file it also waits until the blob is on the disk: a header, even a broken
 * one, then proves that there was a valid half once, and without one a file that broke off half-made is
 * simply empty. */
static bool write_half(int file, int half, const char *header, const void *bytes, size_t length, bool blank) {
  off_t start = half_start(half);
  off_t end = start + IDENTITY__HALF_HEADER + (off_t)length;
  off_t used = 0;
  if (!find_used(file, half, &used))
    return false;
  bool written = write_at(file, start + IDENTITY__HALF_HEADER, bytes, length) &&
                 write_zeroes(file, end, start + used) && (!blank || sync_file(file)) &&
                 write_at(file, start, header, IDENTITY__HALF_HEADER) && sync_file(file);
  if (!written)
    spoil_half(file, half, blank);
  return written;
}

/* A file that was deleted and made again must not repeat the revisions of the old one: somebody may still
 * expect one of them. */
static uint64_t first_sequence(void) {
  return (identity__clock_random() >> 24) + 1;
}

bool identity__layout_write(int file, identity__layout *layout, const void *bytes, size_t length) {
  char header[IDENTITY__HALF_HEADER] = {0};
  int half = layout->newest == 0 ? 1 : 0;
  uint64_t sequence = layout->newest < 0 ? first_sequence() : layout->halves[layout->newest].sequence + 1;
  identity__put_number(header + AT_MAGIC, MAGIC, 4);
  identity__put_number(header + AT_LENGTH, length, 4);
  identity__put_number(header + AT_SEQUENCE, sequence, 8);
  uint32_t sum = identity__checksum(0, header, AT_CHECKSUM);
  identity__put_number(header + AT_CHECKSUM, identity__checksum(sum, bytes, length), 4);
  /* A writer that was killed may have left the half that counts in memory only: it has to be on the disk
   * before the other one is given up. */
  if (layout->newest >= 0 && !sync_file(file))
    return false;
  if (!write_half(file, half, header, bytes, length, layout->blank))
    return false;
  layout->halves[half] = (identity__half){sequence, length};
  layout->newest = half;
  layout->blank = false;
  return true;
}
