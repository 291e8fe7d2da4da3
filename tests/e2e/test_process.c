/* What an app's process must not notice of the library: forks, signals. */
#include "support/service.h"
#include "support/suite.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAIL "jo@example.com"

static service server;

static int start(void **state) {
  (void)state;
  service_start(&server, SERVICE_HTTP, NULL);
  return 0;
}

static int stop(void **state) {
  (void)state;
  service_assert_no_secret(NULL);
  service_stop(&server);
  return 0;
}

static int reset(void **state) {
  (void)state;
  service_reset(&server);
  return 0;
}

static identity_session *signed_in(void) {
  identity_session *session = service_open(&server, "viewer");
  service_register(session, MAIL);
  return session;
}

static int use_in_child(identity_session *session) {
  identity_error error;
  const identity_state *stands = NULL;
  if (service_fetch(session, &error) != IDENTITY_FORKED || error.status != IDENTITY_FORKED)
    return 1;
  if (identity_session_state(session, &stands, NULL) != IDENTITY_FORKED)
    return 2;
  if (identity_logout(session, NULL) != IDENTITY_FORKED)
    return 3;
  identity_session_interrupt(session);
  identity_session_close(session);
  /* The child leaves what belongs to the parent's connections where it is; a leak checker need not see it. */
  execl("/bin/true", "true", (char *)NULL);
  return 4;
}

static void a_forked_child_is_told_and_the_parent_goes_on(void **state) {
  (void)state;
  int status = -1;
  identity_session *session = signed_in();
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0)
    _exit(use_in_child(session));
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_int_equal(service_fetch(session, NULL), IDENTITY_OK);
  assert_int_equal(identity_session_refresh(session, NULL), IDENTITY_OK);
  assert_int_equal(service_connections(&server), 1);
  identity_session_close(session);
}

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

static void sigpipe_is_neither_taken_from_the_app_nor_given_to_it(void **state) {
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

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(a_forked_child_is_told_and_the_parent_goes_on, reset),
    cmocka_unit_test_setup(sigpipe_is_neither_taken_from_the_app_nor_given_to_it, reset),
};

SUITE_WITH("process", tests, start, stop)
