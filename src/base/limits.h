/* Every bound of the library in one place; each has a test at n and n + 1. Sizes in bytes unless the name
 * says more. */
#ifndef IDENTITY__LIMITS_H
#define IDENTITY__LIMITS_H

enum {
  IDENTITY__MAX_BODY = 1024 * 1024,      /* answer of an ordinary call */
  IDENTITY__MAX_TOKEN_BODY = 256 * 1024, /* answer that carries tokens */
  IDENTITY__MAX_HEADERS = 64 * 1024,     /* all header lines of one answer */
  IDENTITY__MAX_JSON_DEPTH = 32,
  IDENTITY__MAX_JSON_NUMBER = 63, /* characters: what cJSON takes of one */
  IDENTITY__MAX_LIST = 1000,      /* items of a list, members of an object */
  IDENTITY__MAX_TOKEN = 16 * 1024,
  IDENTITY__MAX_RECORD = 64 * 1024,
  IDENTITY__MAX_URL = 8 * 1024,
  IDENTITY__MAX_TEXT = 64 * 1024, /* any string that an app passes */
  IDENTITY__MAX_ID = 32,          /* customer and publisher ids */
  IDENTITY__MAX_ACCOUNT = 64,     /* its hex form has to fit a file name */
  IDENTITY__MAX_EMAIL = 254,      /* RFC 5321 section 4.5.3.1.3 */
  IDENTITY__MAX_NAME_CHARACTERS = 50,
  IDENTITY__MIN_PASSWORD_CHARACTERS = 8,
  IDENTITY__MAX_PASSWORD_CHARACTERS = 80,
  IDENTITY__MAX_EXTERNAL_DATA_CHARACTERS = 4000,
  IDENTITY__MAX_RESOLVE = 8,
  IDENTITY__MAX_PENDING_CONSENTS = 64,
  IDENTITY__MAX_EVENTS = 64,
  IDENTITY__MAX_TRANSITIONS = 32,  /* in an explanation */
  IDENTITY__MAX_CONNECTIONS = 8,   /* with a host */
  IDENTITY__MAX_POOL = 64,         /* of a loop, with all its hosts */
  IDENTITY__MAX_EXCHANGES = 64,    /* with a host, where they share connections (HTTP/2) */
  IDENTITY__MAX_RUNNING_CALLS = 64 /* of a session */
};

enum {
  IDENTITY__DEFAULT_TIMEOUT_MS = 30 * 1000,
  IDENTITY__MIN_TIMEOUT_MS = 100,
  IDENTITY__MAX_TIMEOUT_MS = 600 * 1000,
  IDENTITY__CONNECT_TIMEOUT_MS = 10 * 1000,
  IDENTITY__MAX_RETRY_AFTER_MS = 3600 * 1000,
  IDENTITY__IDLE_CONNECTION_MS = 30 * 1000, /* after it the connections beyond the first are closed */
  IDENTITY__CLOSE_GRACE_MS = 1000           /* what close gives a refresh that was sent */
};

#endif
