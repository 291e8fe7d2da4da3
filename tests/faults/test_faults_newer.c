/* Fault 37: a record that a newer library wrote. It is not ours to change, nor to refresh: UPDATE_APP, and
 * the file stays as it is, byte for byte. */
#include "support/slot.h"
#include "support/stage.h"

#include "base/bytes.h"
#include "base/limits.h"
#include "store/store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

/* The envelope that stays the same in every format version: magic, version, length of the body, checksum. */
enum { AT_VERSION = 4, AT_CHECKSUM = 12, ENVELOPE_SIZE = 16, NEWER = 2 };
enum { FILE_MOST = 256 * 1024 };

static char *slot;

static int clean(void **state) {
  char command[160];
  (void)reset(state);
  snprintf(command, sizeof command, "rm -rf '%s/store'", server.directory);
  assert_int_equal(system(command), 0);
  free(slot);
  slot = NULL;
  return 0;
}

static int end(void **state) {
  free(slot);
  return stop(state);
}

static identity_session *opened(void) {
  return service_open_stored(&server, "viewer", "store");
}

/* The key of the only slot, from the name of its file: hex digits and a suffix. */
static void key_of_slot(char *key, size_t size) {
  const char *name = strrchr(slot, '/') + 1;
  size_t length = strcspn(name, ".") / 2;
  assert_true(length > 0 && length < size);
  for (size_t i = 0; i < length; i++) {
    unsigned value = 0;
    assert_int_equal(sscanf(name + 2 * i, "%2x", &value), 1);
    key[i] = (char)value;
  }
  key[length] = '\0';
}

/* What a newer library would leave there: its version, and a body that only it can read. */
static void become_newer(void) {
  char key[IDENTITY__MAX_STORE_KEY + 1];
  char directory[160];
  char *bytes = malloc(IDENTITY__MAX_RECORD);
  size_t length = 0;
  uint64_t revision = 0;
  identity__store store;
  assert_non_null(bytes);
  key_of_slot(key, sizeof key);
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  assert_int_equal(identity__file_store(&store, directory), IDENTITY__STORE_OK);
  assert_int_equal(store.load(store.user_data, key, bytes, IDENTITY__MAX_RECORD, &length, &revision),
                   IDENTITY__STORE_OK);
  assert_true(length > ENVELOPE_SIZE + 8);
  identity__put_number(bytes + AT_VERSION, NEWER, 4);
  memcpy(bytes + ENVELOPE_SIZE, "\xFF\xFE\xFD\xFC\xFB\xFA\xF9\xF8", 8);
  uint32_t sum = identity__checksum(0, bytes, AT_CHECKSUM);
  sum = identity__checksum(sum, bytes + ENVELOPE_SIZE, length - ENVELOPE_SIZE);
  identity__put_number(bytes + AT_CHECKSUM, sum, 4);
  assert_int_equal(store.swap(store.user_data, key, revision, 1, bytes, length, &revision),
                   IDENTITY__STORE_OK);
  store.destroy(store.user_data);
  free(bytes);
}

typedef struct snapshot {
  char bytes[FILE_MOST];
  size_t length;
  struct timespec written;
} snapshot;

static snapshot before, now;

static void take(snapshot *shot) {
  struct stat facts;
  int file = open(slot, O_RDONLY | O_CLOEXEC);
  assert_true(file >= 0);
  assert_int_equal(fstat(file, &facts), 0);
  assert_true(facts.st_size <= FILE_MOST);
  shot->length = (size_t)facts.st_size;
  shot->written = facts.st_mtim;
  assert_int_equal(read(file, shot->bytes, shot->length), facts.st_size);
  close(file);
}

static void assert_untouched(const char *what) {
  take(&now);
  if (now.length != before.length || memcmp(now.bytes, before.bytes, now.length) != 0 ||
      now.written.tv_sec != before.written.tv_sec || now.written.tv_nsec != before.written.tv_nsec)
    fail_msg("%s: the newer record was written", what);
}

/* ---- the calls ---- */

static identity_status log_in(identity_session *session, identity_error *error) {
  return service_login(session, MAIL, TEST_PASSWORD, error);
}

static identity_status register_new(identity_session *session, identity_error *error) {
  identity_register_params params = probe_register_params("new@example.com");
  return identity_register(session, &params, error);
}

static identity_status adopt(identity_session *session, identity_error *error) {
  char *jwt, *refresh_token;
  service_login_raw(&server, MAIL, &jwt, &refresh_token);
  identity_status status = identity_session_adopt(session, jwt, refresh_token, error);
  free(jwt);
  free(refresh_token);
  return status;
}

static identity_status tokens_of(identity_session *session, identity_error *error) {
  const identity_tokens *tokens = NULL;
  identity_status status = identity_session_tokens(session, 0, &tokens, error);
  identity_tokens_free(tokens);
  return status;
}

static const struct {
  const char *name;
  identity_status (*run)(identity_session *session, identity_error *error);
} calls[] = {
    {"fetch", service_fetch},
    {"tokens", tokens_of},
    {"refresh", identity_session_refresh},
    {"login", log_in},
    {"register", register_new},
    {"adopt", adopt},
    {"logout everywhere", identity_logout_everywhere},
    {"logout", identity_logout},
    {"login after logout", log_in},
    {"fetch after logout", service_fetch},
};

static void signed_in_then_newer(void) {
  identity_session *session = opened();
  service_register(session, MAIL);
  identity_session_close(session);
  slot = slot_path(&server, "store");
  become_newer();
  take(&before);
}

static void fault_37_nothing_is_sent_or_written_over_a_newer_record(void **state) {
  (void)state;
  signed_in_then_newer();
  identity_session *session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STORE_BLOCKED);
  for (size_t i = 0; i < ROWS(calls); i++) {
    identity_error error;
    (void)calls[i].run(session, &error);
    bool after_logout = strstr(calls[i].name, "fetch after") != NULL;
    if (!after_logout) {
      probe_status(calls[i].name, &error, IDENTITY_STORE_NEWER, NULL);
      assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_UPDATE_APP);
    } else {
      assert_int_not_equal(error.status, IDENTITY_OK);
    }
    assert_untouched(calls[i].name);
  }
  probe_sent(&server, "POST", REFRESH, 0);
  probe_sent(&server, "DELETE", "/refresh_tokens", 0);
  probe_sent(&server, "POST", "/customers", 1);
  probe_sent(&server, "POST", "/auths", 1); /* that of the test itself, for adopt */
  identity_session_close(session);
  assert_untouched("close");
  session = opened();
  assert_int_equal(service_state_of(session), IDENTITY_STATE_STORE_BLOCKED);
  identity_session_close(session);
  assert_untouched("open and close");
}

/* Another process was updated while this one runs: what is in memory goes on, but nothing is rotated. */
static void fault_37_a_record_that_becomes_newer_under_a_session_is_left_alone(void **state) {
  (void)state;
  identity_error error;
  identity_session *session = opened();
  service_register(session, MAIL);
  slot = slot_path(&server, "store");
  become_newer();
  take(&before);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  (void)identity_session_refresh(session, &error);
  probe_status("refresh", &error, IDENTITY_STORE_NEWER, NULL);
  assert_int_equal(identity_status_class(error.status), IDENTITY_CLASS_UPDATE_APP);
  assert_untouched("refresh");
  probe_sent(&server, "POST", REFRESH, 0);
  service_shift_clock(&server, 901); /* the JWT is over, and no other can be had */
  (void)service_fetch(session, &error);
  probe_status("a call", &error, IDENTITY_STORE_NEWER, NULL);
  assert_untouched("a call");
  probe_sent(&server, "POST", REFRESH, 0);
  (void)log_in(session, &error);
  probe_status("login", &error, IDENTITY_STORE_NEWER, NULL);
  probe_sent(&server, "POST", "/auths", 0);
  assert_untouched("login");
  (void)identity_logout(session, &error);
  probe_status("logout", &error, IDENTITY_STORE_NEWER, NULL);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_SIGNED_OUT);
  assert_untouched("logout");
  identity_session_close(session);
  assert_untouched("close");
}

/* The newer library signs out or goes back to a record we can read: the session is there again. */
static void fault_37_a_record_that_can_be_read_again_is_taken(void **state) {
  (void)state;
  identity_session *session = opened();
  service_register(session, MAIL);
  identity_session_close(session);
  slot = slot_path(&server, "store");
  take(&before);
  become_newer();
  session = opened();
  assert_int_equal(service_fetch(session, NULL), IDENTITY_STORE_NEWER);
  int file = open(slot, O_WRONLY | O_CLOEXEC);
  assert_int_equal(pwrite(file, before.bytes, before.length, 0), before.length);
  close(file);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(service_state_of(session), IDENTITY_STATE_ACTIVE);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_37_nothing_is_sent_or_written_over_a_newer_record, clean),
    cmocka_unit_test_setup(fault_37_a_record_that_becomes_newer_under_a_session_is_left_alone, clean),
    cmocka_unit_test_setup(fault_37_a_record_that_can_be_read_again_is_taken, clean),
};

SUITE_WITH("faults: newer records", tests, start, end)
