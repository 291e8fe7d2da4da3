/* The service's own certificate authority and server certificate, made at run time in the --state directory.
 */
#ifndef SBX_TLS_STATE_H
#define SBX_TLS_STATE_H

#include "shape.h"

#include <stdbool.h>

struct sbx_tls {
  char *certificate; /* PEM */
  char *key;         /* PEM */
  bool made_now;
};

/* Whether there is such a kind of certificate: good, expired, early, other-host. */
bool sbx_tls_is_certificate(const char *name);
/* certificate NULL: a good one, and what is there is reused while it holds for at least another day. Else of
 * this kind, and all is made anew. */
bool sbx_tls_prepare(const char *directory, const char *certificate, struct sbx_tls *tls,
                     struct sbx_problem *problem);
void sbx_tls_free(struct sbx_tls *tls);

#endif
