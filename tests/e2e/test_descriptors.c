/* No file descriptors left, when a session is opened and when it calls: a clear status, no crash, no hang;
 * and once there are some again, all is well. Each in a child of its own. */
#include "support/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 30, MOST_SPARE = 16, TIMEOUT_MS = 5000 };
enum {
  WELL = 0,
  BAD_OPEN = 10,
  BAD_ERROR = 11,
  BAD_CALL = 12,
  BAD_AFTER = 13,
  NO_LIMIT = 14,
  BAD_INTERRUPT = 15
};

/* The lowest number that the next descriptor gets. */
static int next_descriptor(void) {
  int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (file >= 0)
    (void)close(file);
  return file;
}

static int limit(rlim_t count) {
  struct rlimit limits;
  if (getrlimit(RLIMIT_NOFILE, &limits) != 0)
    return -1;
  limits.rlim_cur = count;
  return setrlimit(RLIMIT_NOFILE, &limits);
}

static bool is_clear(identity_status status, const identity_error *error) {
  switch (identity_status_class(status)) {
  case IDENTITY_CLASS_OK:
    return error->status == IDENTITY_OK;
  case IDENTITY_CLASS_RETRY_LATER:
  case IDENTITY_CLASS_FIX_DEVICE:
    return error->status == status && error->message[0] != '\0';
  default:
    return false;
  }
}

static identity_status locale_of(identity_session *session, identity_error *error) {
  const identity_locale *locale = NULL;
  identity_status status = identity_fetch_locale(session, NULL, &locale, error);
  identity_locale_free(locale);
  return status;
}

static atomic_bool hang_over;

static void *hang(void *user_data) {
  const identity_consents *consents = NULL;
  identity_status status = identity_fetch_publisher_consents(user_data, &consents, NULL);
  identity_consents_free(consents);
  atomic_store(&hang_over, true);
  return (void *)(intptr_t)status;
}

/* What wakes a waiting call needs descriptors, too: a session that was opened without them cannot do without.
 */
static int interrupt_a_call(identity_session *session) {
  pthread_t thread;
  void *status = NULL;
  int64_t begun = service_now_ms();
  atomic_store(&hang_over, false);
  if (pthread_create(&thread, NULL, hang, session) != 0)
    return BAD_INTERRUPT;
  while (!atomic_load(&hang_over)) { /* only what has begun is interrupted */
    service_pause_ms(20);
    identity_session_interrupt(session);
  }
  (void)pthread_join(thread, &status);
  bool soon = service_now_ms() - begun < TIMEOUT_MS - 1000;
  return soon && (identity_status)(intptr_t)status == IDENTITY_CANCELLED ? WELL : BAD_INTERRUPT;
}

static int call_and_call_again(identity_session *session) {
  identity_error error;
  identity_status status = locale_of(session, &error);
  if (!is_clear(status, &error))
    return BAD_CALL;
  if (limit(256) != 0)
    return NO_LIMIT;
  return locale_of(session, &error) == IDENTITY_OK ? interrupt_a_call(session) : BAD_AFTER;
}

/* What becomes of opening with so many descriptors left. */
static int open_with(identity_config *config, int spare) {
  identity_error error;
  identity_session *session = NULL;
  int next = next_descriptor();
  if (next < 0 || limit((rlim_t)(next + spare)) != 0)
    return NO_LIMIT;
  identity_status status = identity_session_open(config, "viewer", &session, &error);
  if ((status == IDENTITY_OK) != (session != NULL))
    return BAD_OPEN;
  if (!is_clear(status, &error))
    return BAD_ERROR;
  int result = session != NULL ? call_and_call_again(session) : WELL;
  identity_session_close(session);
  if (limit(256) != 0)
    return NO_LIMIT;
  if (identity_session_open(config, "viewer", &session, NULL) != IDENTITY_OK)
    return BAD_AFTER;
  if (result == WELL && locale_of(session, NULL) != IDENTITY_OK)
    result = BAD_AFTER;
  identity_session_close(session);
  return result;
}

static void run_child(bool stored, int spare) {
  char directory[160];
  identity_config *config = service_config(&server);
  snprintf(directory, sizeof directory, "%s/store", server.directory);
  if (stored)
    assert_int_equal(identity_config_set_file_store(config, directory), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, TIMEOUT_MS), IDENTITY_OK);
  service_fault(&server, "{\"path\":\"/publishers/*/consents\",\"times\":-1,\"hang\":true}");
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    (void)alarm(PATIENCE_S);
    _exit(open_with(config, spare));
  }
  int how = 0;
  assert_int_equal(waitpid(child, &how, 0), child);
  identity_config_free(config);
  if (!WIFEXITED(how) || WEXITSTATUS(how) != WELL)
    fail_msg("%s store, %d descriptors left: %s %d", stored ? "file" : "memory", spare,
             WIFSIGNALED(how) ? "signal" : "result", WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

static void a_session_with_a_memory_store_survives_a_lack_of_descriptors(void **state) {
  (void)state;
  for (int spare = 0; spare <= MOST_SPARE; spare++)
    run_child(false, spare);
}

static void a_session_with_a_file_store_survives_a_lack_of_descriptors(void **state) {
  (void)state;
  for (int spare = 0; spare <= MOST_SPARE; spare++)
    run_child(true, spare);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_session_with_a_memory_store_survives_a_lack_of_descriptors, reset),
    cmocka_unit_test_setup(a_session_with_a_file_store_survives_a_lack_of_descriptors, reset),
};

SUITE_WITH("descriptors", tests, start, stop)
