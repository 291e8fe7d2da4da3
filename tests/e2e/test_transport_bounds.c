/* What the library takes of an answer that a transport hands in: each bound at n and n + 1. */
#include "support/scripted.h"

#include "base/limits.h"

/* Starts one, and its request has left. */
static taken *begin_sent(int which, note *ended) {
  taken *one = begin_silent(which, ended);
  identity_link_sent(one->link, one->number);
  return one;
}

static void is(note *ended, identity_status status) {
  ends_once(ended, status);
  note_clear(ended);
}

/* The answer with blanks behind it, so many bytes long, in pieces. False: some piece was not wanted. */
static bool say_body(const taken *one, const char *text, size_t size, size_t piece) {
  bool wanted = true;
  char *bytes = malloc(size);
  assert_non_null(bytes);
  memset(bytes, ' ', size);
  memcpy(bytes, text, strlen(text));
  for (size_t at = 0; at < size && wanted; at += piece)
    wanted = identity_link_body(one->link, one->number, bytes + at, size - at < piece ? size - at : piece);
  free(bytes);
  return wanted;
}

static void a_body_is_taken_up_to_its_bound(void **state) {
  static const struct {
    int which;
    size_t most;
    const char *text;
    identity_status at_bound;
  } rows[] = {
      {TWIN_LOCALE, IDENTITY__MAX_BODY, RECORDER_LOCALE, IDENTITY_OK},
      {TWIN_LOGIN, IDENTITY__MAX_TOKEN_BODY, "{\"responseData\":{},\"errors\":[]}",
       IDENTITY_UNEXPECTED_ANSWER},
  };
  static const size_t pieces[] = {4096, 1 << 20, 16 << 20};
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++)
    for (size_t at = 0; at < ROWS(pieces); at++)
      for (size_t more = 0; more < 2; more++) {
        note ended = {0};
        taken *one = begin_sent(rows[i].which, &ended);
        assert_int_equal(recorder_header(one, "HTTP/1.1 200 OK"), 1);
        assert_int_equal(say_body(one, rows[i].text, rows[i].most + more, pieces[at]), more == 0);
        identity_link_complete(one->link, one->number, more == 0 ? IDENTITY_OK : IDENTITY_NOT_THE_SERVICE,
                               NULL);
        is(&ended, more == 0 ? rows[i].at_bound : IDENTITY_NOT_THE_SERVICE);
      }
}

/* A transport that does not look at what it is told is no way around the bounds. */
static void too_long_a_body_is_no_answer_though_the_transport_says_that_all_is_well(void **state) {
  (void)state;
  note ended = {0};
  taken *one = begin_sent(TWIN_LOCALE, &ended);
  (void)recorder_header(one, "HTTP/1.1 200 OK");
  (void)say_body(one, RECORDER_LOCALE, IDENTITY__MAX_BODY + 1, IDENTITY__MAX_BODY + 1);
  assert_int_equal(identity_link_body(one->link, one->number, "x", 1), 0);
  identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
  is(&ended, IDENTITY_NOT_THE_SERVICE);
  one = begin_sent(TWIN_LOCALE, &ended);
  assert_int_equal(identity_link_body(one->link, one->number, "x", UINT64_MAX), 0);
  identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
  is(&ended, IDENTITY_NOT_THE_SERVICE);
}

/* The head as a whole, in lines of a kilobyte and in one. */
static bool say_head(const taken *one, size_t size, size_t piece) {
  static const char status[] = "HTTP/1.1 200 OK\r\n";
  bool wanted = identity_link_header(one->link, one->number, status, sizeof status - 1);
  char *line = malloc(size);
  assert_non_null(line);
  memset(line, 'x', size);
  memcpy(line, "X-A: ", 5);
  for (size_t at = sizeof status - 1; at < size && wanted; at += piece)
    wanted = identity_link_header(one->link, one->number, line, size - at < piece ? size - at : piece);
  free(line);
  return wanted;
}

static void a_head_is_taken_up_to_its_bound(void **state) {
  static const size_t pieces[] = {1024, IDENTITY__MAX_HEADERS + 1};
  (void)state;
  for (size_t at = 0; at < ROWS(pieces); at++)
    for (size_t more = 0; more < 2; more++)
      for (int minds = 0; minds < 2; minds++) {
        note ended = {0};
        taken *one = begin_sent(TWIN_LOCALE, &ended);
        assert_int_equal(say_head(one, IDENTITY__MAX_HEADERS + more, pieces[at]), more == 0);
        (void)identity_link_body(one->link, one->number, RECORDER_LOCALE, strlen(RECORDER_LOCALE));
        bool says_so = more == 1 && minds == 1;
        identity_link_complete(one->link, one->number, says_so ? IDENTITY_NOT_THE_SERVICE : IDENTITY_OK,
                               NULL);
        is(&ended, more == 0 ? IDENTITY_OK : IDENTITY_NOT_THE_SERVICE);
      }
}

static void a_line_of_an_absurd_length_is_not_even_read(void **state) {
  (void)state;
  note ended = {0};
  taken *one = begin_sent(TWIN_LOCALE, &ended);
  (void)recorder_header(one, "HTTP/1.1 200 OK");
  assert_int_equal(identity_link_header(one->link, one->number, "X: y", UINT64_MAX), 0);
  identity_link_complete(one->link, one->number, IDENTITY_NOT_THE_SERVICE, NULL);
  is(&ended, IDENTITY_NOT_THE_SERVICE);
}

/* Not even where the transport has not minded. */
static void an_answer_with_a_line_over_the_bound_is_refused(void **state) {
  (void)state;
  note ended = {0};
  taken *one = begin_sent(TWIN_LOCALE, &ended);
  (void)recorder_header(one, "HTTP/1.1 200 OK");
  char *line = calloc(1, IDENTITY__MAX_HEADERS + 1);
  assert_non_null(line);
  memcpy(line, "X: ", 3);
  assert_int_equal(identity_link_header(one->link, one->number, line, IDENTITY__MAX_HEADERS + 1), 0);
  free(line);
  (void)identity_link_body(one->link, one->number, RECORDER_LOCALE, strlen(RECORDER_LOCALE));
  identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
  is(&ended, IDENTITY_NOT_THE_SERVICE);
}

/* A piece that is missing leaves a hole: what stands around it is not the answer. */
static void an_answer_with_a_piece_from_nowhere_is_refused(void **state) {
  static const struct {
    bool head;
    uint64_t length;
  } rows[] = {{true, 0}, {true, 12}, {true, IDENTITY__MAX_HEADERS + 1}, {false, 1}, {false, UINT64_MAX}};
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    note ended = {0};
    taken *one = begin_sent(TWIN_LOCALE, &ended);
    (void)recorder_header(one, "HTTP/1.1 200 OK");
    if (rows[i].head)
      assert_int_equal(identity_link_header(one->link, one->number, NULL, rows[i].length), 0);
    (void)identity_link_body(one->link, one->number, RECORDER_LOCALE, strlen(RECORDER_LOCALE));
    if (!rows[i].head)
      assert_int_equal(identity_link_body(one->link, one->number, NULL, rows[i].length), 0);
    identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
    is(&ended, IDENTITY_NOT_THE_SERVICE);
  }
}

static void an_encoded_body_is_not_wanted(void **state) {
  static const struct {
    const char *line;
    bool wanted;
  } rows[] = {{"Content-Encoding: gzip", false},
              {"content-encoding:br", false},
              {"Content-Encoding: identity", true}};
  (void)state;
  for (size_t i = 0; i < ROWS(rows); i++) {
    note ended = {0};
    taken *one = begin_sent(TWIN_LOCALE, &ended);
    (void)recorder_header(one, "HTTP/1.1 200 OK");
    (void)recorder_header(one, rows[i].line);
    assert_int_equal(identity_link_body(one->link, one->number, RECORDER_LOCALE, strlen(RECORDER_LOCALE)),
                     rows[i].wanted);
    identity_link_complete(one->link, one->number, IDENTITY_OK, NULL);
    is(&ended, rows[i].wanted ? IDENTITY_OK : IDENTITY_NOT_THE_SERVICE);
  }
}

static const struct CMUnitTest tests[] = {
    TEST(a_body_is_taken_up_to_its_bound),
    TEST(too_long_a_body_is_no_answer_though_the_transport_says_that_all_is_well),
    TEST(a_head_is_taken_up_to_its_bound),
    TEST(a_line_of_an_absurd_length_is_not_even_read),
    TEST(an_answer_with_a_line_over_the_bound_is_refused),
    TEST(an_answer_with_a_piece_from_nowhere_is_refused),
    TEST(an_encoded_body_is_not_wanted),
};

SUITE_WITH("transport_bounds", tests, start, stop)
