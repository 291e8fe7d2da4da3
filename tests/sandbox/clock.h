/* The service's own clock, which tests may shift, and the monotonic one that delays run on. */
#ifndef SBX_CLOCK_H
#define SBX_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct sbx_clock {
  int64_t offset_seconds;
};

int64_t sbx_monotonic_ms(void);
int64_t sbx_monotonic_us(void);
int64_t sbx_clock_now(const struct sbx_clock *clock);
double sbx_clock_now_exact(const struct sbx_clock *clock);
/* False (and unchanged) when the shifted clock would leave the years 1970 to 9999. */
bool sbx_clock_shift(struct sbx_clock *clock, int64_t offset_seconds);

#define SBX_DATE_SIZE 32
/* "2021-04-28 13:03:26": contract 4.15; the zone is not documented, UTC here. */
void sbx_format_date_time(int64_t when, char out[SBX_DATE_SIZE]);
/* The Date header. */
void sbx_format_http_date(int64_t when, char out[SBX_DATE_SIZE]);

#endif
