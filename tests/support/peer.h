/* Something on a port that is no service: a proxy, a stranger that a redirect leads to, a black hole. */
#ifndef SUPPORT_PEER_H
#define SUPPORT_PEER_H

#include <pthread.h>
#include <stddef.h>

enum { PEER_SEEN = 8192, PEER_MOST_OPEN = 512 };

typedef struct peer {
  int port;
  int listener;
  int stop[2]; /* a pipe: a byte ends the thread */
  pthread_t thread;
  const char *answer; /* NULL: accepts and stays silent */
  size_t answer_length;
  int slowly_ms; /* between two bytes; 0: all at once */
  pthread_mutex_t lock;
  int connections;
  char seen[PEER_SEEN]; /* what came in, as far as it fits */
  size_t seen_length;
} peer;

/* Answers each connection with the text once the headers of a request are there, and closes it. */
void peer_start(peer *other, const char *answer, size_t answer_length, int slowly_ms);
void peer_stop(peer *other);
int peer_connections(peer *other);
/* Whether a text came in on any connection. */
int peer_has_seen(peer *other, const char *text);
/* A port of loopback where nobody listens. */
int peer_closed_port(void);

#endif
