/* What a session tells of its store: changes of another handle, a store that cannot be read or written and
 * that is back, and of a device whose clock is wrong. */
#include "support/news.h"
#include "support/slot.h"
#include "support/stage.h"

#include <identity/platform.h>

#include <inttypes.h>
#include <time.h>

#define MAIL "jo@example.com"
#define OTHER_MAIL "other@example.com"

static int store_number;
static char store[32]; /* a fresh one for each test */

static int begin(void **state) {
  (void)snprintf(store, sizeof store, "store-%d", store_number++);
  return reset(state);
}

/* Two handles of one slot; the first has registered, the second knows it, and all of that is read. */
typedef struct pair {
  news ours;
  identity_session *theirs;
} pair;

static pair open_pair(void) {
  pair both = {.theirs = service_open_stored(&server, "viewer", store)};
  service_register(both.theirs, MAIL);
  both.ours.session = service_open_stored(&server, "viewer", store);
  news_are(&both.ours, ""); /* what was there at open is no news */
  return both;
}

static void close_pair(pair *both) {
  identity_session_close(both->theirs);
  identity_session_close(both->ours.session);
}

/* ---- another handle ---- */

static void a_rotation_of_another_handle_is_an_external_change(void **state) {
  (void)state;
  pair both = open_pair();
  assert_int_equal(identity_session_refresh(both.theirs, NULL), IDENTITY_OK);
  news_are(&both.ours, ""); /* not known yet */
  assert_int_equal(identity_session_refresh(both.ours.session, NULL), IDENTITY_OK);
  news_are(&both.ours, "state active>refreshing, external_change, state refreshing>active");
  probe_sent(&server, "POST", "/auths/refresh_token", 1);
  close_pair(&both);
}

static void a_sign_out_of_another_handle_names_it(void **state) {
  (void)state;
  pair both = open_pair();
  assert_int_equal(identity_logout(both.theirs, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(both.ours.session, NULL), IDENTITY_SIGNED_OUT);
  news_are(&both.ours, "state active>refreshing, external_change, signed_out other_process, "
                       "state refreshing>signed_out other_process");
  close_pair(&both);
}

static void a_sign_in_of_another_handle_names_it(void **state) {
  (void)state;
  pair both = open_pair();
  service_register(both.theirs, OTHER_MAIL);
  (void)identity_session_refresh(both.ours.session, NULL);
  news_are(&both.ours,
           "state active>refreshing, external_change, signed_in other_process, state refreshing>active");
  close_pair(&both);
}

static void a_login_over_the_sign_in_of_another_handle_tells_both(void **state) {
  (void)state;
  news paper = {.session = service_open_stored(&server, "viewer", store)};
  identity_session *theirs = service_open_stored(&server, "viewer", store);
  service_register(theirs, MAIL);
  assert_int_equal(service_login(paper.session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  news_are(&paper, "external_change, signed_in other_process, state signed_out>active, signed_in login");
  identity_session_close(theirs);
  identity_session_close(paper.session);
}

static void consents_that_another_handle_could_not_deliver_are_told(void **state) {
  (void)state;
  news paper = {.session = service_open_stored(&server, "viewer", store)};
  identity_session *theirs = service_open_stored(&server, "viewer", store);
  service_fault(&server,
                "{\"method\":\"PUT\",\"path\":\"/customers/*/consents\",\"status\":500,\"times\":2}");
  service_register(theirs, MAIL);
  (void)service_login(paper.session, MAIL, "Wrong-passw0rd", NULL); /* it looks at the store first */
  news_are(&paper, "external_change, signed_in other_process, consents_pending, state signed_out>active");
  identity_session_close(theirs);
  identity_session_close(paper.session);
}

/* ---- a store that cannot be read ---- */

static void a_store_that_was_locked_at_open_and_is_back_is_no_sign_in(void **state) {
  (void)state;
  identity_session *session = service_open_stored(&server, "viewer", store);
  service_register(session, MAIL);
  identity_session_close(session);
  char *path = slot_path(&server, store);
  int lock = slot_lock(path);
  news paper = {.session = service_open_stored(&server, "viewer", store)};
  assert_int_equal(service_state_of(paper.session), IDENTITY_STATE_STORE_BLOCKED);
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_STORE_LOCKED);
  news_are(&paper, "");
  slot_unlock(lock);
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "store_recovered, state store_blocked>active");
  identity_session_close(paper.session);
  free(path);
}

/* A store of the host: what it says, one after the other, then the last for ever. */
typedef struct host {
  const int32_t *loads, *swaps;
  int load, swap;
} host;

static int32_t next_said(const int32_t *said, int *at) {
  return said[*at + 1] < 0 ? said[*at] : said[(*at)++];
}

static int32_t host_load(void *user_data, const char *key, void *buffer, uint64_t capacity, uint64_t *length,
                         uint64_t *revision) {
  host *self = user_data;
  (void)key, (void)buffer, (void)capacity, (void)length, (void)revision;
  return next_said(self->loads, &self->load);
}

static int32_t host_swap(void *user_data, const char *key, uint64_t revision_is, const void *bytes,
                         uint64_t length, uint64_t *revision) {
  host *self = user_data;
  (void)key, (void)bytes, (void)length;
  *revision = revision_is + 1;
  return next_said(self->swaps, &self->swap);
}

static identity_session *open_host(host *self) {
  identity_store functions;
  identity_config *config = service_config(&server);
  identity_store_init(&functions, sizeof functions);
  functions.user_data = self;
  functions.load = host_load;
  functions.swap = host_swap;
  assert_int_equal(identity_config_set_store(config, &functions), IDENTITY_OK);
  return service_open_with(config, "viewer");
}

static void a_store_that_closes_before_anybody_signed_in_is_blocked(void **state) {
  (void)state;
  static const int32_t loads[] = {IDENTITY_STORE_ABSENT, IDENTITY_STORE_IO, IDENTITY_STORE_IO,
                                  IDENTITY_STORE_ABSENT, -1};
  static const int32_t swaps[] = {IDENTITY_STORE_CONFLICT, IDENTITY_STORE_OK, -1};
  host self = {.loads = loads, .swaps = swaps};
  identity_session *owner = service_open(&server, "owner");
  service_register(owner, MAIL);
  news paper = {.session = open_host(&self)};
  assert_int_not_equal(service_login(paper.session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  news_are(&paper, "store_blocked STORE_LOCKED, state signed_out>store_blocked");
  assert_int_not_equal(service_login(paper.session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  news_are(&paper, "");
  assert_int_equal(service_login(paper.session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  news_are(&paper, "store_recovered, state store_blocked>signed_out never_signed_in, signed_in login, "
                   "state signed_out>active");
  identity_session_close(paper.session);
  identity_session_close(owner);
}

/* ---- a store that cannot be written ---- */

static void a_pair_that_could_not_be_stored_is_told_and_so_is_its_rescue(void **state) {
  (void)state;
  static const int32_t loads[] = {IDENTITY_STORE_ABSENT, -1};
  /* The probe and the sign-in; then a rotation: its lease, the pair; what the next call tries; and back. */
  static const int32_t swaps[] = {IDENTITY_STORE_OK,
                                  IDENTITY_STORE_OK,
                                  IDENTITY_STORE_OK,
                                  IDENTITY_STORE_IO,
                                  IDENTITY_STORE_IO,
                                  IDENTITY_STORE_OK,
                                  -1};
  host self = {.loads = loads, .swaps = swaps};
  identity_session *owner = service_open(&server, "owner");
  service_register(owner, MAIL);
  news paper = {.session = open_host(&self)};
  assert_int_equal(service_login(paper.session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  news_are(&paper, "signed_in login, state signed_out>active");
  assert_int_equal(identity_session_refresh(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "state active>refreshing, token_refreshed, store_failed, state refreshing>active");
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "");
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "store_recovered");
  identity_session_close(paper.session);
  identity_session_close(owner);
}

static void a_disk_that_fails_is_told_and_so_is_its_return(void **state) {
  (void)state;
  char directory[128];
  identity_session *owner = service_open_stored(&server, "viewer", store);
  service_register(owner, MAIL);
  identity_session_close(owner);
  char *path = slot_path(&server, store);
  identity_config *config = service_config(&server);
  (void)snprintf(directory, sizeof directory, "%s/%s", server.directory, store);
  assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_volatile_tokens(config, 1), IDENTITY_OK);
  news paper = {.session = service_open_with(config, "viewer")};
  slot_block(path);
  assert_int_equal(service_login(paper.session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  news_are(&paper, "signed_in login, store_failed");
  slot_unblock(path);
  assert_int_equal(service_fetch(paper.session, NULL), IDENTITY_OK);
  news_are(&paper, "store_recovered");
  identity_session_close(paper.session);
  free(path);
}

/* ---- the clock ---- */

static int64_t wall_offset_ms;

static void off_clock(void *user_data, int64_t *boot_ms, int64_t *wall_ms) {
  struct timespec boot;
  struct timespec wall;
  (void)user_data;
  clock_gettime(CLOCK_BOOTTIME, &boot);
  clock_gettime(CLOCK_REALTIME, &wall);
  *boot_ms = (int64_t)boot.tv_sec * 1000 + boot.tv_nsec / 1000000;
  *wall_ms = (int64_t)wall.tv_sec * 1000 + wall.tv_nsec / 1000000 + wall_offset_ms;
}

static void fetch_locale(identity_session *session) {
  const identity_locale *locale = NULL;
  assert_int_equal(identity_fetch_locale(session, NULL, &locale, NULL), IDENTITY_OK);
  identity_locale_free(locale);
}

static void assert_offset(const news *paper, int64_t wanted_ms) {
  enum { SLACK_MS = 20000 };
  assert_int_equal(paper->amount_count, 1);
  if (llabs(paper->amounts[0] - wanted_ms) > SLACK_MS)
    fail_msg("the clock is said to be %" PRId64 " ms behind, not %" PRId64, paper->amounts[0], wanted_ms);
}

static void a_clock_that_is_far_off_is_told_once_for_each_amount(void **state) {
  (void)state;
  enum { HOUR_MS = 3600 * 1000 };
  identity_clock clock;
  identity_config *config = service_config(&server);
  identity_clock_init(&clock, sizeof clock);
  clock.now = off_clock;
  assert_int_equal(identity_config_set_clock(config, &clock), IDENTITY_OK);
  wall_offset_ms = -60 * 1000; /* a minute is nothing */
  news paper = {.session = service_open_with(config, "viewer")};
  fetch_locale(paper.session);
  news_are(&paper, "");
  wall_offset_ms = -HOUR_MS;
  paper.at_ms = 0; /* this clock is set back */
  fetch_locale(paper.session);
  news_are(&paper, "clock_suspect");
  assert_offset(&paper, HOUR_MS);
  fetch_locale(paper.session);
  news_are(&paper, "");
  wall_offset_ms = 2 * HOUR_MS;
  fetch_locale(paper.session);
  news_are(&paper, "clock_suspect");
  assert_offset(&paper, -2 * HOUR_MS);
  wall_offset_ms = 0; /* right again, then wrong again */
  fetch_locale(paper.session);
  news_are(&paper, "");
  wall_offset_ms = 2 * HOUR_MS;
  fetch_locale(paper.session);
  news_are(&paper, "clock_suspect");
  identity_session_close(paper.session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_rotation_of_another_handle_is_an_external_change, begin),
    cmocka_unit_test_setup(a_sign_out_of_another_handle_names_it, begin),
    cmocka_unit_test_setup(a_sign_in_of_another_handle_names_it, begin),
    cmocka_unit_test_setup(a_login_over_the_sign_in_of_another_handle_tells_both, begin),
    cmocka_unit_test_setup(consents_that_another_handle_could_not_deliver_are_told, begin),
    cmocka_unit_test_setup(a_store_that_was_locked_at_open_and_is_back_is_no_sign_in, begin),
    cmocka_unit_test_setup(a_store_that_closes_before_anybody_signed_in_is_blocked, begin),
    cmocka_unit_test_setup(a_pair_that_could_not_be_stored_is_told_and_so_is_its_rescue, begin),
    cmocka_unit_test_setup(a_disk_that_fails_is_told_and_so_is_its_return, begin),
    cmocka_unit_test_setup(a_clock_that_is_far_off_is_told_once_for_each_amount, begin),
};

SUITE_WITH("session events of the store", tests, start, stop)
