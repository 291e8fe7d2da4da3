/* How many connections a session opens, and how often it reads the CA bundle. */
#define STAGE_KIND SERVICE_TLS
#include "support/crowd.h"
#include "support/stage.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAIL "jo@example.com"

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  return session;
}

/* A fault that keeps each GET of the customer busy for a while, so that calls overlap. */
static void be_slow(int count, int delay_ms) {
  char json[160];
  snprintf(json, sizeof json, "{\"method\":\"GET\",\"path\":\"/customers/*\",\"times\":%d,\"delay_ms\":%d}",
           count, delay_ms);
  service_fault(&server, json);
}

static int number_of(const cJSON *entry, const char *name) {
  return cJSON_GetObjectItemCaseSensitive(entry, name)->valueint;
}

static int last_request(void) {
  cJSON *journal = service_get(&server, "journal");
  int last = number_of(journal, "last_seq");
  cJSON_Delete(journal);
  return last;
}

/* How many connections the requests after this one used. */
static int connections_since(int request) {
  char path[64];
  int seen[CROWD_MOST];
  int count = 0;
  const cJSON *entry;
  snprintf(path, sizeof path, "journal?since=%d", request);
  cJSON *journal = service_get(&server, path);
  cJSON_ArrayForEach(entry, cJSON_GetObjectItemCaseSensitive(journal, "requests")) {
    int known = 0;
    for (int i = 0; i < count; i++)
      known = known || seen[i] == number_of(entry, "connection");
    if (!known && count < CROWD_MOST)
      seen[count++] = number_of(entry, "connection");
  }
  cJSON_Delete(journal);
  return count;
}

static void one_thread_uses_one_connection(void **state) {
  (void)state;
  identity_session *session = signed_in();
  for (int i = 0; i < 20; i++)
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_connections(&server), 1);
  identity_session_close(session);
}

static identity_status fetch_five(identity_session *session, identity_error *error) {
  identity_status status = IDENTITY_OK;
  for (int i = 0; i < 5 && status == IDENTITY_OK; i++)
    status = service_fetch(session, error);
  return status;
}

static void threads_that_take_turns_use_one_connection(void **state) {
  (void)state;
  identity_session *session = signed_in();
  for (int i = 0; i < 5; i++)
    assert_int_equal(crowd_successes(session, 1, fetch_five), 1);
  assert_int_equal(service_connections(&server), 1);
  identity_session_close(session);
}

static void two_threads_at_once_open_two_connections(void **state) {
  (void)state;
  identity_session *session = signed_in();
  int before = last_request();
  be_slow(10, 30);
  assert_int_equal(crowd_successes(session, 2, fetch_five), 2);
  assert_int_equal(connections_since(before), 2);
  identity_session_close(session);
}

static void thirty_two_threads_open_eight_connections_and_one_goes_on_with_one(void **state) {
  (void)state;
  identity_session *session = signed_in();
  be_slow(32, 20);
  assert_int_equal(crowd_successes(session, 32, service_fetch), 32);
  assert_int_equal(service_connections(&server), 8);
  int before = last_request();
  for (int i = 0; i < 10; i++)
    assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(connections_since(before), 1);
  assert_int_equal(service_connections(&server), 8);
  identity_session_close(session);
}

static void sessions_do_not_share_a_connection(void **state) {
  (void)state;
  identity_session *one = signed_in();
  identity_session *other = service_open(&server, "other");
  assert_int_equal(service_login(other, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(service_connections(&server), 2);
  identity_session_close(other);
  identity_session_close(one);
}

/* ---- the CA bundle ---- */

static void copy_file(const char *from, const char *to) {
  char bytes[16384];
  FILE *source = fopen(from, "r");
  FILE *target = fopen(to, "w");
  assert_true(source != NULL && target != NULL);
  size_t length = fread(bytes, 1, sizeof bytes, source);
  assert_true(length > 0 && length < sizeof bytes);
  assert_int_equal(fwrite(bytes, 1, length, target), length);
  fclose(source);
  fclose(target);
}

/* After the first connection the file is gone: only a session that kept what it read can open others. */
static void the_ca_file_is_read_once_for_all_connections_of_a_session(void **state) {
  (void)state;
  char ca_file[96];
  identity_config *config = service_config(&server);
  snprintf(ca_file, sizeof ca_file, "%s/once.pem", server.directory);
  copy_file(server.ca_file, ca_file);
  assert_int_equal(identity_config_set_ca_file(config, ca_file), IDENTITY_OK);
  identity_session *session = service_open_with(config, "viewer");
  service_register(session, MAIL);
  assert_int_equal(unlink(ca_file), 0);
  service_send(&server, "POST", "close-idle", "{}");
  service_pause_ms(20);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_connections(&server), 2);
  be_slow(16, 20);
  assert_int_equal(crowd_successes(session, 16, service_fetch), 16);
  assert_true(service_connections(&server) > 4);
  identity_session_close(session);
}

static void each_session_reads_its_own_ca_file(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  identity_config *config = service_config(&server);
  assert_int_equal(identity_config_set_ca_file(config, NULL), IDENTITY_OK);
  identity_session *other = service_open_with(config, "viewer");
  assert_int_equal(service_login(other, MAIL, TEST_PASSWORD, &error), IDENTITY_TLS_UNTRUSTED);
  identity_session_close(other);
  identity_session_close(session);
}

static void a_program_that_the_app_starts_inherits_no_connection(void **state) {
  (void)state;
  struct sockaddr_storage name;
  int connections = 0;
  identity_session *session = service_open(&server, "viewer");
  service_register(session, "jo@example.com");
  for (int file = 0; file < 1024; file++) {
    socklen_t size = sizeof name;
    memset(&name, 0, sizeof name);
    if (getpeername(file, (struct sockaddr *)&name, &size) != 0 || name.ss_family != AF_INET)
      continue;
    connections++;
    assert_int_equal(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
  }
  assert_int_equal(connections, 1);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(one_thread_uses_one_connection, reset),
    cmocka_unit_test_setup(threads_that_take_turns_use_one_connection, reset),
    cmocka_unit_test_setup(a_program_that_the_app_starts_inherits_no_connection, reset),
    cmocka_unit_test_setup(two_threads_at_once_open_two_connections, reset),
    cmocka_unit_test_setup(thirty_two_threads_open_eight_connections_and_one_goes_on_with_one, reset),
    cmocka_unit_test_setup(sessions_do_not_share_a_connection, reset),
    cmocka_unit_test_setup(the_ca_file_is_read_once_for_all_connections_of_a_session, reset),
    cmocka_unit_test_setup(each_session_reads_its_own_ca_file, reset),
};

SUITE_WITH("connection", tests, start, stop)
