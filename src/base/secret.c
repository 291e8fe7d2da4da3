#include "base/secret.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void identity__wipe(void *memory, size_t size) {
  if (memory == NULL || size == 0)
    return;
  memset(memory, 0, size);
  /* The barrier makes the stores observable, so that they outlive dead-store elimination. */
  __asm__ __volatile__("" : : "r"(memory) : "memory");
}

void identity__wipe_text(const char *text) {
  if (text == NULL)
    return;
  void *memory = (void *)(uintptr_t)text; /* NOLINT(performance-no-int-to-ptr): drops const */
  identity__wipe(memory, strlen(text));
}

char *identity__secret_copy(const char *text) {
  if (text == NULL)
    return NULL;
  size_t size = strlen(text) + 1;
  char *copy = malloc(size);
  if (copy != NULL)
    memcpy(copy, text, size);
  return copy;
}

void identity__secret_free(char *text) {
  if (text == NULL)
    return;
  identity__wipe(text, strlen(text));
  free(text);
}
