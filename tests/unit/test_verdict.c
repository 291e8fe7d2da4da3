/* What the answer to a refresh means: every row of the table that ends sessions or keeps them. */
#include "support/rows.h"

#include "token/verdict.h"

enum {
  UNSENT = IDENTITY__VERDICT_UNSENT,
  AMBIGUOUS = IDENTITY__VERDICT_AMBIGUOUS,
  THROTTLED = IDENTITY__VERDICT_THROTTLED,
  COMMITTED = IDENTITY__VERDICT_COMMITTED,
  MISMATCH = IDENTITY__VERDICT_MISMATCH,
  REJECTED = IDENTITY__VERDICT_REJECTED,
  REFUSED = IDENTITY__VERDICT_REFUSED,
  BACKOFF = IDENTITY__VERDICT_BACKOFF
};

#define JSON .json = true
#define LISTED JSON, .listed = true
#define DEFINITE LISTED, .definite = true
#define PAIR JSON, .usable_pair = true
#define OURS PAIR, .same_customer = true
#define WHOLE(status) .progress = 2, .whole = true, .http_status = (status)

static const struct {
  const char *name;
  identity__refresh_facts facts;
  int32_t verdict;
} rows[] = {
    {"never left", {.progress = 0}, UNSENT},
    {"captive portal", {WHOLE(511)}, UNSENT},
    {"captive portal with JSON", {WHOLE(511), LISTED}, UNSENT},
    {"left, no answer", {.progress = 1}, AMBIGUOUS},
    {"left, answer cut off", {.progress = 2, .http_status = 200}, AMBIGUOUS},
    {"refusal cut off", {.progress = 2, .http_status = 401}, AMBIGUOUS},
    {"408", {WHOLE(408)}, AMBIGUOUS},
    {"408 with a list", {WHOLE(408), LISTED}, AMBIGUOUS},
    {"500", {WHOLE(500)}, AMBIGUOUS},
    {"500 with a list", {WHOLE(500), LISTED}, AMBIGUOUS},
    {"502", {WHOLE(502)}, AMBIGUOUS},
    {"504", {WHOLE(504)}, AMBIGUOUS},
    {"530", {WHOLE(530)}, AMBIGUOUS},
    {"302", {WHOLE(302)}, AMBIGUOUS},
    {"308 with JSON", {WHOLE(308), JSON}, AMBIGUOUS},
    {"200 HTML", {WHOLE(200)}, AMBIGUOUS},
    {"200 {}", {WHOLE(200), JSON}, AMBIGUOUS},
    {"200 with an unknown complaint", {WHOLE(200), LISTED}, AMBIGUOUS},
    {"204", {WHOLE(204)}, AMBIGUOUS},
    {"425", {WHOLE(425)}, THROTTLED},
    {"429", {WHOLE(429)}, THROTTLED},
    {"429 with a list", {WHOLE(429), LISTED}, THROTTLED},
    {"503", {WHOLE(503)}, THROTTLED},
    {"503 with a list", {WHOLE(503), LISTED}, THROTTLED},
    {"200 with a pair", {WHOLE(200), OURS}, COMMITTED},
    {"201 with a pair", {WHOLE(201), OURS}, COMMITTED},
    {"200 with a pair and warnings", {WHOLE(200), OURS, .listed = true}, COMMITTED},
    {"a pair beside a definite text", {WHOLE(200), OURS, .listed = true, .definite = true}, COMMITTED},
    {"200 with somebody else's pair", {WHOLE(200), PAIR}, MISMATCH},
    {"a pair with a 401 is none", {WHOLE(401), OURS}, BACKOFF},
    {"definite with 401", {WHOLE(401), DEFINITE}, REJECTED},
    {"definite with 400", {WHOLE(400), DEFINITE}, REJECTED},
    {"definite with 200", {WHOLE(200), DEFINITE}, REJECTED},
    {"definite with 500", {WHOLE(500), DEFINITE}, REJECTED},
    {"definite with 429", {WHOLE(429), DEFINITE}, REJECTED},
    {"definite as message alone", {WHOLE(401), JSON, .definite = true}, REJECTED},
    {"definite, but cut off", {.progress = 2, .http_status = 401, DEFINITE}, AMBIGUOUS},
    {"definite text, but no JSON", {WHOLE(401), .definite = true}, BACKOFF},
    {"400 with a list", {WHOLE(400), LISTED}, REFUSED},
    {"401 with a list", {WHOLE(401), LISTED}, REFUSED},
    {"403 with a list", {WHOLE(403), LISTED}, REFUSED},
    {"404 with a list", {WHOLE(404), LISTED}, REFUSED},
    {"422 with a list", {WHOLE(422), LISTED}, REFUSED},
    {"401 HTML", {WHOLE(401)}, BACKOFF},
    {"403 HTML", {WHOLE(403)}, BACKOFF},
    {"403 message alone", {WHOLE(403), JSON}, BACKOFF},
    {"404 empty", {WHOLE(404)}, BACKOFF},
    {"418 {}", {WHOLE(418), JSON}, BACKOFF},
};

static void each_answer_has_its_verdict(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(rows); i++)
    CHECK_INT(rows[i].name, identity__refresh_verdict(&rows[i].facts), rows[i].verdict);
}

static bool flag(int bits, int bit) {
  return (bits >> bit & 1) != 0;
}

/* Over everything that can be: a session ends only by a whole JSON answer with a definite text and no pair,
 * and a pair is committed only from a 2xx for the same customer. */
static void no_other_answer_ends_a_session_or_commits_a_pair(void **state) {
  (void)state;
  for (int http = 100; http < 600; http++)
    for (int bits = 0; bits < 1 << 8; bits++) {
      const identity__refresh_facts facts = {.progress = bits & 3,
                                             .whole = flag(bits, 2),
                                             .http_status = http,
                                             .json = flag(bits, 3),
                                             .listed = flag(bits, 4),
                                             .definite = flag(bits, 5),
                                             .usable_pair = flag(bits, 6),
                                             .same_customer = flag(bits, 7)};
      int32_t verdict = identity__refresh_verdict(&facts);
      bool may_reject = facts.whole && facts.json && facts.definite;
      bool may_commit =
          facts.whole && facts.json && facts.usable_pair && facts.same_customer && http >= 200 && http < 300;
      if ((verdict == REJECTED && !may_reject) || (verdict == COMMITTED && !may_commit))
        fail_msg("HTTP %d, facts %x: verdict %d", http, (unsigned)bits, verdict);
    }
}

static void the_definite_set_is_one_text(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool definite;
  } texts[] = {
      {"Refresh token is expired or does not exist", true},
      {"refresh TOKEN is EXPIRED or does not exist.", true},
      {"Something, Refresh token is expired or does not exist", true},
      {"Refresh token is expired", false},
      {"Missing or invalid parameter", false},
      {"Invalid JWT token", false},
      {"Customer does not exist", false},
      {"", false},
  };
  for (size_t i = 0; i < COUNT(texts); i++)
    CHECK_INT(texts[i].text, identity__refresh_text_is_definite(texts[i].text), texts[i].definite);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(each_answer_has_its_verdict),
    cmocka_unit_test(no_other_answer_ends_a_session_or_commits_a_pair),
    cmocka_unit_test(the_definite_set_is_one_text),
};

SUITE("verdict", tests)
