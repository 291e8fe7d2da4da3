#include "support/aloop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

enum { NAP_MS = 2, LONGEST_POLL_MS = 5000, SETTLE_TURNS = 20 };

const char *const aloop_drive_names[DRIVES] = {
    [DRIVE_BLOCKING] = "blocking calls",
    [DRIVE_TICK] = "run that does not wait",
    [DRIVE_WAIT] = "run that waits",
    [DRIVE_FD] = "the descriptor",
    [DRIVE_HOST] = "the host's sockets and timer",
};

/* ---- notes ---- */

static atomic_int completions;

static const char *flaw_of(const note *self, identity_status status, const void *result,
                           const identity_error *error) {
  if (atomic_load(&self->starting) && pthread_equal(self->starter, pthread_self()))
    return "it completed before its _start function returned";
  if (error == NULL)
    return "error is NULL";
  if (error->status != status)
    return "error and status differ";
  if (status != IDENTITY_OK && result != NULL)
    return "a failed call has a result";
  if (result != NULL && self->free_result == NULL)
    return "a call without a result has one";
  if (status == IDENTITY_OK && result == NULL && self->free_result != NULL)
    return "the result is missing";
  return NULL;
}

void note_done(identity_status status, const void *result, const identity_error *error, void *user_data) {
  note *self = user_data;
  if (self->flaw == NULL)
    self->flaw = flaw_of(self, status, result, error);
  self->status = status;
  if (error != NULL)
    self->error = *error;
  if (self->free_result != NULL && self->result != NULL)
    self->free_result(self->result);
  self->result = result;
  self->thread = pthread_self();
  self->order = atomic_fetch_add(&completions, 1) + 1;
  atomic_fetch_add(&self->count, 1);
  if (self->then != NULL)
    self->then(self);
}

void note_begin(note *self, void (*free_result)(const void *)) {
  void (*then)(note *) = self->then;
  void *context = self->context;
  memset(self, 0, sizeof *self);
  self->then = then;
  self->context = context;
  self->free_result = free_result;
  self->starter = pthread_self();
  atomic_store(&self->starting, true);
}

void note_begun(note *self) {
  atomic_store(&self->starting, false);
}

void note_is(const note *self, identity_status status) {
  if (self->flaw != NULL)
    fail_msg("%s", self->flaw);
  if (atomic_load(&self->count) != 1)
    fail_msg("it completed %d times", atomic_load(&self->count));
  if (self->status != status)
    fail_msg("it ended as %s, expected %s: %s", identity_status_name(self->status),
             identity_status_name(status), self->error.message);
}

void note_is_open(const note *self) {
  if (atomic_load(&self->count) != 0)
    fail_msg("it has completed: %s", identity_status_name(self->status));
}

void note_clear(note *self) {
  if (self->free_result != NULL)
    self->free_result(self->result);
  self->result = NULL;
  identity_call_free(self->call);
  self->call = NULL;
}

void notes_clear(note *notes, size_t count) {
  for (size_t i = 0; i < count; i++)
    note_clear(&notes[i]);
}

int notes_with(const note *notes, size_t count, identity_status status) {
  int found = 0;
  for (size_t i = 0; i < count; i++)
    found += atomic_load(&notes[i].count) == 1 && notes[i].flaw == NULL && notes[i].status == status;
  return found;
}

/* ---- the host's sockets and timer ---- */

static void told(aloop *self) {
  self->told++;
  self->outside += !atomic_load(&self->inside);
}

static void watch(int64_t socket, int32_t events, void *user_data) {
  aloop *self = user_data;
  size_t i = 0;
  told(self);
  while (i < self->watched_count && self->watched[i].socket != socket)
    i++;
  if (events == 0) {
    if (i < self->watched_count)
      self->watched[i] = self->watched[--self->watched_count];
    return;
  }
  if (i == ALOOP_WATCHED) {
    self->outside++; /* far more sockets than the loop may have */
    return;
  }
  self->watched_count += i == self->watched_count;
  self->watched[i].socket = (int)socket;
  self->watched[i].events = (short)(((events & IDENTITY_READABLE) != 0 ? POLLIN : 0) |
                                    ((events & IDENTITY_WRITABLE) != 0 ? POLLOUT : 0));
}

static void keep_timer(int64_t timeout_ms, void *user_data) {
  aloop *self = user_data;
  told(self);
  self->timer_at_ms = timeout_ms < 0 ? -1 : service_now_ms() + timeout_ms;
}

static int poll_ms(const aloop *self, int most_ms) {
  int64_t left = self->timer_at_ms >= 0 ? self->timer_at_ms - service_now_ms() : most_ms;
  return (int)(left < 0 ? 0 : left < most_ms ? left : most_ms);
}

/* A completion may have closed it a moment ago. */
static bool is_watched(const aloop *self, int socket) {
  for (size_t i = 0; i < self->watched_count; i++)
    if (self->watched[i].socket == socket)
      return true;
  return false;
}

static void turn_host(aloop *self, int most_ms) {
  struct pollfd sockets[ALOOP_WATCHED];
  size_t count = self->watched_count;
  for (size_t i = 0; i < count; i++)
    sockets[i] = (struct pollfd){self->watched[i].socket, self->watched[i].events, 0};
  int ready = poll(sockets, count, poll_ms(self, most_ms));
  assert_true(ready >= 0);
  for (size_t i = 0; i < count && ready > 0; i++) {
    short seen = sockets[i].revents;
    int32_t events = ((seen & POLLIN) != 0 ? IDENTITY_READABLE : 0) |
                     ((seen & POLLOUT) != 0 ? IDENTITY_WRITABLE : 0) |
                     ((seen & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? IDENTITY_BROKEN : 0);
    if (events == 0 || !is_watched(self, sockets[i].fd))
      continue;
    assert_int_equal(identity_loop_on_socket(self->loop, sockets[i].fd, events), IDENTITY_OK);
  }
  if (self->timer_at_ms < 0 || self->timer_at_ms > service_now_ms())
    return;
  self->timer_at_ms = -1;
  assert_int_equal(identity_loop_on_timer(self->loop), IDENTITY_OK);
}

/* ---- turns ---- */

static void turn_fd(aloop *self, int most_ms) {
  struct pollfd one = {identity_loop_fd(self->loop), POLLIN, 0};
  assert_true(one.fd >= 0);
  assert_true(poll(&one, 1, most_ms) >= 0);
  assert_int_equal(identity_loop_run(self->loop, 0), IDENTITY_OK);
}

static void turn(aloop *self, int most_ms) {
  self->turns++;
  atomic_store(&self->inside, true);
  if (self->drive == DRIVE_HOST)
    turn_host(self, most_ms);
  else if (self->drive == DRIVE_FD)
    turn_fd(self, most_ms);
  else if (self->drive == DRIVE_WAIT)
    assert_int_equal(identity_loop_run(self->loop, most_ms == LONGEST_POLL_MS ? -1 : most_ms), IDENTITY_OK);
  else
    assert_int_equal(identity_loop_run(self->loop, 0), IDENTITY_OK);
  atomic_store(&self->inside, false);
  if (self->outside > 0)
    fail_msg("%d host callbacks came outside of identity_loop_x functions", self->outside);
}

void aloop_turn(aloop *self) {
  (void)alarm(ALOOP_PATIENCE_S); /* a loop that never returns must not hold up the run */
  turn(self, LONGEST_POLL_MS);
  (void)alarm(0);
}

static void short_turn(aloop *self) {
  (void)alarm(ALOOP_PATIENCE_S);
  turn(self, NAP_MS);
  (void)alarm(0);
}

static void nap_if_tick(const aloop *self) {
  if (self->drive == DRIVE_TICK || self->drive == DRIVE_BLOCKING)
    service_pause_ms(1);
}

static int64_t patience(void) {
  return service_now_ms() + ALOOP_PATIENCE_S * 1000;
}

static bool all_done(const note *notes, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (atomic_load(&notes[i].count) == 0)
      return false;
  return true;
}

void aloop_until(aloop *self, const note *notes, size_t count) {
  int64_t until = patience();
  while (!all_done(notes, count)) {
    if (service_now_ms() > until)
      fail_msg("%zu calls, not all of them completed, driven by %s", count, aloop_drive_names[self->drive]);
    aloop_turn(self);
    if (!all_done(notes, count))
      nap_if_tick(self);
  }
}

static void until_sent(aloop *self, service *server, const char *method, const char *path, int count,
                       void (*take)(aloop *)) {
  int64_t until = patience();
  while (service_count(server, method, path, -1) < count) {
    if (service_now_ms() > until)
      fail_msg("%s %s was not sent %d times", method, path, count);
    take(self);
  }
}

void aloop_until_sent(aloop *self, service *server, const char *method, const char *path, int count) {
  until_sent(self, server, method, path, count, short_turn);
}

void aloop_doze_until_sent(aloop *self, service *server, const char *method, const char *path, int count) {
  until_sent(self, server, method, path, count, aloop_turn);
}

void aloop_until_state(aloop *self, identity_session *session, int32_t state) {
  int64_t until = patience();
  while (service_state_of(session) != state) {
    if (service_now_ms() > until)
      fail_msg("the state stays %d, expected %d", (int)service_state_of(session), (int)state);
    short_turn(self);
    service_pause_ms(1);
  }
}

void aloop_turn_for(aloop *self, int ms) {
  for (int64_t until = service_now_ms() + ms; service_now_ms() < until; nap_if_tick(self))
    short_turn(self);
}

void aloop_settle(aloop *self) {
  (void)alarm(ALOOP_PATIENCE_S);
  for (int i = 0; i < SETTLE_TURNS; i++)
    turn(self, 0);
  (void)alarm(0);
}

/* ---- begin and end ---- */

void aloop_start(aloop *self, identity_config *config, int drive) {
  identity_error error;
  memset(self, 0, sizeof *self);
  self->drive = drive;
  self->timer_at_ms = -1;
  if (identity_loop_new(config, &self->loop, &error) != IDENTITY_OK)
    fail_msg("loop: %s", error.message);
  identity_config_free(config);
  if (drive == DRIVE_HOST)
    aloop_adopt_host(self);
}

void aloop_adopt_host(aloop *self) {
  self->drive = DRIVE_HOST;
  atomic_store(&self->inside, true);
  assert_int_equal(identity_loop_set_host(self->loop, watch, keep_timer, self), IDENTITY_OK);
  atomic_store(&self->inside, false);
}

identity_status aloop_adopt_half_a_host(aloop *self, bool with_sockets) {
  return identity_loop_set_host(self->loop, with_sockets ? watch : NULL, with_sockets ? NULL : keep_timer,
                                self);
}

identity_status aloop_tell_timer(aloop *self) {
  atomic_store(&self->inside, true);
  identity_status status = identity_loop_on_timer(self->loop);
  atomic_store(&self->inside, false);
  return status;
}

identity_status aloop_tell_socket(aloop *self, int64_t socket, int32_t events) {
  atomic_store(&self->inside, true);
  identity_status status = identity_loop_on_socket(self->loop, socket, events);
  atomic_store(&self->inside, false);
  return status;
}

void aloop_stop(aloop *self) {
  atomic_store(&self->inside, true);
  (void)alarm(ALOOP_PATIENCE_S);
  identity_loop_free(self->loop);
  (void)alarm(0);
  self->loop = NULL;
}

identity_session *aloop_open_with(aloop *self, identity_config *config, const char *account) {
  identity_session *session = NULL;
  identity_error error;
  if (identity_session_open_on(self->loop, config, account, &session, &error) != IDENTITY_OK)
    fail_msg("open on a loop: %s", error.message);
  identity_config_free(config);
  return session;
}

identity_session *aloop_open(aloop *self, service *server, const char *account) {
  return aloop_open_with(self, service_config(server), account);
}
