/* A flash device under the file store: the program's own pread, pwrite, fdatasync, fsync and posix_fallocate.
 * The file is what the system has in memory; the image below is what is on the device. A sector that was
 * written reaches the device at a sync, at any time before it, or never. */
#ifndef SUPPORT_DEVICE_H
#define SUPPORT_DEVICE_H

#include "support/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { SECTOR = 512, DEVICE_SIZE = 2 * 68 * 1024, SECTORS = DEVICE_SIZE / SECTOR };

enum {
  FAULT_NONE,
  FAULT_ERROR, /* one call says EIO; of a write a part was made, after a failed sync nobody knows what is
                  there */
  FAULT_KILL,  /* the process ends in this call */
  FAULT_POWER  /* the device loses its power in this call */
};

static struct {
  int fault;
  int fault_at; /* at which call */
  int calls;
  int dead;
  int unsupported; /* no posix_fallocate */
  int full;        /* no space for what is not allocated yet */
  int choppy;      /* short reads and writes, each second call interrupted */
  int fail_reads;
  int fork_at_sync;
  pid_t child; /* that was forked in a sync, and waits a while */
  int dropped; /* a sync failed: device and memory may differ */
  int named;   /* the directory knows the file for good */
  uint32_t seed;
  size_t size;
  char dirty[SECTORS];
  char image[DEVICE_SIZE];
} device;

static int device_coin(void) {
  device.seed = device.seed * 1103515245 + 12345;
  return (device.seed >> 16 & 1) != 0;
}

static void device_begin(uint32_t seed) {
  memset(&device, 0, sizeof device);
  device.seed = seed;
}

static void device_fault(int fault, int fault_at) {
  device.fault = fault;
  device.fault_at = fault_at;
  device.calls = 0;
}

/* 0: the call works; 1: it is the one that fails; 2: nothing works any more. */
static int device_call(void) {
  errno = EIO;
  if (device.dead)
    return 2;
  if (device.choppy && device.calls++ % 2 == 0) {
    errno = EINTR;
    return 2;
  }
  if (device.choppy || device.fault == FAULT_NONE || device.calls++ != device.fault_at)
    return 0;
  device.dead = device.fault != FAULT_ERROR;
  return 1;
}

/* Brings each dirty sector to the device, or each second one. */
static void device_flush(int file, int all) {
  for (int sector = 0; sector < SECTORS; sector++)
    if (device.dirty[sector] && (all || device_coin())) {
      assert_int_equal(lseek(file, (off_t)sector * SECTOR, SEEK_SET), sector * SECTOR);
      assert_true(read(file, device.image + sector * SECTOR, SECTOR) >= 0); /* the last one may be shorter */
      device.dirty[sector] = 0;
    }
}

ssize_t pread(int file, void *bytes, size_t length, off_t offset) {
  if (device.fail_reads) {
    errno = EIO;
    return -1;
  }
  if (device.choppy && device_call() != 0)
    return -1;
  assert_int_equal(lseek(file, offset, SEEK_SET), offset);
  return read(file, bytes, device.choppy && length > 777 ? 777 : length);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
  struct stat facts;
  int failed = device_call();
  if (failed == 2)
    return -1;
  assert_int_equal(fstat(file, &facts), 0);
  if (device.full && offset + (off_t)length > facts.st_size) {
    errno = ENOSPC;
    return -1;
  }
  assert_true(offset + (off_t)length <= DEVICE_SIZE);
  assert_true(device.unsupported || offset + (off_t)length <= facts.st_size); /* a full disk cannot matter */
  if (failed) /* whole sectors only: within one there is no half-made write */
    length = (size_t)((offset + (off_t)length / 2) / SECTOR * SECTOR > offset
                          ? (offset + (off_t)length / 2) / SECTOR * SECTOR - offset
                          : 0);
  if (device.choppy && length > 1000)
    length = 1000;
  assert_int_equal(lseek(file, offset, SEEK_SET), offset);
  assert_int_equal(write(file, bytes, length), length);
  for (off_t at = offset; at < offset + (off_t)length; at++)
    device.dirty[at / SECTOR] = 1;
  if (device.named && device_coin() && device_coin())
    device_flush(file, 0);
  errno = EIO;
  return failed ? -1 : (ssize_t)length;
}

int fdatasync(int file) {
  struct stat facts;
  int failed = device_call();
  if (failed == 2 || (failed && device.dead))
    return -1;
  assert_int_equal(fstat(file, &facts), 0);
  if (device.fork_at_sync && device.child == 0) {
    device.child = fork();
    if (device.child == 0) {
      (void)sleep(10);
      _exit(0);
    }
  }
  device.size = failed ? device.size : (size_t)facts.st_size;
  device_flush(file, !failed);
  if (failed) {
    memset(device.dirty, 0, sizeof device.dirty); /* the system forgets that they were not written */
    device.dropped = 1;
  }
  errno = EIO;
  return failed ? -1 : 0;
}

int fsync(int file) {
  struct stat facts;
  if (device_call() != 0)
    return -1;
  assert_int_equal(fstat(file, &facts), 0);
  assert_true(S_ISDIR(facts.st_mode));
  device.named = 1;
  return 0;
}

int posix_fallocate(int file, off_t offset, off_t length) {
  if (device.unsupported)
    return EOPNOTSUPP;
  if (device.full)
    return ENOSPC;
  if (device_call() != 0)
    return errno;
  return ftruncate(file, offset + length) == 0 ? 0 : EIO;
}

int flock(int file, int operation) {
  if (device.choppy && device_call() != 0)
    return -1;
  return (int)syscall(SYS_flock, file, operation);
}

/* The next process runs: after a power cut it sees the device, else what the dead one left in memory. */
static void device_restart(void) {
  int power = device.dead && device.fault == FAULT_POWER;
  device.dead = 0;
  device_fault(FAULT_NONE, 0);
  int file = open(scratch_file, O_RDWR | O_CLOEXEC);
  if (!power || file < 0) {
    if (file >= 0)
      (void)close(file);
    return;
  }
  struct stat facts;
  assert_int_equal(fstat(file, &facts), 0);
  if (device.size < (size_t)facts.st_size && device_coin())
    device.size = (size_t)facts.st_size;
  if (device.size == (size_t)facts.st_size && device.size == DEVICE_SIZE)
    device_flush(file, 0);
  memset(device.dirty, 0, sizeof device.dirty);
  assert_int_equal(lseek(file, 0, SEEK_SET), 0);
  assert_int_equal(ftruncate(file, 0), 0);
  assert_int_equal(write(file, device.image, device.size), device.size);
  (void)close(file);
  if (device.named || device_coin())
    return;
  assert_int_equal(unlink(scratch_file), 0);
  memset(device.image, 0, sizeof device.image);
  device.size = 0;
}

#endif
