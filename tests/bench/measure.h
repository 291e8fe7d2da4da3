/* What the measured programs share: their options, the clock, and the one line of JSON that each prints. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdint.h>

#define BENCH_PUBLISHER "123456789"
#define BENCH_PASSWORD "s3cretpass"
#define BENCH_WARM_UP 20 /* GETs before any that count */

typedef struct bench_options {
  const char *base_url;
  const char *ca_file; /* NULL: plain HTTP */
  const char *email;
  const char *what;
  uint32_t gets;
  uint32_t sessions;
} bench_options;

/* --base URL, --ca FILE, --email ADDRESS, --gets N, --sessions N, --what NAME; ends the program when
 * something is wrong with them. */
void read_options(bench_options *options, int count, char *arguments[]);

/* Ends the program: a figure that was measured while something failed is none. */
void give_up(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

double now_s(void);
/* What this process has used of the processor. */
double processor_s(void);
/* Bytes that malloc has given out and not got back. */
int64_t heap_in_use(void);
/* A line of /proc/self/smaps_rollup, in kB: "Rss:". */
double resident_kb(const char *name);

/* Under `valgrind --tool=callgrind --instr-atstart=no` the instructions between the two go into a file of
 * their own, which carries the phase's name; else nothing happens. */
void instructions_begin(void);
void instructions_end(const char *phase);

/* One JSON object on one line: report_begin, any number of figures, report_end with what the process is
 * resident with. */
void report_begin(void);
void report(const char *name, double value);
void report_end(void);

#endif
