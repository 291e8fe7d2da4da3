/* Memory of one call: handed out piece by piece, wiped and freed as a whole, because much of it is secret. */
#ifndef IDENTITY__ARENA_H
#define IDENTITY__ARENA_H

#include <stddef.h>

typedef struct identity__arena_chunk identity__arena_chunk;

typedef struct identity__arena {
  identity__arena_chunk *chunks;
  char *free;  /* next free byte */
  size_t left; /* bytes behind it */
  char *first; /* storage the owner lent, wiped at the end */
  size_t first_size;
} identity__arena;

/* Begins with storage of the owner's (aligned for any type), so that a small call needs no further
 * allocation. */
void identity__arena_init(identity__arena *arena, void *storage, size_t size);
/* Zeroed memory aligned for any type, or NULL. */
void *identity__arena_take(identity__arena *arena, size_t size);
/* Copy of a text; NULL when memory is out or text is NULL. */
char *identity__arena_text(identity__arena *arena, const char *text);
void identity__arena_clear(identity__arena *arena);

#endif
