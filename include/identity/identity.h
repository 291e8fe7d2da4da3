/* SPDX-License-Identifier: MIT
 *
 * libidentity: the identity API of a subscription-video service, for C and every language that can call C.
 *
 * Five things to know:
 *   1. A config says which service; a session is one account key of it and keeps its tokens. Both are opaque handles.
 *   2. Every fallible function returns a status (0 is OK) and fills an optional identity_error of yours. The class of
 *      the status (identity_status_class) says what to do; the ten classes are complete.
 *   3. Params structs are filled by their _params_init function first, so that they can grow. NULL means absent.
 *      Strings are UTF-8 and copied before a function returns.
 *   4. Results are read-only, belong to you, and have one _free function each. Freeing or closing NULL does nothing.
 *   5. The library creates no thread, prints nothing and changes nothing process-wide. An expired JWT is replaced
 *      with the stored refresh token inside the call that needs it.
 *
 * Thread classes: "any": any thread at any time; also each _params_init function and each _free function of a result.
 * "session": any thread, also at the same time on one session; locked inside. "builder": one thread at a time for one
 * config. Since: 0.1.0 for everything in this header.
 */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include <stdint.h>

#ifndef IDENTITY_API
#if defined(__GNUC__)
#define IDENTITY_API __attribute__((visibility("default")))
#else
#define IDENTITY_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Status and error. Thread class: any. Does not block. ------------------------------------------------------ */

/** Result of every fallible function: 0 is OK, else class << 24 | number. New numbers may appear in any release. */
typedef int32_t identity_status;

/** What the app should do; the value of identity_status_class(). */
enum {
  IDENTITY_CLASS_OK = 0,
  IDENTITY_CLASS_FIX_INPUT = 1,       /* let the viewer correct error.field (empty: the form as a whole) */
  IDENTITY_CLASS_RETRY_LATER = 2,     /* nothing is lost; try again, after error.retry_after_ms when that is set */
  IDENTITY_CLASS_SIGN_IN = 3,         /* show the login form */
  IDENTITY_CLASS_USER_ACTION = 4,     /* the viewer must do something: solve a captcha, read the new terms */
  IDENTITY_CLASS_UPDATE_APP = 5,      /* the service or the store speaks something this library does not know */
  IDENTITY_CLASS_FIX_DEVICE = 6,      /* clock, certificates, proxy or storage of the device need attention */
  IDENTITY_CLASS_NOT_ALLOWED = 7,     /* the service refuses this customer; signing in again will not help */
  IDENTITY_CLASS_OUTCOME_UNKNOWN = 8, /* sent, but nobody knows whether it was done: look before repeating */
  IDENTITY_CLASS_CANCELLED = 9,       /* interrupted or closed by the app itself */
  IDENTITY_CLASS_BUG = 10             /* the calling code is wrong: fix it before shipping */
};

/** The statuses, in the order of their classes. */
enum {
  IDENTITY_OK = 0,
  /* FIX_INPUT */
  IDENTITY_INVALID_INPUT = 0x01000001,      /* error.field names what is wrong */
  IDENTITY_WRONG_CREDENTIALS = 0x01000002,  /* wrong e-mail or password (USER0001) */
  IDENTITY_ALREADY_REGISTERED = 0x01000003, /* the e-mail has an account: offer login (USER0002) */
  IDENTITY_NOT_WITH_PUBLISHER = 0x01000004, /* the customer belongs to another publisher (USER0003) */
  IDENTITY_UNKNOWN_CUSTOMER = 0x01000005,   /* no customer with this e-mail (USER0004) */
  IDENTITY_RESET_TOKEN_INVALID = 0x01000006, /* bad, used or expired: request a new mail */
  IDENTITY_CONSENT_REQUIRED = 0x01000007,   /* error.field names the required consent that is not accepted */
  IDENTITY_REFUSED = 0x01000008,            /* the service refused the input for a reason in error.message */
  /* RETRY_LATER */
  IDENTITY_OFFLINE = 0x02000001,         /* no network, no route, name not found, connection refused */
  IDENTITY_CONNECTION_LOST = 0x02000002, /* the connection broke before a whole answer */
  IDENTITY_TIMED_OUT = 0x02000003,       /* no answer within the time-out */
  IDENTITY_THROTTLED = 0x02000004,       /* too many requests */
  IDENTITY_SERVICE_FAILED = 0x02000005,  /* the service answered 408 or 5xx */
  IDENTITY_NOT_THE_SERVICE = 0x02000006, /* HTML or no JSON: a captive portal, a proxy page, a gateway */
  IDENTITY_REFRESH_DEFERRED = 0x02000007, /* the JWT is over and the next refresh waits for error.retry_after_ms */
  IDENTITY_STORE_LOCKED = 0x02000008,    /* the store is held by somebody else */
  IDENTITY_OUT_OF_MEMORY = 0x02000009,
  /* SIGN_IN */
  IDENTITY_SIGNED_OUT = 0x03000001,    /* nobody is signed in */
  IDENTITY_SESSION_ENDED = 0x03000002, /* the service ended the session, or its secret is gone */
  /* USER_ACTION */
  IDENTITY_CAPTCHA_REQUIRED = 0x04000001, /* CPT0001: run the captcha, pass captcha_value */
  IDENTITY_CAPTCHA_FAILED = 0x04000002,   /* CPT0002: run it again */
  IDENTITY_CONSENT_CHANGED = 0x04000003,  /* error.field names a consent with a newer version than the viewer saw */
  /* UPDATE_APP */
  IDENTITY_UNEXPECTED_ANSWER = 0x05000001, /* a 2xx answer without what the call needs */
  IDENTITY_ENDPOINT_GONE = 0x05000002,     /* 404, 405 or 410 in JSON without a code of the service */
  IDENTITY_STORE_NEWER = 0x05000003,       /* the stored record was written by a newer library */
  /* FIX_DEVICE */
  IDENTITY_TLS_UNTRUSTED = 0x06000001, /* the certificate of the service is not trusted here */
  IDENTITY_CLOCK_WRONG = 0x06000002,   /* the device's clock makes certificates fail */
  IDENTITY_CA_FILE = 0x06000003,       /* the CA file cannot be read; error.message has its path */
  IDENTITY_PROXY_AUTH = 0x06000004,    /* the proxy wants a login */
  IDENTITY_STORE_FAILED = 0x06000005,  /* the store cannot be written */
  /* NOT_ALLOWED, OUTCOME_UNKNOWN, CANCELLED */
  IDENTITY_NOT_ALLOWED = 0x07000001,
  IDENTITY_OUTCOME_UNKNOWN = 0x08000001,
  IDENTITY_CANCELLED = 0x09000001,
  /* BUG */
  IDENTITY_BAD_ARGUMENT = 0x0A000001,      /* error.field names the argument */
  IDENTITY_PARAMS_TOO_NEW = 0x0A000002,    /* a params struct sets members this library does not know */
  IDENTITY_BAD_CONFIGURATION = 0x0A000003, /* wrong config, or the service knows no such publisher or offer (REQ0100) */
  IDENTITY_FORKED = 0x0A000004,            /* a session is used in a child process; open a new one there */
  IDENTITY_REENTERED = 0x0A000005,         /* a blocking call, or driving a loop, from inside a callback */
  IDENTITY_WRONG_THREAD = 0x0A000006,      /* a blocking call on a shared loop that another thread drives */
  IDENTITY_NOT_ON_A_LOOP = 0x0A000007,     /* a _start call of a session that was opened without a loop */
  IDENTITY_LOOP_GONE = 0x0A000008          /* the loop of the session has been freed */
};

/** What went wrong: yours to allocate, 512 bytes for ever, cleared on OK. Never holds a secret. Choose the text for
 *  the viewer by status and field; the message is for the developer, and may hold what the service said. */
typedef struct identity_error {
  identity_status status;
  int32_t http_status;    /* 0: no answer */
  int64_t retry_after_ms; /* 0: not known */
  char code[32];          /* the service's own code, e.g. "USER0001", else empty */
  char field[64];         /* the input at fault, else empty */
  char message[400];      /* one line of English, UTF-8 */
} identity_error;

/** The class of a status, IDENTITY_CLASS_x; BUG for a value that no release knows. */
IDENTITY_API int32_t identity_status_class(identity_status status);
/** The name of a status without its prefix, e.g. "WRONG_CREDENTIALS"; a static string, never NULL. */
IDENTITY_API const char *identity_status_name(identity_status status);
/** One English sentence for a status; a static string, never NULL. */
IDENTITY_API const char *identity_status_text(identity_status status);
/** The name of a class, e.g. "FIX_INPUT"; a static string, never NULL. */
IDENTITY_API const char *identity_class_name(int32_t status_class);
/** The version of the library that runs, e.g. "0.1.0"; a static string. */
IDENTITY_API const char *identity_version(void);

/* ---- Configuration. Thread class: builder. Does not block. ------------------------------------------------------
 * A setter copies its strings and returns OK, BAD_ARGUMENT or OUT_OF_MEMORY. The first setter that failed is reported
 * again by identity_session_open, so their statuses may be ignored. NULL takes a setting back. */

/** Which service, and how it is reached; from identity_config_new. */
typedef struct identity_config identity_config;
/** One account key of a service, and its tokens; from identity_session_open, or identity_session_open_on of async.h. */
typedef struct identity_session identity_session;

/** The environments of the service. */
enum { IDENTITY_SANDBOX = 1, IDENTITY_PRODUCTION = 2 };
/** The levels of log lines: each takes in those before it. */
enum { IDENTITY_LOG_ERROR = 1, IDENTITY_LOG_WARNING = 2, IDENTITY_LOG_INFO = 3, IDENTITY_LOG_DEBUG = 4 };

/** Takes one finished line without a secret. Runs inside calls of yours, never under a lock; must not call blocking
 *  functions of the same session (they return REENTERED), nor close it. */
typedef void (*identity_log_fn)(int32_t level, const char *line, void *user_data);

/** New configuration for a publisher (nine digits); the caller's, freed with identity_config_free. NULL: no memory. */
IDENTITY_API identity_config *identity_config_new(const char *publisher_id);
/** Frees a configuration; sessions opened with it are not touched. */
IDENTITY_API void identity_config_free(identity_config *config);
/** IDENTITY_SANDBOX or IDENTITY_PRODUCTION; there is no default. */
IDENTITY_API identity_status identity_config_set_environment(identity_config *config, int32_t environment);
/** Another service address instead of an environment, e.g. "https://identity.example.com/v2": https, no query. The
 *  last of the two setters counts. */
IDENTITY_API identity_status identity_config_set_base_url(identity_config *config, const char *base_url);
/** 1: a base URL may be plain http, if its host is 127.0.0.0/8, ::1 or localhost. For tests. */
IDENTITY_API identity_status identity_config_set_loopback_http(identity_config *config, int32_t allowed);
/** Keeps tokens in memory for the life of the session: the default. */
IDENTITY_API identity_status identity_config_set_memory_store(identity_config *config);
/** Keeps tokens in files of mode 0600 in this directory (made with 0700; its parent must exist). */
IDENTITY_API identity_status identity_config_set_file_store(identity_config *config, const char *directory);
/** 1: signing in goes on when the store cannot be written; the tokens then live in memory only. */
IDENTITY_API identity_status identity_config_set_volatile_tokens(identity_config *config, int32_t allowed);
/** Log lines up to a level, IDENTITY_LOG_x; log NULL: none, the default. What user_data points to outlives every
 *  session of the config. */
IDENTITY_API identity_status identity_config_set_log(identity_config *config, int32_t level, identity_log_fn log,
                                                     void *user_data);
/** Time for a whole call in milliseconds, 100 to 600,000; 30,000 by default. */
IDENTITY_API identity_status identity_config_set_timeout_ms(identity_config *config, uint32_t timeout_ms);
/** Answers the name resolution of a host with an IP address (that of IPv6 with or without brackets); up to 8 hosts, which
 *  cannot be taken back. */
IDENTITY_API identity_status identity_config_set_resolve(identity_config *config, const char *host,
                                                         const char *address);
/** Trusts the certificates in this PEM file instead of the system's. */
IDENTITY_API identity_status identity_config_set_ca_file(identity_config *config, const char *path);
/** Trusts these PEM certificates instead of the system's (needs libcurl 7.77 at run time). */
IDENTITY_API identity_status identity_config_set_ca_pem(identity_config *config, const char *pem);
/** Goes through this proxy, e.g. "http://user:password@proxy:3128". Without: no proxy, whatever the environment says. */
IDENTITY_API identity_status identity_config_set_proxy(identity_config *config, const char *proxy_url);
/** 1: the environment's proxy variables count when no proxy is set. */
IDENTITY_API identity_status identity_config_set_environment_proxy(identity_config *config, int32_t allowed);
/** The app's product string, e.g. "player/3.1"; put before the library's own. */
IDENTITY_API identity_status identity_config_set_user_agent(identity_config *config, const char *user_agent);

/* ---- Session. Thread class: session. ----------------------------------------------------------------------------
 * What takes a session may return, beside what its comment names: BAD_ARGUMENT (a NULL that must not be one), FORKED,
 * OUT_OF_MEMORY and, of a session on a loop of async.h, LOOP_GONE. What has a _start twin there counts as blocking, also
 * where it needs no network, and may return as well: CANCELLED (interrupted, or the session is being closed; signing in:
 * another thread has signed out meanwhile), TIMED_OUT, REENTERED and, on a loop, WRONG_THREAD. */

/** Where a session can stand. */
enum {
  IDENTITY_STATE_SIGNED_OUT = 0,
  IDENTITY_STATE_ACTIVE = 1,
  IDENTITY_STATE_REFRESHING = 2,
  IDENTITY_STATE_STALE = 3,           /* signed in; the last refresh failed and will be tried again */
  IDENTITY_STATE_STORE_BLOCKED = 4,   /* the store cannot be read now: neither signed in nor out */
  IDENTITY_STATE_REAUTH_REQUIRED = 5  /* signed out by the service; the customer is still known */
};
/** Why nobody is signed in. */
enum {
  IDENTITY_REASON_NONE = 0,
  IDENTITY_REASON_NEVER_SIGNED_IN = 1,
  IDENTITY_REASON_LOGOUT = 2,
  IDENTITY_REASON_LOGOUT_EVERYWHERE = 3,
  IDENTITY_REASON_OTHER_PROCESS = 4,       /* signed out through another handle of the same store */
  IDENTITY_REASON_REFUSED = 5,             /* the service refused the refresh token for good */
  IDENTITY_REASON_LOST_ROTATION = 6,       /* refused after an attempt whose answer was lost */
  IDENTITY_REASON_STORE_LOST = 7,          /* the stored secret is damaged or gone */
  IDENTITY_REASON_CREDENTIALS_CHANGED = 8, /* password or e-mail changed */
  IDENTITY_REASON_NO_REFRESH_TOKEN = 9     /* an adopted JWT ended and there was no refresh token */
};

/** Where a session stands. */
typedef struct identity_state {
  int64_t retry_after_ms;    /* STALE: until the next refresh may start; else 0 */
  int32_t state;             /* IDENTITY_STATE_x */
  int32_t reason;            /* IDENTITY_REASON_x, for SIGNED_OUT and REAUTH_REQUIRED */
  int32_t consents_pending;  /* 1: registered, but the consent answers still have to reach the service */
  int32_t not_persisted;     /* 1: the tokens in memory are newer than the store's */
  const char *state_name;    /* "active", "refreshing", "stale", "store_blocked", "signed_out", "reauth_required" */
  const char *reason_name;   /* "none", "logout", ... */
  const char *publisher_id;
  const char *account;
  const char *customer_id;   /* NULL when not known */
  const char *email;         /* as the JWT says; NULL when not known */
} identity_state;

/** A JWT and what belongs to it; wiped when freed. The refresh token never leaves the session. */
typedef struct identity_tokens {
  int64_t remaining_ms;       /* life left; 0: over; -1: not known (adopted) */
  const char *jwt;
  const char *customer_id;    /* NULL when the JWT does not say */
  const char *publisher_id;
  const char *customer_token; /* for the service's older API; NULL when there is none */
} identity_tokens;

/** Opens the slot of an account key (1 to 64 bytes, e.g. "viewer-1") of the config's publisher. No network; waits up to
 *  a second for a store that is held by somebody else.
 *  @param session receives the handle, the caller's, closed with identity_session_close; NULL on failure
 *  @return OK; BAD_ARGUMENT, PARAMS_TOO_NEW (both also of a setter that failed), BAD_CONFIGURATION, CA_FILE,
 *  STORE_FAILED, OUT_OF_MEMORY. A locked or damaged store is no failure: it shows in the state. */
IDENTITY_API identity_status identity_session_open(const identity_config *config, const char *account,
                                                   identity_session **session, identity_error *error);
/** Ends calls in flight with CANCELLED, gives a refresh that was sent up to a second, frees; on a loop: see
 *  identity_session_open_on. No call may begin on the session any more. The viewer stays signed in as far as the store
 *  remembers. */
IDENTITY_API void identity_session_close(identity_session *session);
/** Ends the calls that have begun, blocking and _start ones, with CANCELLED (a sent register, password change or
 *  revocation: OUTCOME_UNKNOWN); calls that begin later and a refresh in flight are not touched. Does not block. */
IDENTITY_API void identity_session_interrupt(identity_session *session);
/** Where the session stands now. Does not block.
 *  @param state the caller's, freed with identity_state_free
 *  @return OK, or as above. */
IDENTITY_API identity_status identity_session_state(identity_session *session, const identity_state **state,
                                                    identity_error *error);
/** Frees a state. */
IDENTITY_API void identity_state_free(const identity_state *state);
/** A JWT with at least min_life_ms of life or, where that cannot be had, the freshest there is. Blocks only when a
 *  refresh is needed, or nobody is signed in and the store is asked again. Endpoint: POST /auths/refresh_token when the
 *  JWT is too old.
 *  @param min_life_ms milliseconds; negative: BAD_ARGUMENT
 *  @param tokens the caller's, freed (and wiped) with identity_tokens_free
 *  @return OK; SIGNED_OUT, SESSION_ENDED; RETRY_LATER, FIX_DEVICE class and STORE_NEWER when the JWT is over and cannot
 *  be replaced now, or the store cannot be read. */
IDENTITY_API identity_status identity_session_tokens(identity_session *session, int64_t min_life_ms,
                                                     const identity_tokens **tokens, identity_error *error);
/** Wipes and frees tokens. */
IDENTITY_API void identity_tokens_free(const identity_tokens *tokens);
/** Replaces the token pair now, joining a refresh in flight. Blocks. Endpoint: POST /auths/refresh_token.
 *  @return OK; SIGN_IN class (also: there is no refresh token); REFRESH_DEFERRED while a cooldown runs; RETRY_LATER,
 *  FIX_DEVICE class; STORE_NEWER. */
IDENTITY_API identity_status identity_session_refresh(identity_session *session, identity_error *error);
/** Takes over a session begun elsewhere (single sign-on, migration). No network; writes the store.
 *  @param refresh_token may be NULL: then the session ends with its JWT
 *  @return OK; INVALID_INPUT (jwt, refresh_token) when one is no token, or is another publisher's; STORE_LOCKED,
 *  STORE_FAILED, STORE_NEWER: nothing has changed. */
IDENTITY_API identity_status identity_session_adopt(identity_session *session, const char *jwt,
                                                    const char *refresh_token, identity_error *error);
/** Signs out here. No network (the service cannot revoke one token); works offline.
 *  @return OK; STORE_LOCKED, STORE_FAILED, STORE_NEWER: signed out in memory, later calls try the store again. After
 *  anything else the state tells. */
IDENTITY_API identity_status identity_logout(identity_session *session, identity_error *error);
/** Signs out here and revokes every refresh token of the customer. Blocks. Endpoint: DELETE /refresh_tokens.
 *  @return OK; OUTCOME_UNKNOWN: signed out here, not confirmed there; as identity_session_tokens: still signed in, for
 *  want of a JWT to do it with. STORE_x may also be that of identity_logout: the state tells. */
IDENTITY_API identity_status identity_logout_everywhere(identity_session *session, identity_error *error);

/* ---- Events and explanation. Thread class: session. Does not block. ---------------------------------------------- */

/** What can happen to a session, and which members of identity_event tell more. */
enum {
  IDENTITY_EVENT_STATE = 1,           /* old_state, new_state, reason */
  IDENTITY_EVENT_TOKEN_REFRESHED = 2,
  IDENTITY_EVENT_REFRESH_DEFERRED = 3, /* cause; amount_ms: until the next attempt may start */
  IDENTITY_EVENT_SIGNED_IN = 4,       /* how */
  IDENTITY_EVENT_SIGNED_OUT = 5,      /* reason */
  IDENTITY_EVENT_REAUTH_REQUIRED = 6, /* reason, customer_id */
  IDENTITY_EVENT_CONSENTS_PENDING = 7,
  IDENTITY_EVENT_EXTERNAL_CHANGE = 8, /* another handle of the store has changed the session */
  IDENTITY_EVENT_STORE_BLOCKED = 9,   /* cause */
  IDENTITY_EVENT_STORE_FAILED = 10,   /* what holds is in memory only */
  IDENTITY_EVENT_STORE_RECOVERED = 11,
  IDENTITY_EVENT_CLOCK_SUSPECT = 12,  /* amount_ms: how far the device's clock is behind the service's */
  IDENTITY_EVENT_THROTTLED = 13       /* amount_ms: how long the service wants to be left alone */
};
/** How somebody came to be signed in. */
enum {
  IDENTITY_HOW_NONE = 0,
  IDENTITY_HOW_LOGIN = 1,
  IDENTITY_HOW_REGISTER = 2,
  IDENTITY_HOW_SSO = 3,
  IDENTITY_HOW_ADOPT = 4,
  IDENTITY_HOW_OTHER_PROCESS = 5
};

/** Something that happened to a session; holds no secret. */
typedef struct identity_event {
  uint64_t number;       /* rises by one; where it jumps, older events were dropped (64 are kept) */
  int64_t at_ms;         /* since 1970, by the device's clock */
  int64_t amount_ms;
  int32_t kind;          /* IDENTITY_EVENT_x */
  int32_t old_state;     /* IDENTITY_STATE_x */
  int32_t new_state;
  int32_t reason;        /* IDENTITY_REASON_x */
  int32_t how;           /* IDENTITY_HOW_x */
  identity_status cause;
  const char *kind_name; /* "state", "token_refreshed", ... */
  const char *customer_id; /* NULL when not known */
} identity_event;

/** The next event that was not asked for yet.
 *  @param event the caller's, freed with identity_event_free; NULL when there is none
 *  @return OK, or what the section Session says; OUT_OF_MEMORY: the event stays. */
IDENTITY_API identity_status identity_session_next_event(identity_session *session, const identity_event **event,
                                                         identity_error *error);
/** Frees an event. */
IDENTITY_API void identity_event_free(const identity_event *event);
/** Where the session stands and how it came there, as JSON for a support desk: state, last 32 transitions, clock
 *  offset, lease, counters. No token, no name, no address.
 *  @param json the caller's, freed with identity_explanation_free
 *  @return OK, or what the section Session says. */
IDENTITY_API identity_status identity_session_explain(identity_session *session, const char **json,
                                                      identity_error *error);
/** Frees an explanation. */
IDENTITY_API void identity_explanation_free(const char *json);

/* ---- Calls. Thread class: session. All block up to the time-out of the config. -----------------------------------
 * Each may return, beside what its comment names: what the section Session says, any status whose code the service
 * sends (see identity_error.code), RETRY_LATER, FIX_DEVICE and UPDATE_APP classes, BAD_CONFIGURATION and, where it has
 * params, PARAMS_TOO_NEW (not filled by their _params_init function: BAD_ARGUMENT). Calls marked "signed in" also
 * SIGN_IN class and NOT_ALLOWED. Results are the caller's; the pointer is NULL on failure. */

/** What the service thinks of an IP address. */
typedef struct identity_locale {
  const char *country;    /* two letters */
  const char *currency;   /* three letters */
  const char *locale;     /* e.g. "en_US" */
  const char *ip_address; /* the one that was looked at; NULL when the service did not say */
} identity_locale;

/** Country, currency and locale by IP. Endpoint: GET /locales.
 *  @param customer_ip IPv4 or IPv6 of the viewer; NULL: the address the request comes from
 *  @return OK; INVALID_INPUT (customer_ip), REFUSED. */
IDENTITY_API identity_status identity_fetch_locale(identity_session *session, const char *customer_ip,
                                                   const identity_locale **locale, identity_error *error);
/** Frees a locale. */
IDENTITY_API void identity_locale_free(const identity_locale *locale);

/** A consent the publisher asks for. Labels and values come from outside: treat them as untrusted HTML. */
typedef struct identity_consent {
  int32_t required;
  int32_t enabled_by_default;
  const char *name;           /* "terms", "broadcaster_terms", "broadcaster_marketing", ... an open set */
  const char *version;        /* not a number; goes back unchanged in an answer */
  const char *label;
  const char *value;          /* URL of the terms, or text */
  const char *broadcaster_id; /* whose it is; "0" is the platform's */
} identity_consent;

/** The consents of a publisher. */
typedef struct identity_consents {
  uint32_t count;
  uint32_t reserved;
  const identity_consent *const *items;
} identity_consents;

/** The viewer's answer to one consent, with the version that was on the screen. Never grows. */
typedef struct identity_consent_answer {
  const char *name;
  const char *version;
  int32_t accepted; /* 0: declined */
  uint32_t reserved;
} identity_consent_answer;

/** The consents of the publisher. Endpoint: GET /publishers/{id}/consents.
 *  @return OK; BAD_CONFIGURATION, NOT_ALLOWED. */
IDENTITY_API identity_status identity_fetch_publisher_consents(identity_session *session,
                                                               const identity_consents **consents,
                                                               identity_error *error);
/** Frees a publisher's consents. */
IDENTITY_API void identity_consents_free(const identity_consents *consents);

/** Who registers; email, password and the required consents are needed. */
typedef struct identity_register_params {
  uint32_t struct_size;
  uint32_t consent_count;
  const identity_consent_answer *consents;
  const char *email;
  const char *password;      /* 8 to 80 characters, a letter, and a digit or one of !@#$%^& */
  const char *offer_id;      /* e.g. "S565568989_US"; NULL: the publisher of the config */
  const char *locale;        /* locale, country, currency: fetched when absent */
  const char *country;       /* ISO 3166, two letters, GB and not UK */
  const char *currency;
  const char *first_name;    /* 1 to 50 characters */
  const char *last_name;
  const char *external_id;   /* unique for the publisher */
  const char *external_data; /* JSON text, up to 4,000 characters */
  const char *customer_ip;   /* of the viewer, when the caller is a back end */
  const char *captcha_value; /* only when the publisher turned captcha on */
} identity_register_params;

/** Fills register params with absent values. @param size sizeof the struct, as for all its like. */
IDENTITY_API void identity_register_params_init(identity_register_params *params, uint32_t size);
/** Registers and signs in. Nothing is sent unless every required consent is accepted in its current version.
 *  Endpoints: GET /locales, GET /publishers/{id}/consents, POST /customers, PUT /customers/{id}/consents.
 *  OK also when only the last of these failed: see consents_pending of identity_session_state.
 *  @return OK; CONSENT_REQUIRED, CONSENT_CHANGED, ALREADY_REGISTERED, INVALID_INPUT, REFUSED, CAPTCHA_REQUIRED,
 *  CAPTCHA_FAILED, NOT_WITH_PUBLISHER, BAD_CONFIGURATION, NOT_ALLOWED; OUTCOME_UNKNOWN: sent without a usable answer,
 *  try to log in. */
IDENTITY_API identity_status identity_register(identity_session *session, const identity_register_params *params,
                                               identity_error *error);

/** Who logs in; email and password are needed. */
typedef struct identity_login_params {
  uint32_t struct_size;
  uint32_t reserved;
  const char *email;
  const char *password;
  const char *offer_id; /* NULL: the publisher of the config */
  const char *customer_ip;
} identity_login_params;

/** Fills login params with absent values. */
IDENTITY_API void identity_login_params_init(identity_login_params *params, uint32_t size);
/** Logs in; an older session is replaced only when this succeeds. Endpoint: POST /auths.
 *  @return OK; WRONG_CREDENTIALS, NOT_WITH_PUBLISHER, INVALID_INPUT, REFUSED, BAD_CONFIGURATION. */
IDENTITY_API identity_status identity_login(identity_session *session, const identity_login_params *params,
                                            identity_error *error);

/** What the customer answered to one consent. */
typedef struct identity_customer_consent {
  int64_t date;               /* seconds since 1970 of the answer; 0: never answered */
  int32_t required;
  int32_t accepted;           /* 1: accepted, 0: declined or never answered */
  int32_t needs_update;       /* 1: ask (again): a newer version, required and not accepted, or the service says so */
  uint32_t reserved;
  const char *name;
  const char *version;        /* the answered one; NULL when never answered */
  const char *newest_version; /* the one to show and to answer */
  const char *label;
  const char *value;
} identity_customer_consent;

/** What the customer answered to all of them. */
typedef struct identity_customer_consents {
  uint32_t count;
  uint32_t reserved;
  const identity_customer_consent *const *items;
} identity_customer_consents;

/** The customer's answers. Signed in. Endpoint: GET /customers/{id}/consents. */
IDENTITY_API identity_status identity_fetch_customer_consents(identity_session *session,
                                                              const identity_customer_consents **consents,
                                                              identity_error *error);
/** Frees a customer's consents. */
IDENTITY_API void identity_customer_consents_free(const identity_customer_consents *consents);
/** Accepts or declines consents. Signed in. Nothing is sent when another version is current by now.
 *  Endpoints: GET, PUT /customers/{id}/consents.
 *  @return OK; CONSENT_CHANGED; INVALID_INPUT (a name the publisher does not have); REFUSED. */
IDENTITY_API identity_status identity_update_customer_consents(identity_session *session,
                                                               const identity_consent_answer *answers,
                                                               uint32_t answer_count, identity_error *error);

/** One answer of the capture form by its flat key: "firstName", "birthDate", "city", "custom_1", ... Never grows. */
typedef struct identity_capture_answer {
  const char *key;
  const char *value; /* read: NULL when not answered; written: NULL leaves it alone */
} identity_capture_answer;

/** What kind of field to show. */
enum {
  IDENTITY_CAPTURE_TEXT = 1,
  IDENTITY_CAPTURE_DATE = 2,     /* YYYY-MM-DD */
  IDENTITY_CAPTURE_NAME = 3,     /* answers: firstName, lastName */
  IDENTITY_CAPTURE_ADDRESS = 4,  /* answers: address, address2, city, state, postCode, country */
  IDENTITY_CAPTURE_CHECKBOX = 5, /* one option: the answer is its text, or empty */
  IDENTITY_CAPTURE_CHOICE = 6    /* two or more options */
};

/** One field of the capture form. */
typedef struct identity_capture_setting {
  int32_t kind;    /* IDENTITY_CAPTURE_x */
  int32_t enabled; /* 0: do not show it, whatever required says */
  int32_t required;
  uint32_t option_count;
  uint32_t answer_count;
  uint32_t reserved;
  const char *key;      /* "email", "firstNameLastName", "birthDate", "address", "custom_1", ... */
  const char *question; /* custom fields: untrusted text; else NULL */
  const char *const *options;
  const identity_capture_answer *const *answers; /* one for each key to write; their values prefill the form */
} identity_capture_setting;

/** The capture form, with the answers so far. */
typedef struct identity_capture_status {
  int32_t enabled;             /* the publisher uses the form */
  int32_t should_be_displayed; /* this customer should see it now */
  uint32_t setting_count;
  uint32_t reserved;
  const identity_capture_setting *const *settings;
} identity_capture_status;

/** The capture form and the answers so far. Signed in. Endpoint: GET /customers/{id}/capture/status. */
IDENTITY_API identity_status identity_fetch_capture_status(identity_session *session,
                                                           const identity_capture_status **status,
                                                           identity_error *error);
/** Frees a capture form. */
IDENTITY_API void identity_capture_status_free(const identity_capture_status *status);
/** Saves answers; checked against the form first, and only what changes is sent. Signed in.
 *  Endpoints: GET /customers/{id}/capture/status, PUT /customers/{id}/capture.
 *  @return OK; INVALID_INPUT with the key in error.field, nothing sent; REFUSED. */
IDENTITY_API identity_status identity_update_capture_answers(identity_session *session,
                                                             const identity_capture_answer *answers,
                                                             uint32_t answer_count, identity_error *error);

/** What there can be to show. */
enum { IDENTITY_STEP_NONE = 0, IDENTITY_STEP_CONSENTS = 1, IDENTITY_STEP_CAPTURE = 2 };

/** What to show next after signing in. */
typedef struct identity_next_step {
  int32_t step; /* IDENTITY_STEP_x */
  uint32_t reserved;
  const identity_customer_consents *consents; /* step CONSENTS: those to ask; else NULL. Not freed apart. */
  const identity_capture_status *capture;     /* step CAPTURE: the form; else NULL. Not freed apart. */
} identity_next_step;

/** Consents that need an update (out of date, required and not accepted, or never answered and the service asks),
 *  else the capture form if it should be displayed, else nothing. Signed in.
 *  Endpoints: GET /customers/{id}/consents, GET /customers/{id}/capture/status. */
IDENTITY_API identity_status identity_fetch_next_step(identity_session *session, const identity_next_step **next_step,
                                                      identity_error *error);
/** Frees a next step, with what it points to. */
IDENTITY_API void identity_next_step_free(const identity_next_step *next_step);

/** Customer data. Members are NULL when the service sent none, and may be empty. Dates are the service's text,
 *  YYYY-MM-DD HH:MM:SS. */
typedef struct identity_customer {
  const char *id;
  const char *email;
  const char *first_name;
  const char *last_name;
  const char *country;
  const char *registration_date;
  const char *last_login_date;
  const char *last_user_ip;
  const char *external_id;
  const char *external_data; /* JSON text */
} identity_customer;

/** What is to change; the rest is left alone. */
typedef struct identity_update_customer_params {
  uint32_t struct_size;
  uint32_t reserved;
  const char *first_name; /* 1 to 50 characters */
  const char *last_name;
  const char *country;    /* ISO 3166, two letters, GB and not UK */
  const char *locale;
  const char *external_data; /* JSON text, up to 4,000 characters; replaces the old one as a whole */
  const char *email;
  const char *confirmation_password; /* the current password, needed with email */
} identity_update_customer_params;

/** The customer's data. Signed in. Endpoint: GET /customers/{id}. */
IDENTITY_API identity_status identity_fetch_customer(identity_session *session, const identity_customer **customer,
                                                     identity_error *error);
/** Frees a customer's data. */
IDENTITY_API void identity_customer_free(const identity_customer *customer);
/** Fills update params with absent values. */
IDENTITY_API void identity_update_customer_params_init(identity_update_customer_params *params, uint32_t size);
/** Changes customer data. Signed in. After a new e-mail the tokens are refreshed; if the service then refuses them,
 *  the state is REAUTH_REQUIRED. Endpoint: PATCH /customers/{id}.
 *  @return OK; INVALID_INPUT, WRONG_CREDENTIALS (confirmation_password), ALREADY_REGISTERED (email), REFUSED. */
IDENTITY_API identity_status identity_update_customer(identity_session *session,
                                                      const identity_update_customer_params *params,
                                                      identity_error *error);

/** Has the service mail a link for a new password. Never repeated by the library. Endpoint: PUT /customers/passwords.
 *  @param reset_url page of the app that the link leads to; NULL: the service's own page
 *  @return OK; UNKNOWN_CUSTOMER, INVALID_INPUT (email, reset_url), BAD_CONFIGURATION, REFUSED. */
IDENTITY_API identity_status identity_request_password_reset(identity_session *session, const char *email,
                                                             const char *reset_url, identity_error *error);

/** What a mailed link carried; wiped when freed. */
typedef struct identity_reset_link {
  const char *reset_token;
  const char *email;
  const char *publisher_id; /* NULL when the link has none */
} identity_reset_link;

/** Reads the link that came back to the app. Thread class: any. Does not block, no side effect.
 *  @param link the caller's, freed (and wiped) with identity_reset_link_free
 *  @return OK; INVALID_INPUT (url) when it is no such link; BAD_ARGUMENT (a NULL), OUT_OF_MEMORY; nothing else. */
IDENTITY_API identity_status identity_parse_reset_link(const char *url, const identity_reset_link **link,
                                                       identity_error *error);
/** Wipes and frees what a link carried. */
IDENTITY_API void identity_reset_link_free(const identity_reset_link *link);

/** The new password, with the token of the link and the email or customer_id of whose it is. */
typedef struct identity_update_password_params {
  uint32_t struct_size;
  uint32_t reserved;
  const char *reset_token;
  const char *new_password;
  const char *email;        /* email or customer_id */
  const char *customer_id;
  const char *publisher_id; /* of the link; NULL: not checked. Another than the config's is INVALID_INPUT. */
} identity_update_password_params;

/** Fills password params with absent values. */
IDENTITY_API void identity_update_password_params_init(identity_update_password_params *params, uint32_t size);
/** Sets a new password with the mailed token. Signs nobody in; if it names the customer who is signed in here, the
 *  session ends and login comes next. Endpoint: PATCH /customers/passwords.
 *  @return OK; RESET_TOKEN_INVALID, UNKNOWN_CUSTOMER, INVALID_INPUT, REFUSED; OUTCOME_UNKNOWN: sent without a usable
 *  answer, try to log in with the new password. */
IDENTITY_API identity_status identity_update_password(identity_session *session,
                                                      const identity_update_password_params *params,
                                                      identity_error *error);

#ifdef __cplusplus
}
#endif

#endif
