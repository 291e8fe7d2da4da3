/* The network between a session and the service: a port of loopback that passes on what comes in, until it is
 * cut. */
#ifndef SUPPORT_RELAY_H
#define SUPPORT_RELAY_H

#include <pthread.h>

enum { RELAY_MOST = 32 };

typedef struct relay {
  int port;
  int target; /* the service's port */
  int listener;
  int listening;
  int orders[2]; /* pipes: one byte is an order, one byte back says that it is done */
  int done[2];
  pthread_t thread;
  int ends[RELAY_MOST][2]; /* of each connection; -1: free */
} relay;

void relay_start(relay *network, int target_port);
void relay_stop(relay *network);
/* Closes every connection and refuses new ones; the port stays ours. */
void relay_cut(relay *network);
void relay_mend(relay *network);

#endif
