/* A fleet of set-top boxes in virtual time: every box is a token machine of src/token with a store of its
 * own, or a naive client; one service; no sockets, no threads, no clock. README.md says what is taken for
 * granted. */
#ifndef TESTS_FLEET_FLEET_H
#define TESTS_FLEET_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define NEVER_MS INT64_MAX

/* ---- What happens when, since the beginning ---- */
#define STEADY_MS (15 * MINUTE_MS) /* from here to the outage the rate is called steady */
#define DOWN_MS HOUR_MS            /* the service is down from here */
#define CUT_MS (150 * MINUTE_MS)   /* the power fails everywhere ... */
#define POWER_MS (CUT_MS + 5 * MINUTE_MS)
#define BOOTS_MS (20 * SECOND_MS) /* a box takes so long to boot, and up to a minute more */
#define BOOTS_MORE_MS MINUTE_MS
#define LIFE_MS (15 * MINUTE_MS) /* of a JWT */

/* ---- How boxes are used ---- */
#define IN_USE_PERCENT 30
#define IN_USE_ASKS_MS (3 * MINUTE_MS) /* on average, at random: an app that is in use needs a token */
#define IDLE_ASKS_MS (6 * HOUR_MS)
#define CLOCKLESS_PERCENT 10 /* boot in 1970, and learn the time a minute later */

typedef struct fleet_plan {
  uint32_t boxes;
  uint64_t seed;
  int64_t hours;
  int64_t outage_s;
  double limit; /* the service answers so many times the library's steady rate; 0: any number */
  const char *folder;
} fleet_plan;

/* What outlives a step of a box with the library: its stored record and what its machine knows besides. All
 * other members of the two are the same for every box (library.c makes sure of it). */
typedef struct fleet_kept {
  uint64_t generation;
  uint64_t revision;
  int64_t sent_boot_ms;
  int64_t written_boot_ms;
  int64_t written_wall_ms;
  int64_t cooldown_boot_ms;
  int64_t first_refusal_boot_ms;
  int32_t standing;
  int32_t reason;
  int32_t age;
  int32_t failures;
  int32_t refusals;
  int32_t ambiguous;
  int32_t last_failure;
  int16_t boot;
  bool foreign;
} fleet_kept;

typedef struct fleet_box {
  fleet_kept kept;
  int64_t booted_ms;  /* its boot clock counts from here */
  int64_t ask_ms;     /* the app needs a token next */
  int64_t asked_ms;   /* and needed one last */
  int64_t refresh_ms; /* the client refreshes unasked next */
  int64_t got_ms;     /* the naive client: its JWT counts from here */
  uint32_t token;     /* the service's: the number of the one refresh token that is good */
  uint32_t number;    /* of the box: its handle is named after it */
  bool in_use;
  bool clockless;
  bool off;    /* no power */
  bool failed; /* the library's: its refresh, or the power, and it has no good JWT since */
  bool waits;  /* the app, for a token that it could not have */
  bool out;    /* failed, and the app waits or has asked within the last life */
  bool ended;
} fleet_box;

/* One row a second. */
typedef struct fleet_second {
  uint32_t posts; /* that the service has seen */
  uint32_t failed;
  uint32_t out; /* boxes, as the second ends */
  uint32_t waiting;
} fleet_second;

typedef struct fleet_world fleet_world;

typedef struct fleet_client {
  const char *name;
  const char *words;
  /* As it stands at the beginning: its JWT came at got_ms. */
  void (*begin)(fleet_world *world, fleet_box *box, int64_t got_ms);
  /* It is on again, or something is due. When the next thing is: later than now. */
  int64_t (*step)(fleet_world *world, fleet_box *box, int64_t now_ms);
} fleet_client;

struct fleet_world {
  const fleet_plan *plan;
  const fleet_client *client;
  fleet_box *boxes;
  fleet_second *seconds;
  uint32_t *heads; /* the first box of each millisecond, counted from 1; and the one after a box */
  uint32_t *after;
  int64_t end_ms;
  uint64_t chance;
  uint32_t most_a_second; /* that the service answers; 0: any number */
  uint32_t out;
  uint32_t waiting;  /* boxes whose app waits for a token */
  uint32_t ended;    /* sessions that the service has refused */
  const char *wrong; /* the model, not the client */
};

extern const fleet_client fleet_library;
extern const fleet_client fleet_naive;

/* ---- world.c ---- */
int64_t fleet_up_ms(const fleet_plan *plan); /* the service is back */
uint64_t fleet_chance(fleet_world *world);
int64_t fleet_between(fleet_world *world, int64_t least, int64_t most);
/* Memoryless: as long as ever to the next one, however long ago the last was. */
int64_t fleet_wait(fleet_world *world, int64_t mean_ms);
/* The app has what it wanted, or gives up: the time of its next need. */
void fleet_plan_ask(fleet_world *world, fleet_box *box, int64_t now_ms);
void fleet_set_out(fleet_world *world, fleet_box *box, bool out);
void fleet_set_waits(fleet_world *world, fleet_box *box, bool waits);
/* Somebody has asked within the last life: then a client refreshes unasked. */
bool fleet_is_used(const fleet_box *box, int64_t at_ms);
/* Lives through the plan. False: memory is out. The seconds are the caller's. */
bool fleet_live(fleet_world *world);

/* ---- service.c ---- */
typedef struct fleet_answer {
  int32_t http_status;
  int64_t retry_after_ms;
  int64_t at_ms;
  uint32_t token; /* 200: the new one */
} fleet_answer;

fleet_answer fleet_post(fleet_world *world, fleet_box *box, uint32_t token, int64_t now_ms);

#endif
