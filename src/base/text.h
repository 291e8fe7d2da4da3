/* Text without the C library's locale: tr_TR must not change what a header or an e-mail address is. */
#ifndef IDENTITY__TEXT_H
#define IDENTITY__TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

char identity__lower(char c);
static inline bool identity__is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool identity__is_letter(char c);
bool identity__all_digits(const char *text);

/* Equal without regard to ASCII case. */
bool identity__same_text(const char *a, const char *b);
bool identity__starts_with(const char *text, const char *prefix);
/* First place of needle in text without regard to ASCII case, or NULL. */
const char *identity__find_text(const char *text, const char *needle);

/* Bytes of the UTF-8 character at text (RFC 3629: no surrogates, no overlong forms), 0 when there is none. */
size_t identity__utf8_length(const char *text, size_t available);
/* Characters of a text, or -1 when it is not UTF-8. */
int64_t identity__utf8_characters(const char *text);
/* Copies as much as fits, whole characters only, control characters and broken bytes replaced by '?'. */
void identity__copy_line(char *target, size_t size, const char *text);

/* One of several texts that stand one behind the other, each with its zero byte. */
const char *identity__joined_text(const char *joined, size_t index);

#endif
