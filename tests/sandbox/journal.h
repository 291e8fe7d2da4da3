/* What the service saw of each API request, without any secret: the judge of the end-to-end tests. */
#ifndef SBX_JOURNAL_H
#define SBX_JOURNAL_H

#include "secrets.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#define SBX_JOURNAL_SIZE 16384

struct sbx_journal_entry {
  uint64_t seq;
  double time;        /* of the service's clock */
  int64_t elapsed_us; /* since the start, of the real clock */
  int64_t answered_us; /* the same, when its answer was ready; 0: none (yet) */
  char method[12];
  char path[120];
  int status; /* 0: no answer (yet) */
  char code[12];
  uint64_t connection;
  bool reused;
  bool bearer;
  bool processed;
  bool sent;
  uint64_t fault; /* 0: none */
  int64_t customer_id;
  char jwt_sent[SBX_FINGERPRINT_SIZE];
  char jwt_issued[SBX_FINGERPRINT_SIZE];
  char refresh_sent[SBX_FINGERPRINT_SIZE];
  char refresh_issued[SBX_FINGERPRINT_SIZE];
  uint64_t body_bytes;
  char header_names[160];
  char agent[64]; /* User-Agent, as far as it fits */
};

/* A ring: the oldest entries go, and `first` tells how far. */
struct sbx_journal {
  struct sbx_journal_entry *entries;
  uint64_t first; /* seq of the oldest entry since the last clear */
  uint64_t last;  /* seq of the newest; 0: none yet */
  uint64_t dropped;
  uint64_t incomplete; /* requests whose body never came: the service has not seen them */
  int64_t started_us;
};

bool sbx_journal_init(struct sbx_journal *journal);
void sbx_journal_free(struct sbx_journal *journal);
/* Forgets the entries; the numbers go on. */
void sbx_journal_clear(struct sbx_journal *journal);
/* A new entry with its seq set; always succeeds. */
struct sbx_journal_entry *sbx_journal_add(struct sbx_journal *journal);
/* Real time since the start. */
int64_t sbx_journal_elapsed_us(const struct sbx_journal *journal);
/* NULL when the entry is gone. */
struct sbx_journal_entry *sbx_journal_find(struct sbx_journal *journal, uint64_t seq);
/* Entries with seq > since, at most `limit`. */
cJSON *sbx_journal_to_json(const struct sbx_journal *journal, uint64_t since, uint64_t limit);

#endif
