/* Random tokens, their digests and fingerprints, and hashed passwords. */
#ifndef SBX_SECRETS_H
#define SBX_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

#define SBX_DIGEST_SIZE 32
/* The first 12 hex digits of SHA-256: tells tokens apart in the journal without giving one away. */
#define SBX_FINGERPRINT_SIZE 13
/* 64 hex digits, the form of the refresh token in the contract (section 2). */
#define SBX_TOKEN_SIZE 65

struct sbx_digest {
  unsigned char bytes[SBX_DIGEST_SIZE];
};

struct sbx_password {
  unsigned char salt[16];
  unsigned char hash[SBX_DIGEST_SIZE];
};

/* Fills `out` with size - 1 random lower-case hex digits and the final NUL; size is odd. */
bool sbx_random_hex(char *out, size_t size);
bool sbx_digest_of(const char *text, struct sbx_digest *digest);
bool sbx_digest_equal(const struct sbx_digest *a, const struct sbx_digest *b);
void sbx_fingerprint(const struct sbx_digest *digest, char out[SBX_FINGERPRINT_SIZE]);
/* The fingerprint of a text; empty when it can't be had. */
void sbx_fingerprint_of(const char *text, char out[SBX_FINGERPRINT_SIZE]);

bool sbx_password_set(struct sbx_password *password, const char *text);
bool sbx_password_matches(const struct sbx_password *password, const char *text);

#endif
