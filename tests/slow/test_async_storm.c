/* Everything at once: four threads start, cancel, hurry, interrupt and close, one drives in every way, and a
 * transport of the host answers from threads of its own, twice, too late or never. Each call that was taken
 * completes once, also those that the free of the loop meets; ThreadSanitizer has nothing to report. */
#include "support/stage.h"
#include "support/twins.h"
#include <identity/platform.h>
#include <poll.h>

enum { SESSIONS = 6, STARTERS = 4, SPEAKERS = 2, HANDLES = 128, LINE = 4096, MOST_CALLS = 100000 };
enum { STORM_MS = 1200, WAKE_MS = 4, AFTERMATH_MS = 30, KINDS = 4 };

/* One series of dice for each thread. */
static _Thread_local unsigned dice_seed;

static unsigned dice(unsigned sides) {
  dice_seed = dice_seed * 1103515245u + 12345u;
  return (dice_seed >> 8) % sides;
}

static bool one_in(unsigned sides) {
  return dice(sides) == 0;
}

static char *jwt, *refresh_token; /* of a viewer, as the service has issued them */
static char pair[4096];           /* the answer that brings them */
static const char customer[] = "{\"responseData\":{\"id\":\"1\",\"email\":\"a@b.c\"},\"errors\":[]}";

/* ---- the transport ---- */

typedef struct heard {
  uint64_t exchange;
  bool wants_pair;
} heard;

static struct {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  identity_link *link;
  heard line[LINE];
  unsigned first, end;
  int speaking;
  bool over;
} air = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void say_whole(const heard *one) {
  static const char *const heads[] = {"HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK",
                                      "HTTP/2 401",      "HTTP/1.1 503 No", "nonsense"};
  const char *body = one->wants_pair ? pair : customer;
  unsigned length = (unsigned)strlen(body), half = dice(length);
  const char *head = heads[dice(ROWS(heads))];
  (void)identity_link_header(air.link, one->exchange, head, strlen(head));
  (void)identity_link_body(air.link, one->exchange, body, half);
  (void)identity_link_body(air.link, one->exchange, body + half, length - half);
  identity_link_complete(air.link, one->exchange, IDENTITY_OK, NULL);
}

static void answer(const heard *one) {
  if (!identity_link_may_send(air.link, one->exchange) || one_in(20)) {
    identity_link_complete(air.link, one->exchange, IDENTITY_OFFLINE, "nothing left");
    return;
  }
  identity_link_sent(air.link, one->exchange);
  if (one_in(15)) /* never */
    return;
  if (one_in(10))
    identity_link_complete(air.link, one->exchange, IDENTITY_CONNECTION_LOST, "lost");
  else
    say_whole(one);
  if (one_in(5)) /* it is over by now */
    say_whole(one);
}

static void *speak(void *user_data) {
  dice_seed = *(unsigned *)user_data;
  pthread_mutex_lock(&air.lock);
  for (;;) {
    while (air.first == air.end && !air.over)
      pthread_cond_wait(&air.changed, &air.lock);
    if (air.first == air.end)
      break;
    heard one = air.line[air.first++ % LINE];
    air.speaking++;
    pthread_mutex_unlock(&air.lock);
    if (one_in(3))
      service_pause_ms(1);
    answer(&one);
    pthread_mutex_lock(&air.lock);
    air.speaking--;
    pthread_cond_broadcast(&air.changed);
  }
  pthread_mutex_unlock(&air.lock);
  return NULL;
}

static identity_status open_air(void *user_data, identity_link *link, void **state) {
  *state = user_data;
  air.link = link;
  return IDENTITY_OK;
}

/* The link is not valid any more when this returns. */
static void close_air(void *state) {
  (void)state;
  pthread_mutex_lock(&air.lock);
  air.first = air.end;
  while (air.speaking > 0)
    pthread_cond_wait(&air.changed, &air.lock);
  pthread_mutex_unlock(&air.lock);
}

static identity_status begin_exchange(void *state, identity_link *link, uint64_t exchange,
                                      const identity_http_request *request) {
  heard one = {exchange, strstr(request->url, "/auths") != NULL};
  (void)state;
  if (one_in(30))
    return IDENTITY_OUT_OF_MEMORY;
  if (one_in(20))
    identity_link_set_capacity(link, 1 + dice(64));
  if (one_in(20)) { /* inside of start */
    answer(&one);
    return IDENTITY_OK;
  }
  pthread_mutex_lock(&air.lock);
  for (int times = one_in(20) ? 2 : 1; times > 0 && air.end - air.first < LINE; times--)
    air.line[air.end++ % LINE] = one;
  pthread_cond_broadcast(&air.changed);
  pthread_mutex_unlock(&air.lock);
  return IDENTITY_OK;
}

static void cancel_exchange(void *state, uint64_t exchange) {
  (void)state, (void)exchange; /* it will be spoken of all the same */
}

/* ---- the app ---- */

typedef struct one_call {
  int kind;
  atomic_bool taken;
  atomic_int completions;
} one_call;

static one_call *calls;
static atomic_uint next_call;
static atomic_bool calm, undriven;
static identity_loop *loop;
static identity_config *config;

/* Written with the lock for writing: an app uses no session that it closes. */
static struct {
  pthread_rwlock_t lock;
  identity_session *session;
} places[SESSIONS];

static struct {
  pthread_mutex_t lock;
  identity_call *call;
} handles[HANDLES];

static void keep_handle(identity_call *call) {
  unsigned place = dice(HANDLES);
  pthread_mutex_lock(&handles[place].lock);
  identity_call *old = handles[place].call;
  handles[place].call = call;
  pthread_mutex_unlock(&handles[place].lock);
  identity_call_free(old);
}

static void open_place(unsigned which) {
  char account[16];
  snprintf(account, sizeof account, "viewer-%u", which);
  (void)identity_session_open_on(loop, config, account, &places[which].session, NULL);
}

static void start_one(identity_session *session);

static void on_done(identity_status status, const void *result, const identity_error *error,
                    void *user_data) {
  one_call *call = user_data;
  unsigned which = dice(SESSIONS);
  (void)status, (void)error;
  if (call->kind == 0)
    identity_customer_free(result);
  if (call->kind == 1)
    identity_tokens_free(result);
  atomic_fetch_add(&call->completions, 1);
  if (!one_in(8) || pthread_rwlock_tryrdlock(&places[which].lock) != 0)
    return;
  if (places[which].session != NULL)
    start_one(places[which].session);
  pthread_rwlock_unlock(&places[which].lock);
}

static identity_status start_kind(identity_session *session, one_call *call, identity_call **handle) {
  switch (call->kind) {
  case 0:
    return identity_fetch_customer_start(session, on_done, call, handle);
  case 1:
    return identity_session_tokens_start(session, 0, on_done, call, handle);
  case 2:
    return one_in(8) ? identity_logout_start(session, on_done, call, handle)
                     : identity_session_refresh_start(session, on_done, call, handle);
  default:
    return identity_session_adopt_start(session, jwt, refresh_token, on_done, call, handle);
  }
}

static void start_one(identity_session *session) {
  unsigned number = atomic_fetch_add(&next_call, 1);
  identity_call *handle = NULL;
  if (number >= MOST_CALLS)
    return;
  one_call *call = &calls[number];
  call->kind = (int)dice(KINDS);
  bool taken = start_kind(session, call, one_in(2) ? &handle : NULL) == IDENTITY_OK;
  atomic_store(&call->taken, taken);
  if (handle != NULL)
    keep_handle(handle);
}

static void hurry_or_cancel(void) {
  unsigned place = dice(HANDLES);
  pthread_mutex_lock(&handles[place].lock);
  if (one_in(2))
    identity_call_cancel(handles[place].call);
  else
    (void)identity_call_set_timeout_ms(handles[place].call, 100 + dice(200));
  pthread_mutex_unlock(&handles[place].lock);
}

static void close_place(unsigned which) {
  pthread_rwlock_wrlock(&places[which].lock);
  identity_session_close(places[which].session);
  places[which].session = NULL;
  pthread_rwlock_unlock(&places[which].lock);
}

static void *storm(void *user_data) {
  dice_seed = *(unsigned *)user_data;
  while (!atomic_load(&calm)) {
    unsigned which = dice(SESSIONS);
    unsigned what = dice(100);
    if (what < 20)
      hurry_or_cancel();
    else if (what < 22)
      close_place(which);
    else if (what < 24)
      service_pause_ms(1);
    else {
      pthread_rwlock_rdlock(&places[which].lock);
      if (what < 26)
        identity_session_interrupt(places[which].session);
      else if (places[which].session != NULL)
        start_one(places[which].session);
      pthread_rwlock_unlock(&places[which].lock);
    }
  }
  return NULL;
}

static void watch_nothing(int64_t socket, int32_t events, void *user_data) {
  (void)socket, (void)events, (void)user_data;
}

static void keep_no_timer(int64_t timeout_ms, void *user_data) {
  (void)timeout_ms, (void)user_data;
}

static void reopen(unsigned which) {
  if (pthread_rwlock_trywrlock(&places[which].lock) != 0)
    return;
  if (places[which].session == NULL)
    open_place(which);
  pthread_rwlock_unlock(&places[which].lock);
}

static void *drive(void *user_data) {
  static const int32_t waits[] = {0, 0, 1, 5, 50, INT32_MAX, -1};
  dice_seed = *(unsigned *)user_data;
  while (!atomic_load(&undriven)) {
    unsigned how = dice(10);
    if (how < 5)
      (void)identity_loop_run(loop, waits[dice(ROWS(waits))]);
    else if (how == 5)
      (void)identity_loop_on_timer(loop);
    else if (how == 6)
      (void)identity_loop_on_socket(loop, (int64_t)dice(20), (int32_t)dice(8));
    else if (how == 7)
      (void)(one_in(2) ? identity_loop_set_host(loop, watch_nothing, keep_no_timer, NULL)
                       : identity_loop_set_host(loop, NULL, NULL, NULL));
    else if (how == 8)
      (void)poll(&(struct pollfd){identity_loop_fd(loop), POLLIN, 0}, 1, 20);
    else
      reopen(dice(SESSIONS));
  }
  return NULL;
}

/* ---- the test ---- */

static void make_world(void) {
  identity_transport transport;
  calls = calloc(MOST_CALLS, sizeof *calls);
  assert_non_null(calls);
  atomic_store(&next_call, 0);
  atomic_store(&calm, false);
  atomic_store(&undriven, false);
  air.over = false;
  identity_transport_init(&transport, sizeof transport);
  transport.open = open_air;
  transport.close = close_air;
  transport.start = begin_exchange;
  transport.cancel = cancel_exchange;
  config = service_config(&server);
  assert_int_equal(identity_config_set_transport(config, &transport), IDENTITY_OK);
  assert_int_equal(identity_config_set_timeout_ms(config, 300), IDENTITY_OK);
  assert_int_equal(identity_config_set_keep_fresh(config, 1), IDENTITY_OK);
  assert_int_equal(identity_loop_new(config, &loop, NULL), IDENTITY_OK);
  for (unsigned i = 0; i < SESSIONS; i++)
    open_place(i);
}

static void end_world(void) {
  for (unsigned i = 0; i < SESSIONS; i++)
    close_place(i);
  for (int i = 0; i < HANDLES; i++) {
    identity_call_free(handles[i].call);
    handles[i].call = NULL;
  }
  identity_config_free(config);
}

static void each_has_completed_once(void) {
  unsigned count = atomic_load(&next_call);
  unsigned taken = 0;
  for (unsigned i = 0; i < count && i < MOST_CALLS; i++) {
    bool was_taken = atomic_load(&calls[i].taken);
    if (atomic_load(&calls[i].completions) != was_taken)
      fail_msg("call %u of %u, %s: %d completions", i, count, was_taken ? "taken" : "refused",
               atomic_load(&calls[i].completions));
    taken += was_taken;
  }
  assert_in_range(taken, 200, MOST_CALLS);
  free(calls);
}

static void blow(unsigned seed) {
  enum { DRIVER = SPEAKERS, FIRST_STARTER, THREADS = FIRST_STARTER + STARTERS };
  pthread_t threads[THREADS];
  unsigned seeds[THREADS];
  make_world();
  for (unsigned i = 0; i < THREADS; i++) {
    void *(*run)(void *) = i < SPEAKERS ? speak : i == DRIVER ? drive : storm;
    seeds[i] = seed * 100 + i;
    assert_int_equal(pthread_create(&threads[i], NULL, run, &seeds[i]), 0);
  }
  for (int ms = 0; ms < STORM_MS; ms += WAKE_MS) {
    service_pause_ms(WAKE_MS);
    atomic_store(&undriven, ms + WAKE_MS >= STORM_MS);
    identity_loop_wake(loop); /* who waits with every session closed would wait for ever */
  }
  assert_int_equal(pthread_join(threads[DRIVER], NULL), 0);
  identity_loop_free(loop);       /* in the middle of it */
  service_pause_ms(AFTERMATH_MS); /* handles and sessions are still there */
  atomic_store(&calm, true);
  for (int i = FIRST_STARTER; i < THREADS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  end_world();
  pthread_mutex_lock(&air.lock);
  air.over = true;
  pthread_cond_broadcast(&air.changed);
  pthread_mutex_unlock(&air.lock);
  for (int i = 0; i < SPEAKERS; i++)
    assert_int_equal(pthread_join(threads[i], NULL), 0);
  each_has_completed_once();
}

static void each_call_completes_once_whatever_else_happens(void **state) {
  (void)state;
  service_send(&server, "PUT", "settings", "{\"jwt_life\":7}");
  twins_register(&server);
  service_login_raw(&server, TWIN_MAIL, &jwt, &refresh_token);
  (void)snprintf(pair, sizeof pair,
                 "{\"responseData\":{\"jwt\":\"%s\",\"refreshToken\":\"%s\"},\"errors\":[]}", jwt,
                 refresh_token);
  for (int i = 0; i < HANDLES; i++) {
    assert_true(i >= SESSIONS || pthread_rwlock_init(&places[i].lock, NULL) == 0);
    assert_int_equal(pthread_mutex_init(&handles[i].lock, NULL), 0);
  }
  for (unsigned seed = 1; seed <= 3; seed++)
    blow(seed);
  free(jwt);
  free(refresh_token);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup(each_call_completes_once_whatever_else_happens, reset),
};

SUITE_WITH("async_storm", tests, start, stop)
