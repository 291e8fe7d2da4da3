#include "base/block.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t identity__block_cost(size_t size) {
  size_t unit = alignof(max_align_t);
  return (size + unit - 1) / unit * unit;
}

size_t identity__block_text_cost(const char *text) {
  return text == NULL ? 0 : strlen(text) + 1;
}

/* Structs grow from the front, texts from the back: no padding between texts. */
bool identity__block_init(identity__block *block, size_t size) {
  block->base = malloc(size);
  block->size = size;
  block->used = 0;
  return block->base != NULL;
}

void *identity__block_take(identity__block *block, size_t size) {
  size = identity__block_cost(size);
  assert(size <= block->size - block->used);
  if (size > block->size - block->used)
    return NULL;
  void *memory = block->base + block->used;
  block->used += size;
  memset(memory, 0, size);
  return memory;
}

const char *identity__block_text_part(identity__block *block, const char *text, size_t length) {
  assert(length < block->size - block->used);
  if (length >= block->size - block->used)
    return NULL;
  block->size -= length + 1;
  char *copy = block->base + block->size;
  memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

const char *identity__block_text(identity__block *block, const char *text) {
  return text == NULL ? NULL : identity__block_text_part(block, text, strlen(text));
}

void *identity__block_of(size_t size, const identity__block_member *texts, size_t count) {
  identity__block block;
  size_t whole = identity__block_cost(size);
  for (size_t i = 0; i < count; i++)
    whole += identity__block_text_cost(texts[i].text);
  if (!identity__block_init(&block, whole))
    return NULL;
  char *result = identity__block_take(&block, size);
  for (size_t i = 0; i < count; i++) {
    const char *text = identity__block_text(&block, texts[i].text);
    memcpy(result + texts[i].offset, &text, sizeof text);
  }
  return result;
}

/* Results are read-only for the app; here is where they are ours again. */
void identity__block_free(const void *result) {
  free((void *)(uintptr_t)result); /* NOLINT(performance-no-int-to-ptr): drops const, nothing else */
}
