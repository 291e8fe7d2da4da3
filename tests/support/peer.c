#include "support/peer.h"

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

static int listen_somewhere(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(listener >= 0);
  assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(listen(listener, 16), 0);
  assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
  *port = ntohs(address.sin_port);
  return listener;
}

/* False: the test is over. */
static bool wait_for(const peer *other, int socket, int timeout_ms, bool *ready) {
  struct pollfd both[2] = {{other->stop[0], POLLIN, 0}, {socket, POLLIN, 0}};
  (void)poll(both, socket >= 0 ? 2 : 1, timeout_ms);
  *ready = socket >= 0 && both[1].revents != 0;
  return both[0].revents == 0;
}

static void keep(peer *other, const char *bytes, size_t length) {
  pthread_mutex_lock(&other->lock);
  for (size_t i = 0; i < length && other->seen_length + 1 < sizeof other->seen; i++)
    other->seen[other->seen_length++] = bytes[i] != '\0' ? bytes[i] : ' ';
  pthread_mutex_unlock(&other->lock);
}

static bool read_request(peer *other, int client) {
  char bytes[4096];
  size_t length = 0;
  bool ready;
  while (length + 1 < sizeof bytes && wait_for(other, client, -1, &ready)) {
    ssize_t step = recv(client, bytes + length, sizeof bytes - 1 - length, 0);
    if (step <= 0)
      return false;
    keep(other, bytes + length, (size_t)step);
    length += (size_t)step;
    bytes[length] = '\0';
    if (strstr(bytes, "\r\n\r\n") != NULL)
      return true;
  }
  return false;
}

static void send_answer(const peer *other, int client) {
  size_t sent = 0;
  bool ready;
  while (sent < other->answer_length) {
    size_t wanted = other->slowly_ms > 0 ? 1 : other->answer_length - sent;
    ssize_t step = send(client, other->answer + sent, wanted, MSG_NOSIGNAL);
    if (step <= 0 || (other->slowly_ms > 0 && !wait_for(other, -1, other->slowly_ms, &ready)))
      return;
    sent += (size_t)step;
  }
  shutdown(client, SHUT_WR);
  (void)wait_for(other, client, 100, &ready);
}

static void *run(void *user_data) {
  peer *other = user_data;
  int silent[PEER_MOST_OPEN];
  size_t silent_count = 0;
  bool ready;
  while (wait_for(other, other->listener, -1, &ready)) {
    int client = accept4(other->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
      continue;
    pthread_mutex_lock(&other->lock);
    other->connections++;
    pthread_mutex_unlock(&other->lock);
    if (other->answer == NULL && silent_count < PEER_MOST_OPEN) {
      silent[silent_count++] = client;
      continue;
    }
    if (other->answer != NULL && read_request(other, client))
      send_answer(other, client);
    close(client);
  }
  while (silent_count > 0)
    close(silent[--silent_count]);
  return NULL;
}

void peer_start(peer *other, const char *answer, size_t answer_length, int slowly_ms) {
  memset(other, 0, sizeof *other);
  other->answer = answer;
  other->answer_length = answer_length;
  other->slowly_ms = slowly_ms;
  other->listener = listen_somewhere(&other->port);
  assert_int_equal(pipe(other->stop), 0);
  assert_int_equal(pthread_mutex_init(&other->lock, NULL), 0);
  assert_int_equal(pthread_create(&other->thread, NULL, run, other), 0);
}

void peer_stop(peer *other) {
  assert_int_equal(write(other->stop[1], "x", 1), 1);
  assert_int_equal(pthread_join(other->thread, NULL), 0);
  close(other->listener);
  close(other->stop[0]);
  close(other->stop[1]);
  pthread_mutex_destroy(&other->lock);
}

int peer_connections(peer *other) {
  pthread_mutex_lock(&other->lock);
  int count = other->connections;
  pthread_mutex_unlock(&other->lock);
  return count;
}

int peer_has_seen(peer *other, const char *text) {
  pthread_mutex_lock(&other->lock);
  int found = strstr(other->seen, text) != NULL;
  pthread_mutex_unlock(&other->lock);
  return found;
}

int peer_closed_port(void) {
  int port;
  close(listen_somewhere(&port));
  return port;
}
