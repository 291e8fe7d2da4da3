/* Every blocking call of the face, each behind the same function with arguments that the stand-in service
 * takes. */
#ifndef SUPPORT_EVERY_CALL_H
#define SUPPORT_EVERY_CALL_H

#include "support/crowd.h"

#include <stdbool.h>
#include <stddef.h>

#define EVERY_CALL_MAIL "jo@example.com"

typedef struct every_call {
  const char *name;
  crowd_call run;
  bool with_token; /* carries the JWT of EVERY_CALL_MAIL, who is signed in, and is refused with a 401 */
} every_call;

extern const every_call every_calls[];
extern const size_t every_call_count;

#endif
