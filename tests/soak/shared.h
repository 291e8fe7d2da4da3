/* What the harness of the soak and its workers share: one page of memory with the virtual time, what each
 * worker is doing, and everything that happened, written down by whom it happened to. It outlives a worker
 * that is killed. */
#ifndef SOAK_SHARED_H
#define SOAK_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  SOAK_DEVICES = 6,
  SOAK_WORKERS = 2, /* of one device, over one file store */
  SOAK_ALL_WORKERS = SOAK_DEVICES * SOAK_WORKERS,
  SOAK_HANDLES = 2, /* that the first worker of a device has of its slot */
  SOAK_MOST_EVENTS = 1 << 19,
  SOAK_MARK_SIZE = 13, /* a fingerprint as the journal writes it: 12 hex digits of SHA-256 */
  SOAK_NAME_SIZE = 40
};

#define SOAK_PUBLISHER "123456789"
#define SOAK_ACCOUNT "viewer"
#define SOAK_PASSWORD "canary-Passw0rd!"
/* The true time when the run begins: 2027-03-01, later than any release of the library. */
#define SOAK_EPOCH_MS INT64_C(1803859200000)

enum {
  SOAK_DEAD,
  SOAK_PAUSED,  /* until wakes_ms */
  SOAK_BUSY,    /* in a call, or on its way to one */
  SOAK_POLLING, /* in a call, and the network is silent */
  SOAK_ASKS     /* has seen its session end, and waits until the harness has looked at the service */
};

/* A device: a boot clock, a wall clock and a network of its own. */
typedef struct soak_device {
  _Atomic int64_t booted_ms;    /* virtual time when its boot clock was 0 */
  _Atomic int64_t wall_skew_ms; /* what its wall clock is off by */
  _Atomic int32_t boot;         /* counts its starts */
  _Atomic int32_t offline;
  _Atomic int32_t opens;      /* counts its handles */
  _Atomic int32_t logins;     /* that succeeded */
  _Atomic int32_t login_turn; /* 0: free, else 1 + the worker that logs in */
} soak_device;

typedef struct soak_worker {
  _Atomic int64_t wakes_ms;
  _Atomic int32_t doing;
  _Atomic uint32_t turn;   /* rises when the harness lets it go on */
  _Atomic uint32_t slices; /* polls that came back empty */
  /* Signals that it gives itself at a moment no other process could hit; 0: none. */
  _Atomic int32_t strike_sent;     /* the refresh token has left */
  _Atomic int32_t strike_received; /* the first bytes of the answer are here */
  _Atomic int32_t handle;          /* the number of the handle that a call is on; 0: none */
} soak_worker;

/* What workers call, in the order of their table. */
enum {
  SOAK_FETCH_CUSTOMER,
  SOAK_TAKE_TOKENS,
  SOAK_FETCH_NEXT_STEP,
  SOAK_READ_STATE,
  SOAK_REFRESH,
  SOAK_REOPEN,
  SOAK_LOG_IN
};

enum {
  SOAK_NOTHING, /* its writer was killed over it */
  SOAK_OPENED,
  SOAK_CLOSING, /* value: 0 */
  SOAK_CLOSED,
  SOAK_CALL,     /* a call begins; value: which */
  SOAK_CALL_END, /* value: its status */
  SOAK_HOLDS,    /* the JWT of the handle, by its mark */
  SOAK_ENDED,    /* a call said SIGN_IN, or the state does; value: reason, state */
  SOAK_LOGGED_IN,
  SOAK_JOINED,  /* took over what another handle had logged in */
  SOAK_STARTED, /* by the harness from here on: the worker, value: its process */
  SOAK_KILLED,
  SOAK_STOPPED,
  SOAK_GOES_ON,
  SOAK_STORE_HELD, /* of the device */
  SOAK_STORE_FREE,
  SOAK_RELEASED /* the service lets go on what it held back */
};

typedef struct soak_event {
  int64_t now_ms;       /* virtual */
  int64_t real_us;      /* CLOCK_MONOTONIC, as the service's journal */
  _Atomic int32_t kind; /* stored last */
  int32_t device;
  int32_t worker;
  int32_t handle; /* its number on the device */
  int32_t value;
  int32_t more;
  char mark[SOAK_MARK_SIZE];
} soak_event;

typedef struct soak_page {
  _Atomic int64_t now_ms; /* virtual time since the run began */
  _Atomic uint32_t news;  /* rises when a worker pauses or asks */
  _Atomic uint32_t event_count;
  uint64_t seed;
  char base_url[64];
  char directory[128]; /* the stores are in it */
  soak_device devices[SOAK_DEVICES];
  soak_worker workers[SOAK_ALL_WORKERS];
  soak_event events[SOAK_MOST_EVENTS];
} soak_page;

/* Makes the page anew (harness), or takes part in it (worker); NULL: it cannot be had. */
soak_page *soak_page_open(const char *path, bool anew);
/* Writes down what happened; event has everything but the times. */
void soak_note(soak_page *page, const soak_event *event);
/* The directory of a device's store. */
void soak_store_path(const soak_page *page, int32_t device, char path[192]);

int64_t soak_real_ms(void);
int64_t soak_real_us(void);
/* Waits while *word is value, at most so long, on the real clock; wakes from other processes count. */
void soak_wait(_Atomic uint32_t *word, uint32_t value, int32_t most_ms);
void soak_wake(_Atomic uint32_t *word);
void soak_mark(const char *text, size_t length, char mark[SOAK_MARK_SIZE]);

/* Chance that repeats with its seed. */
typedef struct soak_dice {
  uint64_t state;
} soak_dice;

uint64_t soak_roll(soak_dice *dice);
/* 0 to below - 1. */
int64_t soak_pick(soak_dice *dice, int64_t below);
/* Between the two, each order of magnitude as likely as the next. */
int64_t soak_span(soak_dice *dice, int64_t least, int64_t most);
/* True so many times in 100. */
bool soak_chance(soak_dice *dice, int32_t percent);

#endif
