/* All texts of the explorer's worlds: tokens and names by number. They live for ever, as do lists of
 * consents, and the explorer's link makes the library's copies of them the same memory: a record is cloned by
 * assignment. (That copies are made and wiped is for other tests.) */
#ifndef EXPLORE_TEXTS_H
#define EXPLORE_TEXTS_H

#include <stdbool.h>
#include <stdint.h>

char *explore_jwt(int32_t number);
char *explore_refresh_token(int32_t number);
char *explore_customer(int32_t number);
char *explore_owner(int32_t number);
char *explore_word(const char *word);
/* From now on no copy can be made: memory is out. */
void explore_starve(bool starved);
/* The number of such a text; 0: NULL. */
int32_t explore_number(const char *text);

#endif
