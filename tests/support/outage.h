/* The network between a session and the service: a port of loopback that passes on what comes in, until it is
 * cut. */
#ifndef SUPPORT_OUTAGE_H
#define SUPPORT_OUTAGE_H

#include <pthread.h>

enum { OUTAGE_MOST = 32 };

typedef struct outage {
  int port;
  int target; /* the service's port */
  int listener;
  int listening;
  int orders[2]; /* pipes: one byte is an order, one byte back says that it is done */
  int done[2];
  pthread_t thread;
  int ends[OUTAGE_MOST][2]; /* of each connection; -1: free */
} outage;

void outage_start(outage *network, int target_port);
void outage_stop(outage *network);
/* Closes every connection and refuses new ones; the port stays ours. */
void outage_cut(outage *network);
void outage_mend(outage *network);

#endif
