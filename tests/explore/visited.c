#include "explore/visited.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_PLACES = 1 << 16 };

void *explore_grown(void *block, size_t size) {
  void *larger = realloc(block, size);
  if (larger == NULL) {
    (void)fprintf(stderr, "explore: memory is out\n");
    exit(2);
  }
  return larger;
}

/* ---- Seen ---- */

void explore_visited_init(explore_visited *visited) {
  *visited = (explore_visited){.places = FIRST_PLACES, .room = FIRST_PLACES};
  visited->hashes = explore_grown(NULL, visited->places * sizeof *visited->hashes);
  memset(visited->hashes, 0, visited->places * sizeof *visited->hashes);
  visited->parents = explore_grown(NULL, visited->room * sizeof *visited->parents);
  visited->steps = explore_grown(NULL, visited->room * sizeof *visited->steps);
}

void explore_visited_free(explore_visited *visited) {
  free(visited->hashes);
  free(visited->parents);
  free(visited->steps);
}

static uint64_t *place_of(const explore_visited *visited, uint64_t hash) {
  uint64_t place = hash & (visited->places - 1);
  while (visited->hashes[place] != 0 && visited->hashes[place] != hash)
    place = (place + 1) & (visited->places - 1);
  return &visited->hashes[place];
}

static void spread(explore_visited *visited) {
  explore_visited wider = *visited;
  wider.places *= 2;
  wider.hashes = explore_grown(NULL, wider.places * sizeof *wider.hashes);
  memset(wider.hashes, 0, wider.places * sizeof *wider.hashes);
  for (uint64_t i = 0; i < visited->places; i++)
    if (visited->hashes[i] != 0)
      *place_of(&wider, visited->hashes[i]) = visited->hashes[i];
  free(visited->hashes);
  *visited = wider;
}

bool explore_visit(explore_visited *visited, uint64_t hash, uint32_t parent, explore_step step) {
  uint64_t kept = hash != 0 ? hash : 1;
  uint64_t *place = place_of(visited, kept);
  if (*place == kept)
    return false;
  *place = kept;
  if (visited->count == visited->room) {
    visited->room += visited->room / 2;
    visited->parents = explore_grown(visited->parents, visited->room * sizeof *visited->parents);
    visited->steps = explore_grown(visited->steps, visited->room * sizeof *visited->steps);
  }
  visited->parents[visited->count] = parent;
  visited->steps[visited->count] = step;
  visited->count++;
  if (visited->count > visited->places / 3 * 2)
    spread(visited);
  return true;
}

int32_t explore_way(const explore_visited *visited, uint32_t number, explore_step *steps, int32_t most,
                    int32_t *root) {
  int32_t count = 0;
  uint32_t at = number;
  for (; visited->parents[at] != NO_PARENT && count < most; at = visited->parents[at])
    steps[count++] = visited->steps[at];
  *root = visited->steps[at];
  for (int32_t i = 0; i < count / 2; i++) {
    explore_step step = steps[i];
    steps[i] = steps[count - 1 - i];
    steps[count - 1 - i] = step;
  }
  return count;
}

size_t explore_visited_bytes(const explore_visited *visited) {
  return visited->places * sizeof *visited->hashes +
         visited->room * (sizeof *visited->parents + sizeof *visited->steps);
}
