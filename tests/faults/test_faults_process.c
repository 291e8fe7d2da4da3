/* Faults 32 and 34. What an app's process must not notice of the library, and the library not of it: forks
 * and SIGPIPE. */
#include "support/judge.h"
#include "support/stage.h"
#include "support/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAIL "jo@example.com"
#define REFRESH "/auths/refresh_token"

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  return session;
}

/* ---- fork ---- */

static int use_in_child(identity_session *session) {
  identity_error error;
  const identity_state *stands = NULL;
  if (service_fetch(session, &error) != IDENTITY_FORKED || error.status != IDENTITY_FORKED)
    return 1;
  if (identity_session_state(session, &stands, NULL) != IDENTITY_FORKED)
    return 2;
  if (identity_logout(session, NULL) != IDENTITY_FORKED)
    return 3;
  if (identity_session_refresh(session, NULL) != IDENTITY_FORKED)
    return 4;
  identity_session_interrupt(session);
  identity_session_close(session);
  /* The child leaves what belongs to the parent's connections where it is; a leak checker need not see it. */
  execl("/bin/true", "true", (char *)NULL);
  return 5;
}

static void await_child(pid_t child) {
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

static void fault_32_a_forked_child_is_told_and_the_parent_goes_on(void **state) {
  (void)state;
  identity_session *session = signed_in();
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(use_in_child(session));
  await_child(child);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_connections(&server), 1);
  identity_session_close(session);
}

typedef struct refresher {
  identity_session *session;
  identity_status status;
} refresher;

static void *refresh_once(void *user_data) {
  refresher *one = user_data;
  one->status = identity_session_refresh(one->session, NULL);
  return NULL;
}

/* The lock of a slot, the sockets and a refresh that is out all belong to the parent, whatever the child
 * closes. */
static void fault_32_a_fork_in_mid_refresh_leaves_it_to_the_parent(void **state) {
  (void)state;
  pthread_t thread;
  refresher one = {service_open_stored(&server, "viewer", "forked"), IDENTITY_CANCELLED};
  service_register(one.session, MAIL);
  service_fault(&server, "{\"path\":\"" REFRESH "\",\"hang\":true}");
  assert_int_equal(pthread_create(&thread, NULL, refresh_once, &one), 0);
  judge_await(&server, "POST", REFRESH, 1);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(use_in_child(one.session));
  await_child(child);
  service_send(&server, "POST", "release", "{}");
  assert_int_equal(pthread_join(thread, NULL), 0);
  assert_int_equal(one.status, IDENTITY_OK);
  assert_int_equal(service_fetch(one.session, NULL), IDENTITY_OK);
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.sent, 1);
  assert_int_equal(seen.rotated, 1);
  identity_session_close(one.session);
}

/* What a child is told to do: a session of its own on the same store. */
static void fault_32_a_session_that_the_child_opens_shares_the_store(void **state) {
  (void)state;
  worker child;
  identity_session *session = service_open_stored(&server, "viewer", "shared");
  service_register(session, MAIL);
  worker_start(&child, NULL);
  assert_int_equal(worker_open(&child, &server, "shared", 10000).state, IDENTITY_STATE_ACTIVE);
  assert_int_equal(worker_ask(&child, "refresh").status, IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(worker_ask(&child, "fetch").status, IDENTITY_OK);
  judged seen = judge_refreshes(&server);
  assert_int_equal(seen.refused, 0);
  assert_int_equal(seen.repeated, 0);
  worker_quit(&child);
  identity_session_close(session);
}

/* ---- SIGPIPE ---- */

static volatile sig_atomic_t pipes;

static void on_pipe(int number) {
  (void)number;
  pipes = pipes + 1;
}

static int broken_sends;

/* In front of the C library's, for all of the process: what happens under a libcurl or TLS library that
 * writes into a closed connection and does not hold the signal back itself. */
ssize_t send(int socket, const void *bytes, size_t length, int flags) {
  struct sockaddr_storage own = {.ss_family = AF_UNIX};
  socklen_t size = sizeof own;
  if (broken_sends == 0 || getsockname(socket, (struct sockaddr *)&own, &size) != 0 ||
      own.ss_family != AF_INET)
    return sendto(socket, bytes, length, flags, NULL, 0);
  broken_sends--;
  raise(SIGPIPE);
  errno = EPIPE;
  return -1;
}

/* Connections that break on their first byte, under a request, and between two requests. */
static void break_connections(service *any) {
  identity_session *session = service_open(any, "breaking");
  broken_sends = 1;
  assert_int_not_equal(service_login(session, MAIL, TEST_PASSWORD, NULL), IDENTITY_OK);
  assert_int_equal(broken_sends, 0);
  (void)service_login(session, MAIL, TEST_PASSWORD, NULL);
  service_fault(any, "{\"path\":\"/auths\",\"drop\":\"before\",\"abort\":true}");
  (void)service_login(session, MAIL, TEST_PASSWORD, NULL);
  (void)service_login(session, MAIL, TEST_PASSWORD, NULL);
  service_send(any, "POST", "close-idle", "{}");
  service_pause_ms(10);
  broken_sends = 1;
  identity_session_close(session); /* says goodbye into it */
  broken_sends = 0;
}

static bool pipe_is_pending(void) {
  sigset_t pending;
  assert_int_equal(sigpending(&pending), 0);
  return sigismember(&pending, SIGPIPE) == 1;
}

static void fault_34_sigpipe_is_neither_taken_from_the_app_nor_given_to_it(void **state) {
  (void)state;
  service tls;
  sigset_t pipe, before;
  struct sigaction own = {.sa_handler = on_pipe}, found, old;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  service_start(&tls, SERVICE_TLS, NULL);
  assert_int_equal(sigaction(SIGPIPE, &own, &old), 0);
  break_connections(&tls); /* a handler of the app is not called, nor changed */
  assert_int_equal(pipes, 0);
  assert_int_equal(sigaction(SIGPIPE, NULL, &found), 0);
  assert_ptr_equal(found.sa_handler, on_pipe);
  assert_int_equal(pthread_sigmask(SIG_BLOCK, &pipe, &before), 0);
  break_connections(&tls);
  assert_false(pipe_is_pending()); /* ours is not left behind */
  raise(SIGPIPE);
  break_connections(&tls);
  assert_true(pipe_is_pending()); /* the app's is not taken */
  assert_int_equal(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
  assert_int_equal(pipes, 1);
  assert_int_equal(sigaction(SIGPIPE, &old, NULL), 0);
  break_connections(&tls); /* the default action would end us */
  service_stop(&tls);
}

/* A process of its own, with the default action, whose peer closes under each request and between them. */
static void fault_34_a_process_with_the_default_action_lives_on(void **state) {
  (void)state;
  worker app;
  identity_session *session = signed_in();
  identity_session_close(session);
  worker_start(&app, NULL);
  (void)worker_open(&app, &server, "piped", 10000);
  assert_int_equal(worker_ask(&app, "login " MAIL).status, IDENTITY_OK);
  for (int i = 0; i < 10; i++) {
    service_fault(&server, i % 2 == 0 ? "{\"reused_only\":true,\"drop\":\"before\",\"abort\":true}"
                                      : "{\"drop\":\"before\",\"times\":3}");
    (void)worker_ask(&app, "fetch");
    service_send(&server, "POST", "close-idle", "{}");
    (void)worker_ask(&app, "fetch");
  }
  service_clear_faults(&server);
  assert_int_equal(worker_ask(&app, "fetch").status, IDENTITY_OK);
  worker_quit(&app);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(fault_32_a_forked_child_is_told_and_the_parent_goes_on, reset),
    cmocka_unit_test_setup(fault_32_a_fork_in_mid_refresh_leaves_it_to_the_parent, reset),
    cmocka_unit_test_setup(fault_32_a_session_that_the_child_opens_shares_the_store, reset),
    cmocka_unit_test_setup(fault_34_sigpipe_is_neither_taken_from_the_app_nor_given_to_it, reset),
    cmocka_unit_test_setup(fault_34_a_process_with_the_default_action_lives_on, reset),
};

SUITE_WITH("faults: the app's process", tests, start, stop)
