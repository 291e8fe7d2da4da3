/* Memory that held a password or a token is wiped before it is freed. */
#ifndef IDENTITY__SECRET_H
#define IDENTITY__SECRET_H

#include <stddef.h>

/* Zeroes memory in a way the compiler may not remove; NULL is fine. */
void identity__wipe(void *memory, size_t size);

/* The same for a text of a result, which the app may only read; NULL is fine. */
void identity__wipe_text(const char *text);

/* Copy of a text that must be freed with identity__secret_free; NULL when memory is out or text is NULL. */
char *identity__secret_copy(const char *text);
void identity__secret_free(char *text);

#endif
