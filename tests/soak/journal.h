/* The journal of the stand-in service as a table, and the tokens it takes. */
#ifndef SOAK_JOURNAL_H
#define SOAK_JOURNAL_H

#include "soak/shared.h"

/* A refresh or a login of a handle of the soak. */
typedef struct soak_entry {
  int64_t seq;
  int64_t real_us;     /* when it came */
  int64_t answered_us; /* when its answer was ready; INT64_MAX: never */
  int64_t now_ms;      /* virtual, to a second */
  int32_t status;
  int32_t fault; /* its row, -1: none */
  int32_t device;
  int32_t worker;
  int32_t handle;
  int64_t session;  /* seq of the login that the token goes back to; 0: nobody knows */
  int64_t began_us; /* of a login: when its session was there; INT64_MAX: never */
  bool login;
  bool processed;
  bool sent;
  char refresh_token[SOAK_MARK_SIZE]; /* that was sent */
  char refresh_token_issued[SOAK_MARK_SIZE];
  char jwt_issued[SOAK_MARK_SIZE];
} soak_entry;

typedef struct soak_journal {
  soak_entry *entries; /* by seq */
  size_t count, capacity;
  int64_t settled; /* up to this seq nothing can change any more */
  int64_t last;    /* seq: how many requests there were, of any kind */
} soak_journal;

/* Fingerprints of refresh tokens. */
typedef struct soak_marks {
  char (*list)[SOAK_MARK_SIZE];
  size_t count, capacity;
} soak_marks;

/* Takes over what the journal has by now. Often enough that it forgets nothing in between. */
void journal_read(soak_journal *journal);
/* Those of a device's customer that the service takes. */
void journal_good_tokens(int32_t device, soak_marks *marks);
/* Those that stand in the file of a device's slot. */
void journal_stored_tokens(const soak_page *page, int32_t device, soak_marks *marks);
bool marks_have(const soak_marks *marks, const char *mark);

#endif
