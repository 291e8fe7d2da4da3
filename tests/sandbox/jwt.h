/* RS256 JSON Web Tokens (contract section 2) and the key set that verifies them (4.8). */
#ifndef SBX_JWT_H
#define SBX_JWT_H

#include <cjson/cJSON.h>
#include <openssl/evp.h>

/* NULL when memory or the key fails. */
char *sbx_jwt_sign(EVP_PKEY *key, const cJSON *claims);
/* The claims of a token that this key signed, else NULL. `exp` is for the caller to judge. */
cJSON *sbx_jwt_verify(EVP_PKEY *key, const char *token);
/* The claims without any check: for a token the service made itself. */
cJSON *sbx_jwt_claims(const char *token);
cJSON *sbx_jwt_key_set(EVP_PKEY *key);

#endif
