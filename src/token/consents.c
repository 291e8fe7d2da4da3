#include "token/consents.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdlib.h>

identity_consent_answer *identity__consents_copy(const identity_consent_answer *consents, uint32_t count) {
  identity_consent_answer *copies = count > 0 ? calloc(count, sizeof *copies) : NULL;
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

identity_consent_answer *identity__consents_keep(identity__arena *arena,
                                                 const identity_consent_answer *consents, uint32_t count) {
  identity_consent_answer *kept = identity__arena_take(arena, count * sizeof *kept);
  for (uint32_t i = 0; kept != NULL && i < count; i++) {
    kept[i].name = identity__arena_text(arena, consents[i].name);
    kept[i].version = identity__arena_text(arena, consents[i].version);
    kept[i].accepted = consents[i].accepted ? 1 : 0;
    if (kept[i].name == NULL || kept[i].version == NULL)
      return NULL;
  }
  return kept;
}

void identity__consents_free(identity_consent_answer *consents, uint32_t count) {
  if (consents == NULL)
    return;
  for (uint32_t i = 0; i < count; i++) {
    identity__secret_free((char *)consents[i].name);
    identity__secret_free((char *)consents[i].version);
  }
  identity__wipe(consents, count * sizeof *consents);
  free(consents);
}
