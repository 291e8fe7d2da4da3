/* A loop's side of its transport: exchanges begun, taken and released, and what drives them. */
#include "transport/transport.h"
#include "base/error.h"
#include "base/secret.h"
#include "transport/curl.h"
#include "transport/link.h"

#include <stdlib.h>
#include <string.h>

enum { IDLE_BODY = 64 * 1024 /* what an exchange keeps for the next answer */, RESERVED_BODY = 16 * 1024 };

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

static bool grow(identity_link *link) {
  uint32_t count = link->slot_count > 0 ? 2 * link->slot_count : IDENTITY__MAX_CONNECTIONS;
  identity__exchange **slots = count <= IDENTITY__MOST_SLOTS ? calloc(count, sizeof(void *)) : NULL;
  if (slots == NULL)
    return false;
  if (link->slot_count > 0)
    memcpy(slots, link->slots, link->slot_count * sizeof(void *));
  free(link->slots);
  link->slots = slots;
  link->slot_count = count;
  return true;
}

/* An idle exchange, which keeps its buffers' memory; else a new one. The number is one that was never used.
 */
static identity__exchange *take_exchange(identity_link *link) {
  uint32_t place = 0;
  uint32_t empty = link->slot_count;
  while (place < link->slot_count &&
         (link->slots[place] == NULL || link->slots[place]->state != IDENTITY__IDLE)) {
    if (link->slots[place] == NULL && empty == link->slot_count)
      empty = place;
    place++;
  }
  if (place < link->slot_count)
    link->idle_count--;
  else if (empty == link->slot_count && !grow(link))
    return NULL;
  else {
    place = empty;
    link->slots[place] = new_exchange(link);
  }
  if (link->slots[place] != NULL)
    link->slots[place]->number = ++link->uses * IDENTITY__MOST_SLOTS + place;
  return link->slots[place];
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
  exchange->plain = false;
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

/* With the lock held. */
static void drive(identity_link *link) {
  link->driving = true;
  link->driver = pthread_self();
}

static void begin_driving(identity_link *link) {
  (void)pthread_mutex_lock(&link->lock);
  drive(link);
  (void)pthread_mutex_unlock(&link->lock);
}

static void end_driving(identity_link *link) {
  (void)pthread_mutex_lock(&link->lock);
  link->driving = false;
  (void)pthread_mutex_unlock(&link->lock);
}

identity__exchange *identity__transport_start(identity__transport *link, const identity__request *request,
                                              void *owner) {
  (void)pthread_mutex_lock(&link->lock);
  drive(link);
  identity__exchange *exchange = take_exchange(link);
  bool ready = exchange != NULL && prepare(link, exchange, request);
  uint64_t number = exchange != NULL ? exchange->number : 0;
  if (exchange != NULL) {
    exchange->owner = owner;
    exchange->state = IDENTITY__RUNNING;
  }
  (void)pthread_mutex_unlock(&link->lock);
  identity_status begun = IDENTITY_OUT_OF_MEMORY;
  if (ready)
    begun = link->calls.start(link->state, link, number, &exchange->request);
  if (exchange != NULL && begun != IDENTITY_OK)
    identity_link_complete(link, number, begun, NULL); /* unless it has said so itself */
  end_driving(link);
  return exchange;
}

identity__exchange *identity__transport_next(identity__transport *link) {
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *exchange = link->completed;
  if (exchange != NULL) {
    link->completed = exchange->next;
    if (link->completed == NULL)
      link->completed_end = &link->completed;
    exchange->state = IDENTITY__TAKEN;
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
  if (exchange->plain)
    identity__buffer_reset_plain(&exchange->response.body);
  else
    identity__buffer_reset(&exchange->response.body);
  identity__buffer_reset(&exchange->bearer);
  memset(&exchange->request, 0, sizeof exchange->request);
  exchange->owner = NULL;
  exchange->state = IDENTITY__IDLE;
  if (link->idle_count >= IDENTITY__MAX_CONNECTIONS) {
    free_exchange(link, (uint32_t)(exchange->number % IDENTITY__MOST_SLOTS));
    return;
  }
  if (exchange->response.body.capacity > IDLE_BODY)
    identity__buffer_free(&exchange->response.body);
  link->idle_count++;
}

void identity__exchange_release(identity__transport *link, identity__exchange *exchange) {
  (void)pthread_mutex_lock(&link->lock);
  bool runs = exchange->state == IDENTITY__RUNNING;
  if (exchange->state == IDENTITY__COMPLETED)
    unlink_completed(link, exchange);
  exchange->state = IDENTITY__TAKEN;
  if (runs) {
    (void)pthread_mutex_unlock(&link->lock);
    begin_driving(link);
    link->calls.cancel(link->state, exchange->number);
    end_driving(link);
    (void)pthread_mutex_lock(&link->lock);
  }
  retire(link, exchange);
  (void)pthread_mutex_unlock(&link->lock);
}

const identity__response *identity__exchange_response(const identity__exchange *exchange) {
  return &exchange->response;
}

void identity__exchange_set_plain(identity__exchange *exchange) {
  exchange->plain = true;
}

void *identity__exchange_owner(const identity__exchange *exchange) {
  return exchange->owner;
}

int32_t identity__exchange_progress(identity__exchange *exchange) {
  (void)pthread_mutex_lock(&exchange->link->lock);
  int32_t progress = identity__link_progress(exchange);
  (void)pthread_mutex_unlock(&exchange->link->lock);
  return progress;
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

static bool run_timer(identity_link *link) {
  bool due = link->calls.on_timer != NULL && identity__poller_take_timer(&link->poller);
  if (due)
    link->calls.on_timer(link->state);
  return due;
}

bool identity__transport_has_completed(identity__transport *link) {
  (void)pthread_mutex_lock(&link->lock);
  bool any = link->completed != NULL;
  (void)pthread_mutex_unlock(&link->lock);
  return any;
}

bool identity__transport_wait(identity__transport *link, int64_t timeout_ms) {
  begin_driving(link);
  bool any = run_timer(link); /* what was added just now is sent before anything is waited for */
  /* Its answer may have come while it was sent. */
  int64_t wait_ms = identity__transport_has_completed(link) ? 0 : timeout_ms;
  any = identity__poller_wait(&link->poller, wait_ms, on_ready, link) || any;
  any = run_timer(link) || any;
  end_driving(link);
  return any;
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
  return status == IDENTITY_OK ? status : identity__fail_plain(error, status);
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
  for (uint32_t i = 0; i < link->slot_count; i++)
    if (link->slots[i] != NULL && link->slots[i]->state != IDENTITY__IDLE)
      identity__exchange_release(link, link->slots[i]);
  if (link->calls.close != NULL)
    link->calls.close(link->state);
  for (uint32_t i = 0; i < link->slot_count; i++)
    if (link->slots[i] != NULL)
      free_exchange(link, i);
  free(link->slots);
  identity__poller_clear(&link->poller);
  identity__secret_free(link->user_agent);
  (void)pthread_mutex_destroy(&link->lock);
  free(link);
}
