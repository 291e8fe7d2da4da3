#include "support/outage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CUT = 'c', MEND = 'm', STOP = 's' };

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  return address;
}

/* Bound and not listening: connecting is refused, and nobody else gets the port. */
static int bound_socket(int port) {
  static const int yes = 1;
  struct sockaddr_in address = loopback(port);
  int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  (void)setsockopt(bound, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(bound, (struct sockaddr *)&address, sizeof address) == 0)
    return bound;
  close(bound);
  return -1;
}

static void close_pair(int ends[2]) {
  for (int i = 0; i < 2; i++) {
    if (ends[i] >= 0)
      close(ends[i]);
    ends[i] = -1;
  }
}

static void cut(outage *network) {
  close(network->listener);
  network->listener = bound_socket(network->port);
  network->listening = 0;
  for (int i = 0; i < OUTAGE_MOST; i++)
    close_pair(network->ends[i]);
}

static void take_connection(outage *network) {
  struct sockaddr_in address = loopback(network->target);
  int free_place = 0;
  while (free_place < OUTAGE_MOST && network->ends[free_place][0] >= 0)
    free_place++;
  int ends[2] = {accept4(network->listener, NULL, NULL, SOCK_CLOEXEC),
                 socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  bool whole = ends[0] >= 0 && ends[1] >= 0 && free_place < OUTAGE_MOST &&
               connect(ends[1], (struct sockaddr *)&address, sizeof address) == 0;
  if (whole)
    memcpy(network->ends[free_place], ends, sizeof ends);
  else
    close_pair(ends);
}

/* Requests and answers here are small: a write never waits for long. */
static void pass_on(int ends[2], int from) {
  char bytes[4096];
  ssize_t length = recv(ends[from], bytes, sizeof bytes, 0);
  if (length <= 0 || send(ends[1 - from], bytes, (size_t)length, MSG_NOSIGNAL) != length)
    close_pair(ends);
}

static void pass_on_all(outage *network) {
  for (int i = 0; i < OUTAGE_MOST; i++)
    for (int from = 0; from < 2; from++) {
      struct pollfd one = {network->ends[i][from], POLLIN, 0};
      if (one.fd >= 0 && poll(&one, 1, 0) > 0)
        pass_on(network->ends[i], from);
    }
}

/* False: the end. */
static bool follow_order(outage *network) {
  char order = STOP;
  (void)!read(network->orders[0], &order, 1);
  if (order == MEND)
    network->listening = listen(network->listener, OUTAGE_MOST) == 0;
  else
    cut(network);
  (void)!write(network->done[1], &order, 1);
  return order != STOP;
}

static void *run(void *user_data) {
  outage *network = user_data;
  for (;;) {
    struct pollfd all[2 + OUTAGE_MOST * 2] = {{network->orders[0], POLLIN, 0},
                                              {network->listening ? network->listener : -1, POLLIN, 0}};
    for (int i = 0; i < OUTAGE_MOST * 2; i++)
      all[2 + i] = (struct pollfd){network->ends[i / 2][i % 2], POLLIN, 0};
    (void)poll(all, 2 + OUTAGE_MOST * 2, -1);
    if (all[0].revents != 0) {
      if (!follow_order(network))
        return NULL;
      continue; /* the sockets have changed */
    }
    if ((all[1].revents & POLLIN) != 0)
      take_connection(network);
    pass_on_all(network);
  }
}

static void give_order(outage *network, char order) {
  char answer = 0;
  assert_int_equal(write(network->orders[1], &order, 1), 1);
  assert_int_equal(read(network->done[0], &answer, 1), 1);
  assert_int_equal(answer, order);
}

void outage_start(outage *network, int target_port) {
  struct sockaddr_in address;
  socklen_t size = sizeof address;
  memset(network, 0, sizeof *network);
  memset(network->ends, -1, sizeof network->ends);
  network->target = target_port;
  network->listener = bound_socket(0);
  assert_true(network->listener >= 0);
  assert_int_equal(getsockname(network->listener, (struct sockaddr *)&address, &size), 0);
  network->port = ntohs(address.sin_port);
  assert_int_equal(listen(network->listener, OUTAGE_MOST), 0);
  network->listening = 1;
  assert_int_equal(pipe(network->orders), 0);
  assert_int_equal(pipe(network->done), 0);
  assert_int_equal(pthread_create(&network->thread, NULL, run, network), 0);
}

void outage_cut(outage *network) {
  give_order(network, CUT);
}

void outage_mend(outage *network) {
  give_order(network, MEND);
}

void outage_stop(outage *network) {
  give_order(network, STOP);
  assert_int_equal(pthread_join(network->thread, NULL), 0);
  close(network->listener);
  for (int i = 0; i < 2; i++) {
    close(network->orders[i]);
    close(network->done[i]);
  }
}
