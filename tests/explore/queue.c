#include "explore/visited.h"

#include <stdlib.h>
#include <string.h>

enum { WORD = 8, WORDS = sizeof(explore_world) / WORD, BLOCK_BYTES = 4 << 20 };
enum { MOST_BYTES = sizeof(explore_world) + WORDS * 4 + 64 };
_Static_assert(sizeof(explore_world) % WORD == 0, "a world is made of words");

struct explore_block {
  explore_block *next;
  size_t length;
  size_t at; /* read up to here */
  uint8_t bytes[BLOCK_BYTES];
};

static explore_block *take_block(explore_queue *queue) {
  explore_block *block = queue->spare;
  if (block != NULL) {
    queue->spare = block->next;
  } else {
    block = explore_grown(NULL, sizeof *block);
    queue->blocks++;
  }
  block->next = NULL;
  block->length = block->at = 0;
  return block;
}

static explore_block *room(explore_queue *queue) {
  if (queue->last != NULL && queue->last->length + MOST_BYTES <= BLOCK_BYTES)
    return queue->last;
  explore_block *block = take_block(queue);
  if (queue->last != NULL)
    queue->last->next = block;
  else
    queue->first = block;
  queue->last = block;
  return block;
}

/* Most of a world is as it was in the first one. Each run: how many words are the same, how many differ, and
 * these.
 */
static uint8_t *pack(uint8_t *to, const uint64_t *words, const uint64_t *first, size_t count) {
  for (size_t at = 0; at < count;) {
    size_t same = at;
    while (same < count && words[same] == first[same])
      same++;
    size_t end = same;
    while (end < count && words[end] != first[end])
      end++;
    uint16_t run[2] = {(uint16_t)(same - at), (uint16_t)(end - same)};
    memcpy(to, run, sizeof run);
    memcpy(to + sizeof run, words + same, (end - same) * WORD);
    to += sizeof run + (end - same) * WORD;
    at = end;
  }
  return to;
}

static const uint8_t *unpack(const uint8_t *from, uint64_t *words, const uint64_t *first, size_t count) {
  for (size_t at = 0; at < count;) {
    uint16_t run[2];
    memcpy(run, from, sizeof run);
    memcpy(words + at, first + at, run[0] * (size_t)WORD);
    memcpy(words + at + run[0], from + sizeof run, run[1] * (size_t)WORD);
    from += sizeof run + run[1] * (size_t)WORD;
    at += (size_t)run[0] + run[1];
  }
  return from;
}

static const uint64_t *words_of(const explore_world *world) {
  return (const uint64_t *)(const void *)world;
}

void explore_queue_add(explore_queue *queue, const explore_world *world, uint32_t number) {
  if (queue->world == NULL) {
    queue->world = explore_grown(NULL, sizeof *world);
    memcpy(queue->world, world, sizeof *world);
  }
  explore_block *block = room(queue);
  uint8_t *to = block->bytes + block->length;
  memcpy(to, &number, sizeof number);
  to += sizeof number;
  to = pack(to, words_of(world), words_of(queue->world), WORDS);
  block->length = (size_t)(to - block->bytes);
  queue->added++;
}

bool explore_queue_next(explore_queue *queue, explore_world *world, uint32_t *number) {
  if (queue->added == queue->taken)
    return false;
  while (queue->first->at == queue->first->length) {
    explore_block *used = queue->first;
    queue->first = used->next;
    used->next = queue->spare;
    queue->spare = used;
  }
  explore_block *block = queue->first;
  const uint8_t *from = block->bytes + block->at;
  memcpy(number, from, sizeof *number);
  from += sizeof *number;
  from = unpack(from, (uint64_t *)(void *)world, words_of(queue->world), WORDS);
  block->at = (size_t)(from - block->bytes);
  queue->taken++;
  explore_settle(world);
  return true;
}

static void free_all(explore_block *block) {
  while (block != NULL) {
    explore_block *next = block->next;
    free(block);
    block = next;
  }
}

void explore_queue_free(explore_queue *queue) {
  free_all(queue->first);
  free_all(queue->spare);
  free(queue->world);
  *queue = (explore_queue){0};
}

size_t explore_queue_bytes(const explore_queue *queue) {
  return queue->blocks * sizeof(explore_block);
}
