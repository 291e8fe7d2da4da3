#include "explore/texts.h"

#include "base/secret.h"
#include "token/consents.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KINDS = 4, NUMBERS = 100, WORDS = 8, SIZE = 8, LISTS = 4 };

static char texts[KINDS][NUMBERS][SIZE];

static char *text_of(int32_t kind, char letter, int32_t number) {
  char *text = texts[kind][number];
  if (text[0] == '\0')
    (void)snprintf(text, SIZE, "%c%d", letter, (int)(number % NUMBERS));
  return text;
}

char *explore_jwt(int32_t number) {
  return text_of(0, 'J', number);
}

char *explore_refresh_token(int32_t number) {
  return text_of(1, 'R', number);
}

char *explore_customer(int32_t number) {
  return text_of(2, 'C', number);
}

char *explore_owner(int32_t number) {
  return text_of(3, 'H', number);
}

char *explore_word(const char *word) {
  static char words[WORDS][SIZE];
  int32_t i = 0;
  while (words[i][0] != '\0' && strcmp(words[i], word) != 0)
    i++;
  if (words[i][0] == '\0')
    (void)snprintf(words[i], SIZE, "%s", word);
  return words[i];
}

int32_t explore_number(const char *text) {
  int32_t number = 0;
  for (const char *digit = text; digit != NULL && digit[0] != '\0' && digit[1] != '\0'; digit++)
    number = number * 10 + (digit[1] - '0');
  return number;
}

/* ---- In place of the library's own, by the linker's --wrap ---- */

char *__wrap_identity__secret_copy(const char *text);
void __wrap_identity__secret_free(char *text);
identity_consent_answer *__wrap_identity__consents_copy(const identity_consent_answer *consents,
                                                        uint32_t count);
void __wrap_identity__consents_free(identity_consent_answer *consents, uint32_t count);

static bool is_starved;

void explore_starve(bool starved) {
  is_starved = starved;
}

char *__wrap_identity__secret_copy(const char *text) {
  return is_starved ? NULL : (char *)(uintptr_t)text;
}

void __wrap_identity__secret_free(char *text) {
  (void)text;
}

static bool is_same(const identity_consent_answer *a, const identity_consent_answer *b) {
  return a->name == b->name && a->version == b->version && a->accepted == b->accepted;
}

/* A list for ever has room for one: more are not explored. */
identity_consent_answer *__wrap_identity__consents_copy(const identity_consent_answer *consents,
                                                        uint32_t count) {
  static identity_consent_answer lists[LISTS];
  int32_t i = 0;
  if (is_starved || count == 0)
    return NULL;
  while (i < LISTS && lists[i].name != NULL && !is_same(&lists[i], consents))
    i++;
  if (count > 1 || i == LISTS) {
    (void)fprintf(stderr, "explore: no room for these consents in the model\n");
    exit(2);
  }
  lists[i] = *consents;
  return &lists[i];
}

void __wrap_identity__consents_free(identity_consent_answer *consents, uint32_t count) {
  (void)consents;
  (void)count;
}
