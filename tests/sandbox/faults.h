/* Scripted faults: which request they hit, and what then happens to it. README.md documents each member. */
#ifndef SBX_FAULTS_H
#define SBX_FAULTS_H

#include "shape.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sbx_drop { SBX_DROP_NOT, SBX_DROP_BEFORE, SBX_DROP_AFTER };

struct sbx_fault {
  uint64_t id;
  cJSON *definition; /* as it was posted; the texts and objects below live in it */

  /* which requests */
  const char *method; /* NULL: any */
  const char *path;   /* NULL: any */
  int64_t times;      /* still to go; -1: for ever */
  int64_t skip;       /* still to let pass */
  int64_t percent;
  int64_t applied;

  /* what happens */
  int64_t delay_ms;
  int64_t as_customer;
  int64_t status; /* 0: the real answer */
  const char *body;
  char *printed_body; /* of a body that was given as JSON */
  const cJSON *headers;
  const cJSON *omit;
  const cJSON *set;
  const cJSON *claims;
  const char *content_encoding;
  int64_t big_header;
  int64_t big_body;
  int64_t cut_body_at; /* -1: not */
  int64_t bytes_per_second;

  unsigned references; /* the list holds one, and each request that it was applied to, until that is over */
  enum sbx_drop drop;
  bool reused_only;
  bool after; /* process first, then do the rest */
  bool hang;
  bool abort; /* drop with a reset instead of a close */
  bool chunked;
};

struct sbx_faults {
  struct sbx_fault **list;
  size_t count, capacity;
  uint64_t last_id;
  uint64_t random; /* of its own, so that "percent" gives the same run each time */
};

#define SBX_FAULT_LIMIT 1000

/* Adds one fault (an object) or several (an array of them); all or nothing. */
bool sbx_faults_add(struct sbx_faults *faults, const cJSON *given, struct sbx_problem *problem);
/* The fault that hits this request, counted as applied; to be released by the caller. NULL: none. */
struct sbx_fault *sbx_faults_pick(struct sbx_faults *faults, const char *method, const char *path,
                                  bool reused);
void sbx_fault_release(struct sbx_fault *fault);
void sbx_faults_clear(struct sbx_faults *faults);
cJSON *sbx_faults_to_json(const struct sbx_faults *faults);

/* Reads one definition; NULL and a problem when it is not usable. */
struct sbx_fault *sbx_fault_read(const cJSON *given, const char *where, struct sbx_problem *problem);

#endif
