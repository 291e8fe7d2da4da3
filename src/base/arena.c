#include "base/arena.h"
#include "base/secret.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK_SIZE = 4096 };

struct identity__arena_chunk {
  identity__arena_chunk *next;
  size_t size;
  alignas(max_align_t) char bytes[];
};

void identity__arena_init(identity__arena *arena, void *storage, size_t size) {
  arena->chunks = NULL;
  arena->first = storage;
  arena->first_size = size;
  arena->free = storage;
  arena->left = size;
}

static size_t round_up(size_t size) {
  size_t unit = alignof(max_align_t);
  return (size + unit - 1) / unit * unit;
}

static int add_chunk(identity__arena *arena, size_t size) {
  size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
  identity__arena_chunk *chunk = malloc(sizeof *chunk + room);
  if (chunk == NULL)
    return 0;
  chunk->next = arena->chunks;
  chunk->size = room;
  arena->chunks = chunk;
  arena->free = chunk->bytes;
  arena->left = room;
  return 1;
}

void *identity__arena_take(identity__arena *arena, size_t size) {
  if (size > SIZE_MAX / 2)
    return NULL;
  size = round_up(size == 0 ? 1 : size);
  if (size > arena->left && !add_chunk(arena, size))
    return NULL;
  void *memory = arena->free;
  arena->free += size;
  arena->left -= size;
  memset(memory, 0, size);
  return memory;
}

char *identity__arena_text(identity__arena *arena, const char *text) {
  if (text == NULL)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = identity__arena_take(arena, size);
  if (copy != NULL)
    memcpy(copy, text, size);
  return copy;
}

void identity__arena_clear(identity__arena *arena) {
  /* What is left is known of the last chunk only. */
  size_t used = arena->chunks == NULL ? arena->first_size - arena->left : arena->first_size;
  while (arena->chunks != NULL) {
    identity__arena_chunk *chunk = arena->chunks;
    arena->chunks = chunk->next;
    identity__wipe(chunk, sizeof *chunk + chunk->size);
    free(chunk);
  }
  identity__wipe(arena->first, used);
  arena->free = arena->first;
  arena->left = arena->first_size;
}
