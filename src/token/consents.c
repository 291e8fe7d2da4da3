#include "token/consents.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdlib.h>

identity__kept_consent *identity__consents_copy(const identity__kept_consent *consents, uint32_t count) {
  identity__kept_consent *copies = count > 0 ? calloc(count, sizeof *copies) : NULL;
  bool whole = copies != NULL;
  for (uint32_t i = 0; whole && i < count; i++) {
    copies[i].name = identity__secret_copy(consents[i].name);
    copies[i].version = identity__secret_copy(consents[i].version);
    copies[i].accepted = consents[i].accepted;
    whole = copies[i].name != NULL && copies[i].version != NULL;
  }
  if (whole)
    return copies;
  identity__consents_free(copies, count);
  return NULL;
}

void identity__consents_free(identity__kept_consent *consents, uint32_t count) {
  if (consents == NULL)
    return;
  for (uint32_t i = 0; i < count; i++) {
    identity__secret_free(consents[i].name);
    identity__secret_free(consents[i].version);
  }
  identity__wipe(consents, count * sizeof *consents);
  free(consents);
}
