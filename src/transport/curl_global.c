#include "transport/curl_global.h"

#include <curl/curl.h>
#include <pthread.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned users;

bool identity__curl_global_enter(void) {
  pthread_mutex_lock(&lock);
  bool ready = users > 0 || curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (ready)
    users++;
  pthread_mutex_unlock(&lock);
  return ready;
}

void identity__curl_global_leave(void) {
  pthread_mutex_lock(&lock);
  if (--users == 0)
    curl_global_cleanup();
  pthread_mutex_unlock(&lock);
}

static bool pipe_is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

static void pipe_only(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGPIPE);
}

void identity__pipe_guard_enter(identity__pipe_guard *guard) {
  sigset_t pipe;
  pipe_only(&pipe);
  pthread_sigmask(SIG_BLOCK, &pipe, &guard->before);
  /* Where it was not blocked it cannot be pending: it would have been delivered. */
  guard->was_pending = sigismember(&guard->before, SIGPIPE) == 1 && pipe_is_pending();
}

void identity__pipe_guard_leave(const identity__pipe_guard *guard) {
  if (!guard->was_pending && pipe_is_pending()) {
    sigset_t pipe;
    pipe_only(&pipe);
#if defined(__APPLE__)
    int taken;
    (void)sigwait(&pipe, &taken);
#else
    struct timespec none = {0, 0};
    while (sigtimedwait(&pipe, NULL, &none) < 0 && pipe_is_pending())
      continue;
#endif
  }
  pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
