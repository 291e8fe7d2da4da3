/* The worlds that were seen, and how each was reached; and the queue of those to go on from. */
#ifndef EXPLORE_VISITED_H
#define EXPLORE_VISITED_H

#include "explore/steps.h"
#include "explore/world.h"

#include <stdio.h>

#define NO_PARENT UINT32_MAX

typedef struct explore_visited {
  uint64_t *hashes; /* 0: free */
  uint64_t places;  /* a power of two */
  uint32_t count;
  uint32_t room;
  uint32_t *parents;   /* by number; of a root: NO_PARENT */
  explore_step *steps; /* of a root: its number */
} explore_visited;

/* As realloc, but ends the program when memory is out. */
void *explore_grown(void *block, size_t size);
void explore_visited_init(explore_visited *visited);
void explore_visited_free(explore_visited *visited);
/* Whether it is new; its number is count - 1 then. */
bool explore_visit(explore_visited *visited, uint64_t hash, uint32_t parent, explore_step step);
/* The steps from the root to a world; how many, with the root's number in *root. */
int32_t explore_way(const explore_visited *visited, uint32_t number, explore_step *steps, int32_t most,
                    int32_t *root);
size_t explore_visited_bytes(const explore_visited *visited);

/* Worlds in a row, each as what differs from the first, in blocks that are used again. */
typedef struct explore_block explore_block;
typedef struct explore_queue {
  explore_world *world; /* the first one */
  explore_block *first;
  explore_block *last;
  explore_block *spare;
  size_t blocks;
  uint64_t added;
  uint64_t taken;
} explore_queue;

void explore_queue_add(explore_queue *queue, const explore_world *world, uint32_t number);
bool explore_queue_next(explore_queue *queue, explore_world *world, uint32_t *number);
void explore_queue_free(explore_queue *queue);
size_t explore_queue_bytes(const explore_queue *queue);

#endif
