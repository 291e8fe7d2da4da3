#include "support/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  address.sin_port = htons((uint16_t)port);
  return address;
}

static int connect_to(int port) {
  struct sockaddr_in address = loopback(port);
  int side = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (side >= 0 && connect(side, (struct sockaddr *)&address, sizeof address) == 0)
    return side;
  if (side >= 0)
    close(side);
  return -1;
}

static void accept_one(relay *between) {
  int client = accept4(between->listener, NULL, NULL, SOCK_CLOEXEC);
  int service = client >= 0 && between->open < RELAY_MOST ? connect_to(between->target) : -1;
  if (service < 0) {
    if (client >= 0)
      close(client);
    return;
  }
  pthread_mutex_lock(&between->lock);
  int number = ++between->connections;
  pthread_mutex_unlock(&between->lock);
  between->pairs[between->open++] = (struct relay_pair){{client, service}, number};
}

static bool is_forgotten(relay *between, const struct relay_pair *pair) {
  pthread_mutex_lock(&between->lock);
  bool forgotten = pair->number <= between->forgotten;
  pthread_mutex_unlock(&between->lock);
  return forgotten;
}

/* False: the pair is over. What is sent on a forgotten one is acknowledged and goes nowhere, also its end. */
static bool pass(relay *between, const struct relay_pair *pair, int from) {
  char bytes[16384];
  ssize_t length = recv(pair->sides[from], bytes, sizeof bytes, 0);
  if (is_forgotten(between, pair))
    return length > 0;
  return length > 0 && send(pair->sides[!from], bytes, (size_t)length, MSG_NOSIGNAL) == length;
}

static void drop_pair(relay *between, int at) {
  close(between->pairs[at].sides[0]);
  close(between->pairs[at].sides[1]);
  between->pairs[at] = between->pairs[--between->open];
}

static void *run(void *user_data) {
  relay *between = user_data;
  struct pollfd all[2 + 2 * RELAY_MOST];
  for (;;) {
    int open = between->open;
    all[0] = (struct pollfd){between->stop[0], POLLIN, 0};
    all[1] = (struct pollfd){between->listener, POLLIN, 0};
    for (int i = 0; i < 2 * open; i++)
      all[2 + i] = (struct pollfd){between->pairs[i / 2].sides[i % 2], POLLIN, 0};
    if (poll(all, (nfds_t)(2 + 2 * open), -1) < 0)
      continue;
    if (all[0].revents != 0)
      break;
    for (int i = open - 1; i >= 0; i--) {
      bool goes_on = true;
      for (int from = 0; from < 2 && goes_on; from++)
        goes_on = all[2 + 2 * i + from].revents == 0 || pass(between, &between->pairs[i], from);
      if (!goes_on)
        drop_pair(between, i);
    }
    if (all[1].revents != 0)
      accept_one(between);
  }
  while (between->open > 0)
    drop_pair(between, 0);
  return NULL;
}

void relay_start(relay *between, int target_port) {
  struct sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  memset(between, 0, sizeof *between);
  between->target = target_port;
  between->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(between->listener >= 0);
  assert_int_equal(bind(between->listener, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(between->listener, 16), 0);
  assert_int_equal(getsockname(between->listener, (struct sockaddr *)&address, &size), 0);
  between->port = ntohs(address.sin_port);
  assert_int_equal(pipe(between->stop), 0);
  assert_int_equal(pthread_mutex_init(&between->lock, NULL), 0);
  assert_int_equal(pthread_create(&between->thread, NULL, run, between), 0);
}

void relay_stop(relay *between) {
  assert_int_equal(write(between->stop[1], "x", 1), 1);
  assert_int_equal(pthread_join(between->thread, NULL), 0);
  close(between->listener);
  close(between->stop[0]);
  close(between->stop[1]);
  pthread_mutex_destroy(&between->lock);
}

void relay_forget(relay *between) {
  pthread_mutex_lock(&between->lock);
  between->forgotten = between->connections;
  pthread_mutex_unlock(&between->lock);
}

int relay_connections(relay *between) {
  pthread_mutex_lock(&between->lock);
  int count = between->connections;
  pthread_mutex_unlock(&between->lock);
  return count;
}
