/* The stand-in service under an end-to-end test: a real process on a free port of loopback, steered and
 * watched over its control interface. Every function fails the running test when something does not work. */
#ifndef SUPPORT_SERVICE_H
#define SUPPORT_SERVICE_H

#include <cjson/cJSON.h>
#include <identity/identity.h>
#include <stdbool.h>
#include <sys/types.h>

#define TEST_PUBLISHER "123456789"
#define TEST_PASSWORD "canary-Passw0rd!"

typedef struct service {
  pid_t process;
  int port;
  bool tls;
  bool flawed;        /* started with a --certificate: nobody is to trust it, the test does not ask */
  char directory[64]; /* temporary, gone after service_stop */
  char base_url[64];
  char ca_file[160]; /* empty without TLS */
} service;

enum { SERVICE_HTTP, SERVICE_TLS };

/* options: further command-line options, NULL ends them; NULL: none. Whatever becomes of the test, the
 * service ends with its process. */
void service_start(service *server, int kind, const char *const options[]);
void service_stop(service *server);
/* Back to the state of its start: no customers, faults, journal or clock offset. */
void service_reset(service *server);

/* GET /_sandbox/PATH; the caller deletes the result. */
cJSON *service_get(service *server, const char *path);
/* Sends JSON to /_sandbox/PATH. */
void service_send(service *server, const char *method, const char *path, const char *json);
/* One fault, as JSON: {"method":"GET","path":"/locales","status":500}. */
void service_fault(service *server, const char *json);
void service_clear_faults(service *server);
void service_shift_clock(service *server, int seconds);
/* The next answer of this path carries a JWT that lives a second for the library and 15 minutes for the
 * service. */
void service_issue_short_jwt(service *server, const char *path);
/* A request of the API itself, past the library; the answer's body, which the caller frees. */
char *service_request(service *server, const char *method, const char *path, const char *json);
/* The pair of a login past the library; the caller frees both texts. */
void service_login_raw(service *server, const char *email, char **jwt, char **refresh_token);

/* Requests in the journal with this method and path (a '*' is any segment); status -1: any. */
int service_count(service *server, const char *method, const char *path, int status);
/* How many connections the journal names. */
int service_connections(service *server);
/* The last mailed link; the caller frees it. */
char *service_last_link(service *server);
/* How many refresh tokens of a customer the service would take. */
int service_valid_refresh_tokens(service *server, const char *email);

/* A config for the service: base URL, CA, a log that is kept for service_log_is_clean. The caller frees it.
 */
identity_config *service_config(service *server);
/* A session; takes the config. */
identity_session *service_open_with(identity_config *config, const char *account);
/* A session with the memory store. */
identity_session *service_open(service *server, const char *account);
/* A session with a file store in a directory below the service's own. */
identity_session *service_open_stored(service *server, const char *account, const char *store);
/* Accepts every consent of the publisher, registers, asserts OK. */
void service_register(identity_session *session, const char *email);
identity_status service_login(identity_session *session, const char *email, const char *password,
                              identity_error *error);

/* No log line of any session so far, and no text given here (NULL ends them), holds the password or a token.
 */
void service_assert_no_secret(const char *const texts[]);
/* Some log line has this text: they are there to be looked at. */
void service_assert_logged(const char *text);
/* Adds a text that must never show. */
void service_watch_secret(const char *secret);

/* A copy of the state, checked. */
int32_t service_state_of(identity_session *session);
int32_t service_pending_of(identity_session *session);
int32_t service_reason_of(identity_session *session);
/* STALE: until the next refresh. */
int64_t service_wait_of(identity_session *session);
/* GET /customers/{id}, the result thrown away. */
identity_status service_fetch(identity_session *session, identity_error *error);
/* Sleeps, whatever interrupts. */
void service_pause_ms(int ms);
/* Time on a clock that only goes forward. */
int64_t service_now_ms(void);

#endif
