/* URLs: building requests, checking what an app passes, reading the link of a password mail. */
#ifndef IDENTITY__URL_H
#define IDENTITY__URL_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

/* The address of a service: scheme, host, optional port and path; no user, query or fragment. Appends it to
 * an empty buffer in one spelling (scheme and host in lower case, no slash at the end). http needs
 * loopback_http and a loopback host. NULL is OK, else what is wrong with it. */
const char *identity__base_url(const char *text, bool loopback_http, identity__buffer *url);

/* RFC 3986 absolute URL of printable ASCII with something behind "scheme://". */
bool identity__is_absolute_url(const char *text);

/* Appends percent-encoded text (RFC 3986 section 2.1, everything but the unreserved characters). */
bool identity__url_encode(identity__buffer *url, const char *text);

/* Appends base and path; "{...}" of the path becomes the encoded id. Query name NULL: none. */
bool identity__url_build(identity__buffer *url, const char *base, const char *path, const char *id,
                         const char *query_name, const char *query_value);

/* Value of a query parameter, percent-decoded into text (size bytes with the end). 1: found; 0: not there;
 * -1: there twice, not decodable, not printable UTF-8, or too long. */
int identity__url_parameter(const char *url, const char *name, char *text, size_t size);

#endif
