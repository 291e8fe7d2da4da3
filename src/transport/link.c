/* What a transport says of exchanges, from whatever thread. */
#include "transport/link.h"
#include "base/text.h"

/* With the lock held. NULL: it is over, or was given up: what is said of it is not heard. */
static identity__exchange *running(const identity_link *link, uint64_t number) {
  uint64_t place = number % IDENTITY__MOST_SLOTS;
  identity__exchange *exchange = place < link->slot_count ? link->slots[place] : NULL;
  bool same = exchange != NULL && exchange->number == number && exchange->state == IDENTITY__RUNNING;
  return same ? exchange : NULL;
}

int32_t identity__link_progress(const identity__exchange *exchange) {
  if (exchange->headers.status != 0)
    return IDENTITY__ANSWERED;
  return exchange->sent ? IDENTITY__SENT : IDENTITY__UNSENT;
}

/* With the lock held: who drives the loop looks by itself when the transport returns. */
static bool is_driving(const identity_link *link) {
  return link->driving && pthread_equal(link->driver, pthread_self());
}

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
  bool sound = line != NULL && length <= IDENTITY__MAX_HEADERS;
  bool taken = one != NULL && sound && identity__headers_add(&one->headers, line, (size_t)length);
  if (one != NULL && !sound)
    one->headers.size = IDENTITY__MAX_HEADERS + 1; /* the answer is not whole, whatever is said of it */
  (void)pthread_mutex_unlock(&link->lock);
  return taken;
}

int32_t identity_link_body(identity_link *link, uint64_t exchange, const void *bytes, uint64_t length) {
  (void)pthread_mutex_lock(&link->lock);
  identity__exchange *one = running(link, exchange);
  size_t size = length > SIZE_MAX / 2 ? SIZE_MAX / 2 : (size_t)length;
  bool taken = one != NULL && (bytes != NULL || length == 0) && !one->headers.encoded &&
               identity__buffer_add(&one->response.body, length > 0 ? bytes : "", size);
  if (one != NULL && !taken && !one->headers.encoded)
    one->response.body.failed = true;
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
  response->progress = identity__link_progress(exchange);
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
  bool foreign = one != NULL && !is_driving(link);
  if (one != NULL) {
    conclude(one, failure, detail, wall_ms);
    one->state = IDENTITY__COMPLETED;
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
  uint32_t before = link->capacity;
  if (count > 0)
    link->capacity = count < IDENTITY__MAX_EXCHANGES ? count : IDENTITY__MAX_EXCHANGES;
  bool more = link->capacity > before && !is_driving(link);
  (void)pthread_mutex_unlock(&link->lock);
  if (more) /* calls may be waiting for a place */
    identity__poller_wake(&link->poller);
}

int32_t identity_link_watch(identity_link *link, int64_t socket, int32_t events) {
  return identity__poller_watch(&link->poller, socket, events);
}

void identity_link_timer(identity_link *link, int64_t timeout_ms) {
  identity__poller_timer(&link->poller, timeout_ms);
}
