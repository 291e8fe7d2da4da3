#include "jwt.h"

#include "json.h"
#include "text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_LIMIT 16384

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static void add_base64url(struct sbx_text *text, const unsigned char *bytes, size_t length) {
  for (size_t at = 0; at < length; at += 3) {
    size_t left = length - at;
    uint32_t group = 0;
    for (size_t i = 0; i < 3; i++)
      group = (group << 8) | (i < left ? bytes[at + i] : 0U);
    char out[4];
    for (size_t i = 0; i < 4; i++)
      out[i] = alphabet[(group >> (18 - 6 * i)) & 63];
    sbx_text_add_bytes(text, out, left < 3 ? left + 1 : 4);
  }
}

/* Returns a new buffer with a NUL behind it, or NULL: not base64url, or no memory. */
static unsigned char *decode_base64url(const char *text, size_t length, size_t *decoded) {
  unsigned char *bytes = malloc(length + 1);
  if (bytes == NULL || length % 4 == 1)
    goto refuse;
  uint32_t group = 0;
  size_t bits = 0, used = 0;
  for (size_t at = 0; at < length; at++) {
    const char *place = text[at] == '\0' ? NULL : strchr(alphabet, text[at]);
    if (place == NULL)
      goto refuse;
    group = (group << 6) | (uint32_t)(place - alphabet);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[used++] = (unsigned char)(group >> bits);
      group &= (1U << bits) - 1;
    }
  }
  if (group != 0)
    goto refuse;
  bytes[used] = '\0';
  *decoded = used;
  return bytes;
refuse:
  free(bytes);
  return NULL;
}

static bool sign_bytes(EVP_PKEY *key, const char *bytes, size_t length, unsigned char *signature,
                       size_t *size) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool ok = context != NULL && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
            EVP_DigestSign(context, signature, size, (const unsigned char *)bytes, length) == 1;
  EVP_MD_CTX_free(context);
  return ok;
}

static bool signature_fits(EVP_PKEY *key, const char *bytes, size_t length, const unsigned char *signature,
                           size_t size) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool ok = context != NULL && EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
            EVP_DigestVerify(context, signature, size, (const unsigned char *)bytes, length) == 1;
  EVP_MD_CTX_free(context);
  return ok;
}

char *sbx_jwt_sign(EVP_PKEY *key, const cJSON *claims) {
  static const char header[] = "{\"alg\":\"RS256\",\"typ\":\"JWT\"}";
  struct sbx_text token = {0};
  unsigned char signature[1024];
  size_t size = sizeof signature;
  char *payload = cJSON_PrintUnformatted(claims);
  if (payload == NULL)
    return NULL;
  add_base64url(&token, (const unsigned char *)header, sizeof header - 1);
  sbx_text_add(&token, ".");
  add_base64url(&token, (const unsigned char *)payload, strlen(payload));
  cJSON_free(payload);
  if (token.failed || !sign_bytes(key, token.bytes, token.length, signature, &size)) {
    sbx_text_free(&token);
    return NULL;
  }
  sbx_text_add(&token, ".");
  add_base64url(&token, signature, size);
  return sbx_text_take(&token);
}

static cJSON *decode_object(const char *part, size_t length) {
  size_t decoded = 0;
  unsigned char *bytes = decode_base64url(part, length, &decoded);
  cJSON *object = bytes == NULL ? NULL : sbx_json_parse((const char *)bytes, decoded);
  free(bytes);
  return sbx_json_finish(object, cJSON_IsObject(object));
}

/* Finds the two dots of a compact token; a third one makes it none. */
static bool split(const char *token, const char **first, const char **second) {
  if (strlen(token) > TOKEN_LIMIT)
    return false;
  *first = strchr(token, '.');
  *second = *first == NULL ? NULL : strchr(*first + 1, '.');
  return *second != NULL && strchr(*second + 1, '.') == NULL;
}

/* Only RS256 counts: a verifier that believes the header's word could be told "none". */
static bool header_is_ours(const char *token, size_t length) {
  cJSON *header = decode_object(token, length);
  const char *algorithm = sbx_json_text(header, "alg");
  bool ours = algorithm != NULL && strcmp(algorithm, "RS256") == 0;
  cJSON_Delete(header);
  return ours;
}

cJSON *sbx_jwt_verify(EVP_PKEY *key, const char *token) {
  const char *first = NULL, *second = NULL;
  if (!split(token, &first, &second) || !header_is_ours(token, (size_t)(first - token)))
    return NULL;
  size_t size = 0;
  unsigned char *signature = decode_base64url(second + 1, strlen(second + 1), &size);
  bool fits = signature != NULL && signature_fits(key, token, (size_t)(second - token), signature, size);
  free(signature);
  return fits ? decode_object(first + 1, (size_t)(second - first - 1)) : NULL;
}

cJSON *sbx_jwt_claims(const char *token) {
  const char *first = NULL, *second = NULL;
  return split(token, &first, &second) ? decode_object(first + 1, (size_t)(second - first - 1)) : NULL;
}

static bool put_key_number(cJSON *jwk, const char *name, EVP_PKEY *key, const char *parameter) {
  BIGNUM *number = NULL;
  struct sbx_text text = {0};
  unsigned char bytes[1024];
  if (EVP_PKEY_get_bn_param(key, parameter, &number) != 1)
    return false;
  bool ok = BN_num_bytes(number) <= (int)sizeof bytes;
  if (ok)
    add_base64url(&text, bytes, (size_t)BN_bn2bin(number, bytes));
  BN_free(number);
  char *encoded = ok ? sbx_text_take(&text) : NULL;
  ok = encoded != NULL && sbx_json_put_text(jwk, name, encoded);
  free(encoded);
  return ok;
}

cJSON *sbx_jwt_key_set(EVP_PKEY *key) {
  cJSON *jwk = cJSON_CreateObject();
  bool ok = sbx_json_put_text(jwk, "kty", "RSA") && sbx_json_put_text(jwk, "use", "sig") &&
            sbx_json_put_text(jwk, "alg", "RS256") && put_key_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N) &&
            put_key_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E);
  cJSON *keys = cJSON_CreateArray();
  ok = sbx_json_append(keys, sbx_json_finish(jwk, ok));
  cJSON *set = cJSON_CreateObject();
  return sbx_json_finish(set, sbx_json_put(set, "keys", sbx_json_finish(keys, ok)));
}
