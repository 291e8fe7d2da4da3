/* What tests of single calls look at: an error, the journal, a customer as the service sees it; and the
 * answers they put into the service's mouth. Every function fails the running test when something does not
 * work. */
#ifndef SUPPORT_PROBE_H
#define SUPPORT_PROBE_H

#include "support/service.h"

/* The consents of TEST_PUBLISHER as the service begins: terms 1, broadcaster_terms 1.7, both required, and
 * broadcaster_marketing 1.7. */
enum { PROBE_TERMS, PROBE_BROADCASTER_TERMS, PROBE_MARKETING, PROBE_CONSENTS };
extern const identity_consent_answer probe_consents[PROBE_CONSENTS];

/* Params that register: this address, TEST_PASSWORD, probe_consents. */
identity_register_params probe_register_params(const char *email);

typedef struct expected {
  identity_status status;
  int32_t http_status; /* -1: any */
  const char *field;   /* NULL: empty */
  const char *code;    /* NULL: empty */
} expected;

/* A filled error: status, members, a message of one line. what: names the case in a failure. */
void probe_error(const char *what, const identity_error *error, const expected *wanted);
void probe_status(const char *what, const identity_error *error, identity_status status, const char *field);

/* All API requests in the journal. */
int probe_requests(service *server);
/* How many of the journal have this method and path (a '*' is any segment), else the test fails. */
void probe_sent(service *server, const char *method, const char *path, int count);
/* The last of them, or the test fails; the caller deletes it. */
cJSON *probe_request(service *server, const char *method, const char *path);
/* Its place in the journal. */
int probe_place(service *server, const char *method, const char *path);
/* The bytes of its body. */
int probe_body_bytes(service *server, const char *method, const char *path);
bool probe_has_header(service *server, const char *method, const char *path, const char *header);

/* A customer as /_sandbox/customers shows it; the caller deletes it. NULL: no such customer. */
cJSON *probe_customer(service *server, const char *email);
/* A member of it, text: "" when it is null or absent. "consents/terms/state" goes down. The caller frees it.
 */
char *probe_customer_text(service *server, const char *email, const char *path);
void probe_customer_is(service *server, const char *email, const char *path, const char *text);

/* From now on each such request gets this answer instead of being processed; earlier faults are forgotten.
 * body NULL: none. headers: JSON object or NULL. */
void probe_answer(service *server, const char *method, const char *path, int status, const char *body,
                  const char *headers);

/* Opens and frees the config. */
identity_session *probe_open(identity_config *config);
void probe_reason(identity_session *session, int32_t state, int32_t reason);

#endif
