#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

void identity__wipe(void *memory, size_t size) {
  if (memory == NULL || size == 0)
    return;
  memset(memory, 0, size);
  /* The barrier makes the stores observable, so that they outlive dead-store elimination. */
  __asm__ __volatile__("" : : "r"(memory) : "memory");
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
