#include "secrets.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* Few on purpose: this guards nothing but test data, and every test logs in. */
#define PBKDF2_ROUNDS 2000

static void to_hex(const unsigned char *bytes, size_t count, char *out) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < count; i++) {
    out[2 * i] = digits[bytes[i] >> 4];
    out[2 * i + 1] = digits[bytes[i] & 15];
  }
  out[2 * count] = '\0';
}

bool sbx_random_hex(char *out, size_t size) {
  unsigned char bytes[SBX_DIGEST_SIZE];
  size_t count = (size - 1) / 2;
  if (count > sizeof bytes || RAND_bytes(bytes, (int)count) != 1)
    return false;
  to_hex(bytes, count, out);
  OPENSSL_cleanse(bytes, sizeof bytes);
  return true;
}

bool sbx_digest_of(const char *text, struct sbx_digest *digest) {
  return EVP_Digest(text, strlen(text), digest->bytes, NULL, EVP_sha256(), NULL) == 1;
}

bool sbx_digest_equal(const struct sbx_digest *a, const struct sbx_digest *b) {
  return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

void sbx_fingerprint(const struct sbx_digest *digest, char out[SBX_FINGERPRINT_SIZE]) {
  to_hex(digest->bytes, (SBX_FINGERPRINT_SIZE - 1) / 2, out);
}

void sbx_fingerprint_of(const char *text, char out[SBX_FINGERPRINT_SIZE]) {
  struct sbx_digest digest;
  out[0] = '\0';
  if (sbx_digest_of(text, &digest))
    sbx_fingerprint(&digest, out);
}

static bool derive(const struct sbx_password *password, const char *text, unsigned char *out) {
  size_t length = strlen(text);
  if (length > 4096)
    return false;
  return PKCS5_PBKDF2_HMAC(text, (int)length, password->salt, (int)sizeof password->salt, PBKDF2_ROUNDS,
                           EVP_sha256(), SBX_DIGEST_SIZE, out) == 1;
}

bool sbx_password_set(struct sbx_password *password, const char *text) {
  struct sbx_password fresh;
  if (RAND_bytes(fresh.salt, (int)sizeof fresh.salt) != 1 || !derive(&fresh, text, fresh.hash))
    return false;
  *password = fresh;
  return true;
}

bool sbx_password_matches(const struct sbx_password *password, const char *text) {
  unsigned char hash[SBX_DIGEST_SIZE];
  return derive(password, text, hash) && CRYPTO_memcmp(hash, password->hash, sizeof hash) == 0;
}
