/* A loop and its transport: exchanges, and what the transport says of them from whatever thread. */
#include "transport/transport.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "transport/curl.h"
#include "transport/headers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { IDLE_BODY = 64 * 1024 /* what an exchange keeps for the next answer */, RESERVED_BODY = 16 * 1024 };
enum { SLOTS = IDENTITY__MAX_EXCHANGES, MOST_HEADERS = 5 };
enum { IDLE, RUNNING, COMPLETED, TAKEN };

struct identity__exchange {
  identity__exchange *next; /* of the completed ones */
  identity_link *link;
  void *owner;
  uint64_t number; /* of this use; its rest by SLOTS is its place */
  int32_t state;
  bool sent;
  bool plain;
  identity__response response;
  identity__headers headers;
  bool (*may_leave)(const void *owner, identity__now now);
  identity_http_request request;
  identity_http_header lines[MOST_HEADERS];
  identity__buffer bearer;
};

struct identity_link {
  pthread_mutex_t lock; /* guards the exchanges; no foreign code runs under it */
  identity__exchange *slots[SLOTS];
  uint32_t idle_count;
  uint32_t capacity;
  uint64_t uses;
  identity__exchange *completed;
  identity__exchange **completed_end;
  pthread_t driver; /* who is in the transport's functions; with driving */
  bool driving;
  identity__poller poller;
  identity_transport calls;
  void *state;
  bool opened;
  identity__clock clock;
  char *user_agent;
};

/* ---- exchanges ---- */

static void free_exchange(identity_link *link, uint32_t place) {
  identity__exchange *exchange = link->slots[place];
  link->slots[place] = NULL;
  identity__buffer_free(&exchange->response.body);
  identity__buffer_free(&exchange->bearer);
  free(exchange);
}

static identity__exchange *new_exchange(identity_link *link) {
  identity__exchange *exchange = calloc(1, sizeof *exchange);
  if (exchange == NULL)
    return NULL;
  exchange->link = link;
  identity__buffer_init(&exchange->response.body, IDENTITY__MAX_BODY);
  identity__buffer_init(&exchange->bearer, IDENTITY__MAX_TOKEN + 256);
  return exchange;
}

/* An idle exchange, which keeps its buffers' memory; else a new one. The number is one that was never used.
 */
static identity__exchange *take_exchange(identity_link *link) {
  uint32_t place = 0;
  uint32_t empty = SLOTS;
  while (place < SLOTS && (link->slots[place] == NULL || link->slots[place]->state != IDLE)) {
    if (link->slots[place] == NULL && empty == SLOTS)
      empty = place;
    place++;
  }
  if (place == SLOTS && empty == SLOTS)
    return NULL;
  if (place < SLOTS)
    link->idle_count--;
  else {
    place = empty;
    link->slots[place] = new_exchange(link);
  }
  if (link->slots[place] != NULL)
    link->slots[place]->number = ++link->uses * SLOTS + place;
  return link->slots[place];
}

/* With the lock held. NULL: it is over, or was given up: what is said of it is not heard. */
static identity__exchange *running(const identity_link *link, uint64_t number) {
  identity__exchange *exchange = link->slots[number % SLOTS];
  bool same = exchange != NULL && exchange->number == number && exchange->state == RUNNING;
  return same ? exchange : NULL;
}

static void add_header(identity__exchange *exchange, const char *name, const char *value) {
  if (value != NULL)
    exchange->lines[exchange->request.header_count++] = (identity_http_header){name, value};
}

static bool prepare(const identity_link *link, identity__exchange *exchange,
                    const identity__request *request) {
  identity__response *response = &exchange->response;
  size_t room = request->max_body < RESERVED_BODY ? request->max_body : RESERVED_BODY;
  exchange->may_leave = request->may_leave;
  exchange->sent = false;
  exchange->plain = request->plain;
  response->late = false;
  response->detail[0] = '\0';
  response->body.maximum = request->max_body;
  identity__headers_init(&exchange->headers);
  exchange->request = (identity_http_request){.struct_size = sizeof exchange->request,
                                              .once = request->once,
                                              .body_length = request->body != NULL ? request->body_length : 0,
                                              .method = request->method,
                                              .url = request->url,
                                              .headers = exchange->lines,
                                              .body = request->body};
  add_header(exchange, "Accept", "application/json");
  add_header(exchange, "User-Agent", link->user_agent);
  if (request->body != NULL)
    add_header(exchange, "Content-Type", "application/json");
  if (request->bearer != NULL) {
    bool whole = identity__buffer_add_text(&exchange->bearer, "Bearer ") &&
                 identity__buffer_add_text(&exchange->bearer, request->bearer);
    if (!whole)
      return false;
    add_header(exchange, "Authorization", exchange->bearer.bytes);
  }
  if (request->header_name != NULL)
    add_header(exchange, request->header_name, request->header_value);
  /* What comes back exists nowhere else: there must be room for it before anything is sent. */
  return !request->once || identity__buffer_reserve(&response->body, room);
}

static void set_driving(identity_link *link, bool driving) {
  (void)pthread_mutex_lock(&link->lock);
  link->driving = driving;
  link->driver = pthread_self();
  (void)pthread_mutex_unlock(&link->lock);
}

identity__exchange *identity__transport_start(identity__transport *link, const identity__request *request,
                                              void *owner) {
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *exchange = take_exchange(link);
  bool ready = exchange != NULL && prepare(link, exchange, request);
  uint64_t number = exchange != NULL ? exchange->number : 0;
  if (exchange != NULL) {
    exchange->owner = owner;
    exchange->state = RUNNING;
  }
  (void)pthread_mutex_unlock(&link->lock);
  if (exchange == NULL)
    return NULL;
  identity_status begun = IDENTITY_OUT_OF_MEMORY;
  set_driving(link, true);
  if (ready)
    begun = link->calls.start(link->state, link, number, &exchange->request);
  if (begun != IDENTITY_OK)
    identity_link_complete(link, number, begun, NULL); /* unless it has said so itself */
  set_driving(link, false);
  return exchange;
}

identity__exchange *identity__transport_next(identity__transport *link) {
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *exchange = link->completed;
  if (exchange != NULL) {
    link->completed = exchange->next;
    if (link->completed == NULL)
      link->completed_end = &link->completed;
    exchange->state = TAKEN;
  }
  (void)pthread_mutex_unlock(&link->lock);
  return exchange;
}

static void unlink_completed(identity_link *link, const identity__exchange *exchange) {
  identity__exchange **place = &link->completed;
  while (*place != exchange)
    place = &(*place)->next;
  *place = exchange->next;
  if (*place == NULL)
    link->completed_end = place;
}

/* With the lock held. What it held is wiped, but for the data of an answer that holds no secret; few of those
 * that are idle are kept. */
static void retire(identity_link *link, identity__exchange *exchange) {
  if (exchange->plain && exchange->headers.status / 100 == 2)
    identity__buffer_reset_plain(&exchange->response.body);
  else
    identity__buffer_reset(&exchange->response.body);
  identity__buffer_reset(&exchange->bearer);
  memset(&exchange->request, 0, sizeof exchange->request);
  exchange->owner = NULL;
  exchange->state = IDLE;
  if (link->idle_count >= IDENTITY__MAX_CONNECTIONS) {
    free_exchange(link, (uint32_t)(exchange->number % SLOTS));
    return;
  }
  if (exchange->response.body.capacity > IDLE_BODY)
    identity__buffer_free(&exchange->response.body);
  link->idle_count++;
}

void identity__exchange_release(identity__transport *link, identity__exchange *exchange) {
  (void)pthread_mutex_lock(&link->lock);
  bool runs = exchange->state == RUNNING;
  if (exchange->state == COMPLETED)
    unlink_completed(link, exchange);
  exchange->state = TAKEN;
  if (runs) {
    (void)pthread_mutex_unlock(&link->lock);
    set_driving(link, true);
    link->calls.cancel(link->state, exchange->number);
    set_driving(link, false);
    (void)pthread_mutex_lock(&link->lock);
  }
  retire(link, exchange);
  (void)pthread_mutex_unlock(&link->lock);
}

const identity__response *identity__exchange_response(const identity__exchange *exchange) {
  return &exchange->response;
}

void *identity__exchange_owner(const identity__exchange *exchange) {
  return exchange->owner;
}

static int32_t progress_of(const identity__exchange *exchange) {
  if (exchange->headers.status != 0)
    return IDENTITY__ANSWERED;
  return exchange->sent ? IDENTITY__SENT : IDENTITY__UNSENT;
}

int32_t identity__exchange_progress(identity__exchange *exchange) {
  (void)pthread_mutex_lock(&exchange->link->lock);
  int32_t progress = progress_of(exchange);
  (void)pthread_mutex_unlock(&exchange->link->lock);
  return progress;
}

/* ---- what the transport says ---- */

int32_t identity_link_may_send(identity_link *link, uint64_t exchange) {
  identity__now now = identity__clock_read(&link->clock); /* the host's clock, not under the lock */
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *one = running(link, exchange);
  bool may = one != NULL && (one->may_leave == NULL || one->may_leave(one->owner, now));
  if (one != NULL)
    one->response.late = !may;
  (void)pthread_mutex_unlock(&link->lock);
  return may;
}

void identity_link_sent(identity_link *link, uint64_t exchange) {
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *one = running(link, exchange);
  if (one != NULL)
    one->sent = true;
  (void)pthread_mutex_unlock(&link->lock);
}

int32_t identity_link_header(identity_link *link, uint64_t exchange, const char *line, uint64_t length) {
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *one = running(link, exchange);
  bool taken = one != NULL && line != NULL && length <= IDENTITY__MAX_HEADERS &&
               identity__headers_add(&one->headers, line, (size_t)length);
  (void)pthread_mutex_unlock(&link->lock);
  return taken;
}

int32_t identity_link_body(identity_link *link, uint64_t exchange, const void *bytes, uint64_t length) {
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *one = running(link, exchange);
  size_t size = length > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)length;
  bool taken = one != NULL && (bytes != NULL || length == 0) && !one->headers.encoded &&
               identity__buffer_add(&one->response.body, length > 0 ? bytes : "", size);
  (void)pthread_mutex_unlock(&link->lock);
  return taken;
}

/* A transport can only fail so; whatever else it says, the connection is what we have lost. */
static identity_status failure_of(const identity__exchange *exchange, identity_status failure) {
  int32_t status_class = identity_status_class(failure);
  if (failure == IDENTITY_OK)
    return exchange->headers.status != 0 ? IDENTITY_OK : IDENTITY_CONNECTION_LOST;
  bool known = status_class == IDENTITY_CLASS_RETRY_LATER || status_class == IDENTITY_CLASS_FIX_DEVICE ||
               failure == IDENTITY_BAD_CONFIGURATION;
  return known ? failure : IDENTITY_CONNECTION_LOST;
}

static void conclude(identity__exchange *exchange, identity_status failure, const char *detail,
                     int64_t wall_ms) {
  identity__response *response = &exchange->response;
  const identity__headers *headers = &exchange->headers;
  bool refused = response->body.failed || headers->encoded || headers->size > IDENTITY__MAX_HEADERS;
  response->failure = failure_of(exchange, failure);
  response->progress = progress_of(exchange);
  response->http_status = headers->status;
  response->date_s = headers->date_s;
  response->retry_after_ms = identity__headers_retry_after_ms(headers, wall_ms / 1000);
  identity__copy_line(response->detail, sizeof response->detail, detail != NULL ? detail : "");
  if (response->body.starved)
    response->failure = IDENTITY_OUT_OF_MEMORY;
  else if (refused)
    response->failure = IDENTITY_NOT_THE_SERVICE; /* also where the transport has not minded */
  if (refused && !response->body.starved)
    identity__copy_line(response->detail, sizeof response->detail,
                        headers->encoded ? "The answer has a content encoding nobody asked for"
                                         : "The answer is larger than the library takes");
}

void identity_link_complete(identity_link *link, uint64_t exchange, identity_status failure,
                            const char *detail) {
  int64_t wall_ms = identity__clock_read(&link->clock).wall_ms;
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *one = running(link, exchange);
  bool foreign = one != NULL && !(link->driving && pthread_equal(link->driver, pthread_self()));
  if (one != NULL) {
    conclude(one, failure, detail, wall_ms);
    one->state = COMPLETED;
    one->next = NULL;
    *link->completed_end = one;
    link->completed_end = &one->next;
  }
  (void)pthread_mutex_unlock(&link->lock);
  if (foreign)
    identity__poller_wake(&link->poller);
}

void identity_link_set_capacity(identity_link *link, uint32_t count) {
  (void)pthread_mutex_lock(&link->lock);
  if (count > 0)
    link->capacity = count < SLOTS ? count : SLOTS;
  (void)pthread_mutex_unlock(&link->lock);
}

int32_t identity_link_watch(identity_link *link, int64_t socket, int32_t events) {
  return identity__poller_watch(&link->poller, socket, events);
}

void identity_link_timer(identity_link *link, int64_t timeout_ms) {
  identity__poller_timer(&link->poller, timeout_ms);
}

/* ---- driving ---- */

uint32_t identity__transport_capacity(identity__transport *link) {
  (void)pthread_mutex_lock(&link->lock);
  uint32_t capacity = link->capacity;
  (void)pthread_mutex_unlock(&link->lock);
  return capacity;
}

static void on_ready(void *owner, int64_t socket, int32_t events) {
  identity_link *link = owner;
  if (link->calls.on_socket != NULL)
    link->calls.on_socket(link->state, socket, events);
}

static void run_timer(identity_link *link) {
  if (link->calls.on_timer != NULL && identity__poller_take_timer(&link->poller))
    link->calls.on_timer(link->state);
}

static bool has_completed(identity_link *link) {
  (void)pthread_mutex_lock(&link->lock);
  bool any = link->completed != NULL;
  (void)pthread_mutex_unlock(&link->lock);
  return any;
}

void identity__transport_wait(identity__transport *link, int64_t timeout_ms) {
  set_driving(link, true);
  run_timer(link); /* what was added just now is sent before anything is waited for */
  /* Its answer may have come while it was sent. */
  identity__poller_wait(&link->poller, has_completed(link) ? 0 : timeout_ms, on_ready, link);
  run_timer(link);
  set_driving(link, false);
}

identity__poller *identity__transport_poller(identity__transport *link) {
  return &link->poller;
}

void identity__transport_wake(identity__transport *link) {
  identity__poller_wake(&link->poller);
}

/* ---- begin and end ---- */

static identity_status choose(identity_link *link, const identity__transport_settings *settings,
                              identity_error *error) {
  if (settings->host != NULL && settings->host->start != NULL) {
    link->calls = *settings->host;
    return IDENTITY_OK;
  }
  return identity__curl_transport(settings, &link->calls, error);
}

static identity_status open_transport(identity_link *link, identity_error *error) {
  link->state = link->calls.user_data;
  identity_status status = IDENTITY_OK;
  if (link->calls.open != NULL)
    status = link->calls.open(link->calls.user_data, link, &link->state);
  link->opened = status == IDENTITY_OK;
  return link->opened ? status : identity__fail_plain(error, status);
}

identity__transport *identity__transport_new(const identity__transport_settings *settings,
                                             identity_error *error) {
  identity_link *link = calloc(1, sizeof *link);
  if (link == NULL || pthread_mutex_init(&link->lock, NULL) != 0) {
    free(link);
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
    return NULL;
  }
  link->completed_end = &link->completed;
  link->capacity = IDENTITY__MAX_CONNECTIONS;
  if (settings->clock != NULL)
    link->clock = *settings->clock;
  bool polls = identity__poller_init(&link->poller);
  link->user_agent = polls ? identity__secret_copy(settings->user_agent) : NULL;
  if (link->user_agent == NULL)
    (void)identity__fail_plain(error, IDENTITY_OUT_OF_MEMORY);
  else if (choose(link, settings, error) == IDENTITY_OK && open_transport(link, error) == IDENTITY_OK)
    return link;
  if (polls)
    identity__poller_clear(&link->poller);
  identity__secret_free(link->user_agent);
  (void)pthread_mutex_destroy(&link->lock);
  free(link);
  return NULL;
}

void identity__transport_free(identity__transport *link) {
  if (link == NULL)
    return;
  for (uint32_t i = 0; i < SLOTS; i++)
    if (link->slots[i] != NULL && link->slots[i]->state != IDLE)
      identity__exchange_release(link, link->slots[i]);
  if (link->calls.close != NULL)
    link->calls.close(link->state);
  for (uint32_t i = 0; i < SLOTS; i++)
    if (link->slots[i] != NULL)
      free_exchange(link, i);
  identity__poller_clear(&link->poller);
  identity__secret_free(link->user_agent);
  (void)pthread_mutex_destroy(&link->lock);
  free(link);
}
