#include "measure.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <valgrind/callgrind.h>

void give_up(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("bench: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  exit(1);
}

static uint32_t read_count(const char *name, const char *text) {
  char *end;
  unsigned long value = strtoul(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value > 1000000)
    give_up("%s wants a number up to 1000000, not %s", name, text);
  return (uint32_t)value;
}

void read_options(bench_options *options, int count, char *arguments[]) {
  *options = (bench_options){.email = "viewer@example.com", .what = "get", .gets = 1, .sessions = 1};
  for (int i = 1; i < count; i += 2) {
    const char *name = arguments[i];
    const char *value = i + 1 < count ? arguments[i + 1] : "";
    if (strcmp(name, "--base") == 0)
      options->base_url = value;
    else if (strcmp(name, "--ca") == 0)
      options->ca_file = value;
    else if (strcmp(name, "--email") == 0)
      options->email = value;
    else if (strcmp(name, "--what") == 0)
      options->what = value;
    else if (strcmp(name, "--gets") == 0)
      options->gets = read_count(name, value);
    else if (strcmp(name, "--sessions") == 0)
      options->sessions = read_count(name, value);
    else
      give_up("unknown option %s", name);
  }
  if (options->base_url == NULL)
    give_up("--base is missing");
}

static double read_clock_s(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double now_s(void) {
  return read_clock_s(CLOCK_MONOTONIC);
}

double processor_s(void) {
  return read_clock_s(CLOCK_PROCESS_CPUTIME_ID);
}

int64_t heap_in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return (int64_t)(info.uordblks + info.hblkhd);
}

void instructions_begin(void) {
  CALLGRIND_START_INSTRUMENTATION;
  CALLGRIND_ZERO_STATS;
}

void instructions_end(const char *phase) {
  CALLGRIND_DUMP_STATS_AT(phase);
  CALLGRIND_STOP_INSTRUMENTATION;
}

static const char *separator;

void report_begin(void) {
  separator = "{";
}

void report(const char *name, double value) {
  printf("%s\"%s\":%.9g", separator, name, value);
  separator = ",";
}

double resident_kb(const char *name) {
  char line[256];
  double value = -1;
  FILE *file = fopen("/proc/self/smaps_rollup", "r");
  if (file == NULL)
    give_up("/proc/self/smaps_rollup cannot be read");
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0)
      value = strtod(line + strlen(name), NULL);
  fclose(file);
  if (value < 0)
    give_up("/proc/self/smaps_rollup has no %s", name);
  return value;
}

void report_end(void) {
  report("resident_kb", resident_kb("Rss:"));
  report("private_dirty_kb", resident_kb("Private_Dirty:"));
  puts("}");
}
