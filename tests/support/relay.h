/* What stands between a client and the service: passes bytes both ways until it forgets a connection, as a
 * router that starts anew does. Neither side is told: the connection is open, and nothing comes any more. */
#ifndef SUPPORT_RELAY_H
#define SUPPORT_RELAY_H

#include <pthread.h>
#include <stdbool.h>

enum { RELAY_MOST = 64 };

typedef struct relay {
  int port;
  int listener;
  int target; /* port of the service */
  int stop[2];
  pthread_t thread;
  pthread_mutex_t lock;
  int connections; /* ever */
  int forgotten;   /* how many of those, the first ones, are */
  struct relay_pair {
    int sides[2]; /* client, service */
    int number;   /* from 1 */
  } pairs[RELAY_MOST];
  int open;
} relay;

void relay_start(relay *between, int target_port);
void relay_stop(relay *between);
/* From now on nothing passes on the connections there are; new ones work. */
void relay_forget(relay *between);
int relay_connections(relay *between);

#endif
