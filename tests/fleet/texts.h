#ifndef TESTS_FLEET_TEXTS_H
#define TESTS_FLEET_TEXTS_H

#include <stdint.h>

enum { WORD_JWT, WORD_CUSTOMER, WORD_PUBLISHER };

char *fleet_refresh_token(uint32_t number);
char *fleet_word(int32_t word);

#endif
