/* The capture form and its answers. */
#include "support/stage.h"

enum { FIELDS = 11 };

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  return session;
}

static const identity_capture_status *fetch_form(identity_session *session) {
  identity_error error;
  const identity_capture_status *form = NULL;
  if (identity_fetch_capture_status(session, &form, &error) != IDENTITY_OK)
    fail_msg("capture status: %s", error.message);
  return form;
}

static const identity_capture_setting *setting(const identity_capture_status *form, const char *key) {
  for (uint32_t i = 0; i < form->setting_count; i++)
    if (strcmp(form->settings[i]->key, key) == 0)
      return form->settings[i];
  fail_msg("no setting %s", key);
  return NULL;
}

static const char *value_of(const identity_capture_status *form, const char *key) {
  for (uint32_t i = 0; i < form->setting_count; i++)
    for (uint32_t j = 0; j < form->settings[i]->answer_count; j++)
      if (strcmp(form->settings[i]->answers[j]->key, key) == 0)
        return form->settings[i]->answers[j]->value;
  fail_msg("no answer %s", key);
  return NULL;
}

static void assert_nothing_saved(void) {
  probe_sent(&server, "PUT", "/customers/*/capture", 0);
}

/* ---- reading ---- */

static void each_field_has_its_kind_and_the_keys_to_write(void **state) {
  static const struct {
    const char *key;
    int32_t kind, enabled, required;
    uint32_t options, answers;
  } rows[FIELDS] = {
      {"email", IDENTITY_CAPTURE_TEXT, 1, 1, 0, 1},
      {"firstNameLastName", IDENTITY_CAPTURE_NAME, 1, 1, 0, 2},
      {"birthDate", IDENTITY_CAPTURE_DATE, 1, 1, 0, 1},
      {"companyName", IDENTITY_CAPTURE_TEXT, 1, 0, 0, 1},
      {"phoneNumber", IDENTITY_CAPTURE_TEXT, 1, 0, 0, 1},
      {"address", IDENTITY_CAPTURE_ADDRESS, 1, 0, 0, 6},
      {"custom_1", IDENTITY_CAPTURE_CHOICE, 1, 1, 3, 1},
      {"custom_2", IDENTITY_CAPTURE_CHOICE, 1, 0, 2, 1},
      {"custom_3", IDENTITY_CAPTURE_CHECKBOX, 1, 0, 1, 1},
      {"custom_4", IDENTITY_CAPTURE_TEXT, 1, 0, 0, 1},
      {"custom_5", IDENTITY_CAPTURE_CHOICE, 0, 1, 2, 1},
  };
  (void)state;
  identity_session *session = signed_in();
  const identity_capture_status *form = fetch_form(session);
  assert_int_equal(form->enabled, 1);
  assert_int_equal(form->should_be_displayed, 1);
  assert_int_equal(form->setting_count, FIELDS);
  for (size_t i = 0; i < FIELDS; i++) {
    const identity_capture_setting *field = form->settings[i];
    assert_string_equal(field->key, rows[i].key);
    assert_int_equal(field->kind, rows[i].kind);
    assert_int_equal(field->enabled, rows[i].enabled);
    assert_int_equal(field->required, rows[i].required);
    assert_int_equal(field->option_count, rows[i].options);
    assert_int_equal(field->answer_count, rows[i].answers);
    assert_true((field->question != NULL) == (strncmp(field->key, "custom_", 7) == 0));
  }
  identity_capture_status_free(form);
  identity_session_close(session);
}

static void options_are_split_and_trimmed(void **state) {
  (void)state;
  identity_session *session = signed_in();
  const identity_capture_status *form = fetch_form(session);
  const identity_capture_setting *choice = setting(form, "custom_1");
  assert_string_equal(choice->question, "What do you like most?");
  assert_string_equal(choice->options[0], "Sports");
  assert_string_equal(choice->options[1], "Films");
  assert_string_equal(choice->options[2], "Series");
  identity_capture_status_free(form);
  probe_answer(
      &server, "GET", "/customers/*/capture/status", 200,
      "{\"responseData\":{\"isCaptureEnabled\":true,\"settings\":[{\"key\":\"custom_9\",\"enabled\":true,"
      "\"required\":false,\"question\":\"?\",\"value\":\" ; one ;;\\ttwo: 2\\t; \",\"answer\":7}]}}",
      NULL);
  form = fetch_form(session);
  assert_int_equal(form->should_be_displayed, 0);
  assert_int_equal(form->settings[0]->option_count, 2);
  assert_string_equal(form->settings[0]->options[0], "one");
  assert_string_equal(form->settings[0]->options[1], "two: 2");
  assert_string_equal(form->settings[0]->answers[0]->value, "7");
  identity_capture_status_free(form);
  identity_session_close(session);
}

static void answers_prefill_the_form_nested_as_they_are_read(void **state) {
  (void)state;
  identity_session *session = service_open(&server, "viewer");
  identity_register_params params = probe_register_params("jo@example.com");
  params.first_name = "Jo";
  assert_int_equal(identity_register(session, &params, NULL), IDENTITY_OK);
  const identity_capture_status *form = fetch_form(session);
  assert_string_equal(value_of(form, "email"), "jo@example.com");
  assert_string_equal(value_of(form, "firstName"), "Jo");
  assert_null(value_of(form, "lastName"));
  assert_null(value_of(form, "postCode"));
  assert_null(value_of(form, "custom_1"));
  identity_capture_status_free(form);
  identity_session_close(session);
}

static void null_instead_of_a_nested_answer_is_no_answer(void **state) {
  (void)state;
  identity_session *session = signed_in();
  probe_answer(
      &server, "GET", "/customers/*/capture/status", 200,
      "{\"responseData\":{\"isCaptureEnabled\":false,\"shouldCaptureBeDisplayed\":true,\"settings\":["
      "{\"key\":\"firstNameLastName\",\"enabled\":true,\"required\":true,\"answer\":null},"
      "{\"key\":\"address\",\"enabled\":false,\"answer\":{\"city\":\"Gent\"}}]},\"errors\":[]}",
      NULL);
  const identity_capture_status *form = fetch_form(session);
  assert_int_equal(form->enabled, 0);
  assert_null(value_of(form, "firstName"));
  assert_string_equal(value_of(form, "city"), "Gent");
  assert_null(value_of(form, "state"));
  assert_int_equal(form->settings[1]->required, 0);
  identity_capture_status_free(form);
  identity_session_close(session);
}

/* ---- writing ---- */

static void answers_are_saved_and_read_back(void **state) {
  static const identity_capture_answer answers[] = {
      {"firstName", "J\xC3\xB6"},
      {"lastName", "O'Neill"},
      {"birthDate", "2000-02-29"},
      {"companyName", "A & B"},
      {"phoneNumber", "+32 9 1"},
      {"address", "Korenmarkt 1"},
      {"address2", "b"},
      {"city", "Gent"},
      {"state", "OV"},
      {"postCode", "9000"},
      {"country", "BE"},
      {"custom_1", "Films"},
      {"custom_2", "No"},
      {"custom_3", "I am a member"},
      {"custom_4", "\"free\" text"},
  };
  (void)state;
  identity_error error;
  identity_session *session = signed_in();
  (void)identity_update_capture_answers(session, answers, ROWS(answers), &error);
  probe_status("update", &error, IDENTITY_OK, NULL);
  const identity_capture_status *form = fetch_form(session);
  for (size_t i = 0; i < ROWS(answers); i++)
    assert_string_equal(value_of(form, answers[i].key), answers[i].value);
  assert_int_equal(form->should_be_displayed, 0);
  identity_capture_status_free(form);
  probe_customer_is(&server, "jo@example.com", "capture/address/postCode", "9000");
  probe_sent(&server, "PUT", "/customers/*/capture", 1);
  identity_session_close(session);
}

static void only_what_changes_is_sent(void **state) {
  static const identity_capture_answer first[] = {{"firstName", "Jo"}, {"city", "Gent"}, {"custom_2", "Yes"}};
  static const identity_capture_answer second[] = {{"firstName", "Jo"},
                                                   {"lastName", NULL},
                                                   {"city", "Gent"},
                                                   {"birthDate", "1990-01-31"},
                                                   {"custom_2", "Yes"}};
  static const char sent[] = "{\"birthDate\":\"1990-01-31\"}";
  static const identity_capture_answer custom[] = {{"custom_2", "No"}};
  static const char sent_custom[] = "{\"customAnswers\":[{\"questionId\":\"custom_2\",\"question\":"
                                    "\"Do you watch alone?\",\"value\":\"No\"}]}";
  (void)state;
  identity_session *session = signed_in();
  assert_int_equal(identity_update_capture_answers(session, first, ROWS(first), NULL), IDENTITY_OK);
  assert_int_equal(identity_update_capture_answers(session, second, ROWS(second), NULL), IDENTITY_OK);
  assert_int_equal(probe_body_bytes(&server, "PUT", "/customers/*/capture"), sizeof sent - 1);
  assert_int_equal(identity_update_capture_answers(session, custom, 1, NULL), IDENTITY_OK);
  assert_int_equal(probe_body_bytes(&server, "PUT", "/customers/*/capture"), sizeof sent_custom - 1);
  probe_sent(&server, "PUT", "/customers/*/capture", 3);
  assert_int_equal(identity_update_capture_answers(session, second, 3, NULL), IDENTITY_OK);
  probe_sent(&server, "PUT", "/customers/*/capture", 3); /* nothing changes: nothing is sent */
  probe_customer_is(&server, "jo@example.com", "capture/address/city", "Gent");
  identity_session_close(session);
}

static void an_empty_text_takes_an_optional_answer_back(void **state) {
  static const identity_capture_answer set[] = {{"companyName", "Acme"}, {"custom_3", "I am a member"}};
  static const identity_capture_answer unset[] = {{"companyName", ""}, {"custom_3", ""}};
  (void)state;
  identity_session *session = signed_in();
  assert_int_equal(identity_update_capture_answers(session, set, 2, NULL), IDENTITY_OK);
  assert_int_equal(identity_update_capture_answers(session, unset, 2, NULL), IDENTITY_OK);
  const identity_capture_status *form = fetch_form(session);
  assert_null(value_of(form, "companyName"));
  assert_null(value_of(form, "custom_3"));
  identity_capture_status_free(form);
  identity_session_close(session);
}

static void a_wrong_answer_is_named_by_its_key_and_nothing_is_sent(void **state) {
  static const char *const rows[][2] = {
      {"birthDate", "31-01-1990"},
      {"birthDate", "1990-1-31"},
      {"birthDate", "1990-02-30"},
      {"birthDate", "1900-02-29"},
      {"birthDate", ""},
      {"birthDate", "1990-01-31 "},
      {"firstName", ""},
      {"lastName", ""},
      {"country", "UK"},
      {"country", "uk"},
      {"country", "BEL"},
      {"country", "1A"},
      {"custom_1", "films"},
      {"custom_1", ""},
      {"custom_1", "Sports;Films"},
      {"custom_2", "Maybe"},
      {"custom_3", "yes"},
      {"custom_5", "This one"},
      {"custom_6", "x"},
      {"email", "mo@example.com"},
      {"firstNameLastName", "Jo"},
      {"FirstName", "Jo"},
      {"password", "x"},
      {"city", "\xFF"},
      {"lastName", "123456789012345678901234567890123456789012345678901"},
  };
  (void)state;
  identity_session *session = signed_in();
  for (size_t i = 0; i < ROWS(rows); i++) {
    identity_error error;
    const identity_capture_answer answers[] = {{"companyName", "Acme"}, {rows[i][0], rows[i][1]}};
    (void)identity_update_capture_answers(session, answers, 2, &error);
    probe_status(rows[i][1], &error, IDENTITY_INVALID_INPUT, rows[i][0]);
  }
  const identity_capture_answer twice[] = {{"city", "Gent"}, {"city", "Brugge"}};
  identity_error error;
  (void)identity_update_capture_answers(session, twice, 2, &error);
  probe_status("twice", &error, IDENTITY_INVALID_INPUT, "city");
  assert_nothing_saved();
  probe_customer_is(&server, "jo@example.com", "capture/companyName", "");
  identity_session_close(session);
}

static void fifty_characters_are_a_name_and_bytes_do_not_count(void **state) {
  (void)state;
  char name[101] = "";
  for (int i = 0; i < 50; i++)
    strcat(name, "\xC3\xA9");
  const identity_capture_answer answer = {"firstName", name};
  identity_session *session = signed_in();
  assert_int_equal(identity_update_capture_answers(session, &answer, 1, NULL), IDENTITY_OK);
  probe_customer_is(&server, "jo@example.com", "first_name", name);
  identity_session_close(session);
}

static void a_field_that_is_switched_off_meanwhile_is_refused(void **state) {
  static const identity_capture_answer answer = {"companyName", "Acme"};
  (void)state;
  identity_error error;
  identity_session *session = signed_in();
  service_send(
      &server, "PUT", "publishers/" TEST_PUBLISHER "/capture",
      "{\"enabled\":true,\"settings\":[{\"key\":\"companyName\",\"enabled\":false,\"required\":true}]}");
  (void)identity_update_capture_answers(session, &answer, 1, &error);
  probe_status("switched off", &error, IDENTITY_INVALID_INPUT, "companyName");
  assert_nothing_saved();
  identity_session_close(session);
}

static void a_refusal_of_the_service_is_told_and_an_empty_answer_is_enough(void **state) {
  static const identity_capture_answer answer = {"companyName", "Acme"};
  (void)state;
  identity_error error;
  identity_session *session = signed_in();
  probe_answer(&server, "PUT", "/customers/*/capture", 400,
               "{\"errors\":[\"Invalid param companyName\"],\"code\":\"REQ0001\"}", NULL);
  (void)identity_update_capture_answers(session, &answer, 1, &error);
  const expected refused = {IDENTITY_INVALID_INPUT, 400, NULL, "REQ0001"};
  probe_error("refused", &error, &refused);
  probe_answer(&server, "PUT", "/customers/*/capture", 204, NULL, NULL);
  assert_int_equal(identity_update_capture_answers(session, &answer, 1, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(each_field_has_its_kind_and_the_keys_to_write, reset),
    cmocka_unit_test_setup(options_are_split_and_trimmed, reset),
    cmocka_unit_test_setup(answers_prefill_the_form_nested_as_they_are_read, reset),
    cmocka_unit_test_setup(null_instead_of_a_nested_answer_is_no_answer, reset),
    cmocka_unit_test_setup(answers_are_saved_and_read_back, reset),
    cmocka_unit_test_setup(only_what_changes_is_sent, reset),
    cmocka_unit_test_setup(an_empty_text_takes_an_optional_answer_back, reset),
    cmocka_unit_test_setup(a_wrong_answer_is_named_by_its_key_and_nothing_is_sent, reset),
    cmocka_unit_test_setup(fifty_characters_are_a_name_and_bytes_do_not_count, reset),
    cmocka_unit_test_setup(a_field_that_is_switched_off_meanwhile_is_refused, reset),
    cmocka_unit_test_setup(a_refusal_of_the_service_is_told_and_an_empty_answer_is_enough, reset),
};

SUITE_WITH("capture", tests, start, stop)
