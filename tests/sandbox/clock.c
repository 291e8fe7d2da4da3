#include "clock.h"

#include <stdio.h>
#include <time.h>

#define LAST_SECOND_OF_9999 253402300799LL

int64_t sbx_monotonic_us(void) {
  struct timespec now = {0};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t sbx_monotonic_ms(void) {
  return sbx_monotonic_us() / 1000;
}

double sbx_clock_now_exact(const struct sbx_clock *clock) {
  struct timespec now = {0};
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t milliseconds = ((int64_t)now.tv_sec + clock->offset_seconds) * 1000 + now.tv_nsec / 1000000;
  return (double)milliseconds / 1000.0;
}

int64_t sbx_clock_now(const struct sbx_clock *clock) {
  return (int64_t)time(NULL) + clock->offset_seconds;
}

bool sbx_clock_shift(struct sbx_clock *clock, int64_t offset_seconds) {
  if (offset_seconds > LAST_SECOND_OF_9999 || offset_seconds < -LAST_SECOND_OF_9999)
    return false;
  int64_t shifted = (int64_t)time(NULL) + offset_seconds;
  if (shifted < 0 || shifted > LAST_SECOND_OF_9999)
    return false;
  clock->offset_seconds = offset_seconds;
  return true;
}

void sbx_format_date_time(int64_t when, char out[SBX_DATE_SIZE]) {
  time_t seconds = (time_t)when;
  struct tm parts;
  out[0] = '\0';
  if (gmtime_r(&seconds, &parts) != NULL)
    strftime(out, SBX_DATE_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
}

/* Written by hand: strftime's %a and %b would follow the locale. */
void sbx_format_http_date(int64_t when, char out[SBX_DATE_SIZE]) {
  static const char days[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  time_t seconds = (time_t)when;
  struct tm parts;
  out[0] = '\0';
  if (gmtime_r(&seconds, &parts) == NULL)
    return;
  snprintf(out, SBX_DATE_SIZE, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[parts.tm_wday % 7],
           parts.tm_mday % 100, months[parts.tm_mon % 12], (parts.tm_year + 1900) % 10000,
           parts.tm_hour % 100, parts.tm_min % 100, parts.tm_sec % 100);
}
