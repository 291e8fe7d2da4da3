#include "wire/url.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Digits at the front of a text, at most three, up to 255; 0: there is no such number. */
static size_t octet_length(const char *text, size_t available) {
  int32_t number = 0;
  size_t length = 0;
  for (; length < available && length < 3 && identity__is_digit(text[length]); length++)
    number = number * 10 + (text[length] - '0');
  return number <= 255 ? length : 0;
}

/* 127.0.0.0/8 in its plain spelling only: whatever is no address would be looked up as a name. */
static bool is_loopback_address(const char *host, size_t length) {
  if (length < 4 || strncmp(host, "127.", 4) != 0)
    return false;
  size_t at = 3;
  for (int octet = 2; octet <= 4; octet++) {
    if (at >= length || host[at] != '.')
      return false;
    size_t size = octet_length(host + at + 1, length - at - 1);
    if (size == 0)
      return false;
    at += 1 + size;
  }
  return at == length;
}

static bool is_loopback(const char *host, size_t length) {
  static const char *const names[] = {"localhost", "[::1]"};
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (strlen(names[i]) == length && strncmp(host, names[i], length) == 0)
      return true;
  return is_loopback_address(host, length);
}

/* What may stand in a name or an IPv4 address, and between the brackets of an IPv6 address. */
static bool is_host(const char *host, size_t length) {
  bool literal = length > 2 && host[0] == '[' && host[length - 1] == ']';
  for (size_t i = literal ? 1 : 0; i < (literal ? length - 1 : length); i++) {
    bool hex = identity__is_digit(host[i]) || (host[i] >= 'a' && host[i] <= 'f');
    bool plain = literal ? hex || host[i] == ':' : hex || identity__is_letter(host[i]) || host[i] == '-';
    if (!plain && host[i] != '.')
      return false;
  }
  return length > 0;
}

static bool is_port(const char *port, size_t length) {
  int32_t number = 0;
  for (size_t i = 0; i < length; i++) {
    if (!identity__is_digit(port[i]) || i > 4)
      return false;
    number = number * 10 + (port[i] - '0');
  }
  return number >= 1 && number <= 65535;
}

static void lower_in_place(char *text) {
  for (; *text != '\0'; text++)
    *text = identity__lower(*text);
}

/* "host:port" or "[::1]:port": where the port's colon is, or the end. */
static size_t host_length(const char *authority, size_t length) {
  size_t from = 0;
  if (length > 0 && authority[0] == '[')
    while (from < length && authority[from] != ']')
      from++;
  for (size_t i = from; i < length; i++)
    if (authority[i] == ':')
      return i;
  return length;
}

const char *identity__base_url(const char *text, bool loopback_http, identity__buffer *url) {
  if (strlen(text) > IDENTITY__MAX_URL / 4)
    return "is too long";
  if (!identity__is_absolute_url(text) || strpbrk(text, "?#@\\") != NULL)
    return "must be scheme://host[:port][/path] without user, query or fragment";
  const char *authority = strstr(text, "://") + 3;
  size_t scheme_size = (size_t)(authority - text);
  size_t authority_size = strcspn(authority, "/");
  if (!identity__buffer_add(url, text, scheme_size + authority_size))
    return "does not fit into memory";
  lower_in_place(url->bytes);
  const char *host = url->bytes + scheme_size;
  size_t host_size = host_length(host, authority_size);
  if (!is_host(host, host_size) ||
      (host_size < authority_size && !is_port(host + host_size + 1, authority_size - host_size - 1)))
    return "has no usable host or port";
  bool plain = identity__starts_with(url->bytes, "http://");
  if (!plain && !identity__starts_with(url->bytes, "https://"))
    return "must begin with https://";
  if (plain && !(loopback_http && is_loopback(host, host_size)))
    return "must begin with https:// (plain http is for loopback only, after "
           "identity_config_set_loopback_http)";
  const char *path = authority + authority_size;
  size_t path_size = strlen(path);
  while (path_size > 0 && path[path_size - 1] == '/')
    path_size--;
  return identity__buffer_add(url, path, path_size) ? NULL : "does not fit into memory";
}

bool identity__is_absolute_url(const char *text) {
  size_t length = strlen(text);
  if (length > IDENTITY__MAX_URL || !identity__is_letter(text[0]))
    return false;
  for (size_t i = 0; i < length; i++)
    if (text[i] <= 0x20 || text[i] >= 0x7F || strchr("\"<>\\^`{|}", text[i]) != NULL)
      return false;
  size_t scheme = 0;
  while (identity__is_letter(text[scheme]) || identity__is_digit(text[scheme]) ||
         (text[scheme] != '\0' && strchr("+-.", text[scheme]) != NULL))
    scheme++;
  const char *rest = text + scheme;
  return identity__starts_with(rest, "://") && rest[3] != '\0' && strchr("/?#", rest[3]) == NULL;
}

/* Of the stretch that stands in a URL as it is (RFC 3986 section 2.3). */
static size_t plain_length(const char *text) {
  size_t length = 0;
  while (identity__is_letter(text[length]) || identity__is_digit(text[length]) ||
         (text[length] != '\0' && strchr("-._~", text[length]) != NULL))
    length++;
  return length;
}

bool identity__url_encode(identity__buffer *url, const char *text) {
  while (*text != '\0') {
    char piece[4] = "";
    size_t plain = plain_length(text);
    if (plain == 0)
      (void)snprintf(piece, sizeof piece, "%%%02X", (unsigned)(uint8_t)*text);
    if (!identity__buffer_add(url, plain > 0 ? text : piece, plain > 0 ? plain : strlen(piece)))
      return false;
    text += plain > 0 ? plain : 1;
  }
  return true;
}

bool identity__url_build(identity__buffer *url, const char *base, const char *path, const char *id,
                         const char *query_name, const char *query_value) {
  const char *open = strchr(path, '{');
  size_t before = open != NULL ? (size_t)(open - path) : strlen(path);
  bool built = identity__buffer_add_text(url, base) && identity__buffer_add(url, path, before);
  if (open != NULL)
    built = built && identity__url_encode(url, id) && identity__buffer_add_text(url, strchr(open, '}') + 1);
  if (query_name != NULL)
    built = built && identity__buffer_add_text(url, "?") && identity__buffer_add_text(url, query_name) &&
            identity__buffer_add_text(url, "=") && identity__url_encode(url, query_value);
  return built;
}

static int hex_value(char c) {
  if (identity__is_digit(c))
    return c - '0';
  char lower = identity__lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* '+' stays a plus: it is common in addresses (jo+tv@example.com), and no address has a space. */
static bool decode(const char *from, size_t length, char *text, size_t size) {
  size_t used = 0;
  for (size_t i = 0; i < length; i++) {
    int byte = (unsigned char)from[i];
    if (from[i] == '%') {
      int high = i + 2 < length ? hex_value(from[i + 1]) : -1;
      int low = high >= 0 ? hex_value(from[i + 2]) : -1;
      if (low < 0)
        return false;
      byte = high * 16 + low;
      i += 2;
    }
    if (byte <= 0x20 || byte == 0x7F || used + 1 >= size)
      return false;
    text[used++] = (char)byte;
  }
  text[used] = '\0';
  return identity__utf8_characters(text) >= 0;
}

int identity__url_parameter(const char *url, const char *name, char *text, size_t size) {
  const char *query = strchr(url, '?');
  const char *end = url + strcspn(url, "#");
  int found = 0;
  if (query == NULL || query > end)
    return 0;
  for (const char *at = query + 1; at < end;) {
    size_t pair = strcspn(at, "&#");
    size_t key = strcspn(at, "=&#");
    if (key == strlen(name) && strncmp(at, name, key) == 0) {
      bool value = key < pair && at[key] == '=';
      if (found || !value || !decode(at + key + 1, pair - key - 1, text, size))
        return -1;
      found = 1;
    }
    at += pair + 1;
  }
  return found;
}
