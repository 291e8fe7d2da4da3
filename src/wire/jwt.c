#include "wire/jwt.h"
#include "base/secret.h"
#include "base/text.h"
#include "wire/fields.h"
#include "wire/json.h"

#include <stdlib.h>
#include <string.h>

/* Value of a base64url digit (RFC 4648 section 5), or -1. */
static int digit_value(char c) {
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (identity__is_digit(c))
    return c - '0' + 52;
  if (c == '-')
    return 62;
  return c == '_' ? 63 : -1;
}

static size_t part_length(const char *part) {
  size_t length = 0;
  while (digit_value(part[length]) >= 0)
    length++;
  return length;
}

bool identity__jwt_has_three_parts(const char *jwt) {
  if (strnlen(jwt, IDENTITY__MAX_TOKEN + 1) > IDENTITY__MAX_TOKEN)
    return false;
  for (int part = 0; part < 3; part++) {
    size_t length = part_length(jwt);
    if (length == 0 || jwt[length] != (part < 2 ? '.' : '\0'))
      return false;
    jwt += length + 1;
  }
  return true;
}

/* Decoded size, or -1: one digit left over, or bits left over that are not zero. */
static int64_t decode(const char *digits, size_t length, char *bytes) {
  uint32_t bits = 0;
  int filled = 0;
  int64_t size = 0;
  for (size_t i = 0; i < length; i++) {
    bits = (bits << 6 | (uint32_t)digit_value(digits[i])) & 0xFFFFFF;
    filled += 6;
    if (filled < 8)
      continue;
    filled -= 8;
    bytes[size++] = (char)(bits >> filled & 0xFF);
  }
  if (filled == 6 || (bits & ((1u << filled) - 1)) != 0)
    return -1;
  return size;
}

enum { SHORTEST_LIFE_S = 1, LONGEST_LIFE_S = 7 * 24 * 3600, USUAL_LIFE_S = 15 * 60 };

int64_t identity__jwt_life_ms(const identity__claims *claims, int64_t date_s) {
  int64_t from = claims->issued_s > 0 ? claims->issued_s : date_s;
  int64_t life = from > 0 && claims->expires_s > 0 ? claims->expires_s - from : 0;
  bool sense = life >= SHORTEST_LIFE_S && life <= LONGEST_LIFE_S;
  return (sense ? life : USUAL_LIFE_S) * INT64_C(1000);
}

static void copy_id(char *target, size_t size, const identity__json *node) {
  char scratch[IDENTITY__ID_SCRATCH];
  const char *id = identity__json_id(node, scratch);
  if (id != NULL && strlen(id) < size && identity__all_digits(id))
    memcpy(target, id, strlen(id) + 1);
}

static void read_claims(const identity__json *payload, identity__claims *claims) {
  int64_t seconds;
  if (identity__json_integer(identity__json_member(payload, "exp"), &seconds) && seconds > 0)
    claims->expires_s = seconds;
  if (identity__json_integer(identity__json_member(payload, "iat"), &seconds) && seconds > 0)
    claims->issued_s = seconds;
  copy_id(claims->customer_id, sizeof claims->customer_id, identity__json_member(payload, "customerId"));
  copy_id(claims->publisher_id, sizeof claims->publisher_id, identity__json_member(payload, "publisherId"));
  const char *email = identity__json_text(identity__json_member(payload, "email"));
  if (email != NULL && strlen(email) < sizeof claims->email)
    memcpy(claims->email, email, strlen(email) + 1);
}

int identity__jwt_claims(const char *jwt, identity__claims *claims) {
  memset(claims, 0, sizeof *claims);
  if (!identity__jwt_has_three_parts(jwt))
    return IDENTITY__JWT_UNREADABLE;
  const char *payload = strchr(jwt, '.') + 1;
  size_t length = part_length(payload);
  char *bytes = malloc(length + 1);
  if (bytes == NULL)
    return IDENTITY__JWT_MEMORY;
  identity__json *root = NULL;
  int64_t size = decode(payload, length, bytes);
  if (size > 0)
    bytes[size] = '\0';
  int parsed = size > 0 ? identity__json_parse(bytes, (size_t)size, NULL, 0, &root) : IDENTITY__JSON_INVALID;
  bool readable = identity__json_is_object(root);
  if (readable)
    read_claims(root, claims);
  identity__json_free(root);
  identity__wipe(bytes, length);
  free(bytes);
  if (parsed == IDENTITY__JSON_MEMORY)
    return IDENTITY__JWT_MEMORY;
  return readable ? IDENTITY__JWT_OK : IDENTITY__JWT_UNREADABLE;
}
