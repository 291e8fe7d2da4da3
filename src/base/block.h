/* A result in one allocation: its size is measured first, then structs and texts are taken from it in turn.
 */
#ifndef IDENTITY__BLOCK_H
#define IDENTITY__BLOCK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct identity__block {
  char *base;
  size_t size;
  size_t used;
} identity__block;

/* What an allocation of this many bytes needs in a block. */
size_t identity__block_cost(size_t size);
/* What a text needs; NULL needs nothing. */
size_t identity__block_text_cost(const char *text);

/* Its first struct begins at base, so free(base) frees the result. */
bool identity__block_init(identity__block *block, size_t size);
/* Zeroed. Never fails when the size was measured right; NULL (and a failed assertion in debug builds) when it
 * was not. */
void *identity__block_take(identity__block *block, size_t size);
const char *identity__block_text(identity__block *block, const char *text);
const char *identity__block_text_part(identity__block *block, const char *text, size_t length);

/* A text of a result, and where in its struct it goes. */
typedef struct identity__block_member {
  size_t offset;
  const char *text; /* NULL stays NULL */
} identity__block_member;

/* A struct, zeroed but for these texts, in a block of its own; NULL: memory is out. */
void *identity__block_of(size_t size, const identity__block_member *texts, size_t count);
/* Frees a result that was made in a block; NULL is fine. */
void identity__block_free(const void *result);

#endif
