/* The question beside a next_step whose answer nobody needs any more, as there are consents to ask: it costs
 * no other call its place, is not sent anew, and ends soon. */
#include "support/rotation.h"
#include "support/scripted.h"

#define CONSENTS "/customers/*/consents"
#define FORM "/customers/*/capture/status"
#define TO_ASK                                                                                               \
  "{\"responseData\":{\"consents\":[{\"name\":\"terms\",\"state\":\"declined\",\"version\":\"1\","           \
  "\"newestVersion\":\"2\",\"needsUpdate\":true,\"required\":true,\"label\":\"I accept\","                   \
  "\"value\":\"https://example.com/t\"}]},\"errors\":[]}"
#define NO_FORM "{\"responseData\":{\"isCaptureEnabled\":false},\"errors\":[]}"

enum { PLACES = 8 };

static note waiting[PLACES];
static bool form_leaves; /* the request for the form is sent, and stays without an answer */
static taken *consents;  /* not answered yet */

static bool ends_with(const char *text, const char *end) {
  size_t length = strlen(text);
  return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

static identity_status script(taken *one) {
  if (ends_with(one->url, "/locales"))
    return recorder_answer_at_once(one);
  if (ends_with(one->url, "/consents"))
    consents = one;
  else if (form_leaves)
    identity_link_sent(one->link, one->number);
  return IDENTITY_OK;
}

static int begin_signed_in(void **state) {
  (void)begin(state);
  twins_register(&server);
  transport.act = recorder_forward;
  twins_log_in(&shared, session);
  transport.act = script;
  form_leaves = true;
  memset(waiting, 0, sizeof waiting);
  return 0;
}

static int forms(void) {
  return recorder_count(&transport, "GET", FORM);
}

static taken *last_form(void) {
  taken *found = NULL;
  for (int i = 0; i < transport.count; i++)
    if (ends_with(transport.items[i]->url, "/capture/status"))
      found = transport.items[i];
  assert_non_null(found);
  return found;
}

static bool is_cancelled(const taken *one) {
  return atomic_load(&one->cancelled) > 0;
}

/* Until both questions are out, or the one that there is a place for. */
static void begin_next_step(note *ended) {
  consents = NULL;
  twin_start(TWIN_NEXT_STEP, session, ended);
  aloop_settle(&shared);
  assert_non_null(consents);
}

/* Nothing has to be waited for. */
static void ends_now(note *ended) {
  aloop_settle(&shared);
  note_is(ended, IDENTITY_OK);
  note_clear(ended);
}

/* There are consents to ask: the form is not needed. */
static void next_step_ends(note *ended) {
  recorder_answer(consents, 200, TO_ASK);
  ends_now(ended);
}

static taken *abandon_form(void) {
  note ended = {0};
  begin_next_step(&ended);
  taken *form = last_form();
  next_step_ends(&ended);
  return form;
}

static void requests_that_nobody_waits_for_hold_up_no_other_call(void **state) {
  (void)state;
  note other = {0};
  for (int i = 0; i < 4 * PLACES; i++)
    (void)abandon_form();
  assert_int_equal(forms(), 4 * PLACES);
  twin_start(TWIN_LOCALE, session, &other);
  ends_now(&other);
}

static void one_that_is_out_goes_for_who_waits_for_a_place(void **state) {
  (void)state;
  note other = {0};
  taken *form = abandon_form();
  assert_false(is_cancelled(form));
  transport.act = recorder_stay_silent;
  for (int i = 0; i < PLACES - 1; i++)
    twin_start(TWIN_LOCALE, session, &waiting[i]);
  aloop_settle(&shared);
  assert_false(is_cancelled(form));
  transport.act = script;
  twin_start(TWIN_LOCALE, session, &other);
  ends_now(&other);
  assert_true(is_cancelled(form));
  identity_session_interrupt(session);
  aloop_until(&shared, waiting, PLACES - 1);
  notes_clear(waiting, PLACES - 1);
}

/* With its place the next one leaves. */
static void one_that_ends_while_others_wait_for_a_place_goes_at_once(void **state) {
  (void)state;
  note step = {0};
  begin_next_step(&step);
  taken *form = last_form();
  transport.act = recorder_stay_silent;
  for (int i = 0; i < PLACES; i++)
    twin_start(TWIN_LOCALE, session, &waiting[i]);
  aloop_settle(&shared);
  assert_int_equal(recorder_count(&transport, "GET", "/locales"), PLACES - 2);
  next_step_ends(&step);
  assert_true(is_cancelled(form));
  assert_int_equal(recorder_count(&transport, "GET", "/locales"), PLACES);
  identity_session_interrupt(session);
  aloop_until(&shared, waiting, PLACES);
  notes_clear(waiting, PLACES);
}

static void one_that_has_not_left_is_not_sent_any_more(void **state) {
  (void)state;
  form_leaves = false;
  taken *form = abandon_form();
  assert_true(is_cancelled(form));
  assert_int_equal(identity_link_may_send(form->link, form->number), 0);
}

static identity_status take_one_at_a_time(taken *one) {
  identity_link_set_capacity(one->link, 1);
  return script(one);
}

static void one_that_waits_for_a_place_does_not_get_it(void **state) {
  (void)state;
  note step = {0};
  transport.act = take_one_at_a_time;
  begin_next_step(&step);
  assert_int_equal(forms(), 0);
  next_step_ends(&step);
  assert_int_equal(forms(), 0);
  assert_int_equal(identity_loop_pending(shared.loop), 0);
}

static void whatever_it_is_answered_nothing_more_is_sent_for_it(void **state) {
  static const struct {
    int status;
    const char *body;
  } rows[] = {{200, NO_FORM},
              {500, "{}"},
              {503, ""},
              {401, "{\"code\":\"AUTH0003\",\"message\":\"no\"}"},
              {200, "<"}};
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    taken *form = abandon_form();
    int before = transport.count;
    recorder_answer(form, rows[i].status, rows[i].body);
    aloop_settle(&shared);
    host_clock_sleep(&device, 5000); /* a repetition would be due by then */
    aloop_settle(&shared);
    assert_int_equal(transport.count, before);
    assert_false(is_cancelled(form));
  }
  assert_int_equal(recorder_count(&transport, "POST", ROTATION_PATH), 0);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
}

static void it_has_a_second_for_its_answer(void **state) {
  (void)state;
  taken *form = abandon_form();
  assert_false(is_cancelled(form));
  host_clock_sleep(&device, 1000);
  aloop_settle(&shared);
  assert_true(is_cancelled(form));
  assert_int_equal(forms(), 1);
}

static void it_gets_no_more_time_than_its_call_had(void **state) {
  (void)state;
  note step = {0};
  begin_next_step(&step);
  taken *form = last_form();
  assert_int_equal(identity_call_set_timeout_ms(step.call, 600), IDENTITY_OK);
  next_step_ends(&step);
  host_clock_sleep(&device, 600);
  aloop_settle(&shared);
  assert_true(is_cancelled(form));
}

/* It may have pending consents with it, which the service takes: they must not be sent again. */
static void what_it_delivers_first_counts(void **state) {
  (void)state;
  note step = {0};
  transport.act = recorder_forward;
  service_fault(&server, "{\"method\":\"PUT\",\"path\":\"" CONSENTS "\",\"status\":429,\"body\":\"\"}");
  identity_register_params params = probe_register_params("mo@example.com");
  note_begin(&step, NULL);
  assert_int_equal(identity_register_start(session, &params, note_done, &step, &step.call), IDENTITY_OK);
  note_begun(&step);
  ends_once(&step, IDENTITY_OK);
  note_clear(&step);
  assert_int_equal(service_pending_of(session), 1);
  host_clock_sleep(&device, 5000);

  transport.act = script;
  begin_next_step(&step); /* with the consents: they fail */
  assert_string_equal(consents->method, "PUT");
  taken *form = last_form();
  recorder_answer(consents, 503, "");
  recorder_answer(form, 503, ""); /* is repeated, and takes them along */
  aloop_settle(&shared);
  taken *asked = consents;
  assert_string_equal(asked->method, "GET");
  host_clock_sleep(&device, 5000);
  aloop_settle(&shared);
  taken *delivery = recorder_last(&transport);
  assert_string_equal(delivery->method, "PUT");
  identity_link_sent(delivery->link, delivery->number);
  recorder_answer(asked, 200, TO_ASK);
  ends_now(&step);
  int before = transport.count;
  recorder_answer(delivery, 200, "{\"responseData\":{\"success\":true},\"errors\":[]}");
  aloop_settle(&shared);
  assert_int_equal(service_pending_of(session), 0);
  assert_int_equal(transport.count, before);
}

#define SIGNED_IN(name) cmocka_unit_test_setup_teardown(name, begin_signed_in, end)

static const struct CMUnitTest tests[] = {
    SIGNED_IN(requests_that_nobody_waits_for_hold_up_no_other_call),
    SIGNED_IN(one_that_is_out_goes_for_who_waits_for_a_place),
    SIGNED_IN(one_that_ends_while_others_wait_for_a_place_goes_at_once),
    SIGNED_IN(one_that_has_not_left_is_not_sent_any_more),
    SIGNED_IN(one_that_waits_for_a_place_does_not_get_it),
    SIGNED_IN(whatever_it_is_answered_nothing_more_is_sent_for_it),
    SIGNED_IN(it_has_a_second_for_its_answer),
    SIGNED_IN(it_gets_no_more_time_than_its_call_had),
    SIGNED_IN(what_it_delivers_first_counts),
};

SUITE_WITH("async_abandoned", tests, start, stop)
