/* Capture settings of a publisher: contract 4.13 and 4.14. */
#ifndef SBX_CAPTURE_H
#define SBX_CAPTURE_H

#include "model.h"
#include "shape.h"

/* Checks an array of settings and gives the publisher a copy of it. */
bool sbx_capture_replace(struct sbx_publisher *publisher, const cJSON *settings, const char *where,
                         struct sbx_problem *problem);
/* The setting of that key, or NULL. */
const cJSON *sbx_capture_setting(const struct sbx_publisher *publisher, const char *key);
bool sbx_capture_is_custom(const char *key);
/* Whether `value` is one of the options "a;b;c"; without any option every text is. */
bool sbx_capture_is_option(const char *options, const char *value);
/* The answer to one setting in the nested shape that is read; NULL when memory is out. */
cJSON *sbx_capture_answer(const struct sbx_customer *customer, const char *key);

#endif
