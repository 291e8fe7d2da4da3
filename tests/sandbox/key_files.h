/* The files in the --state directory. A file appears whole or not at all, and is private from its first byte.
 */
#ifndef SBX_KEY_FILES_H
#define SBX_KEY_FILES_H

#include "shape.h"

#include <openssl/evp.h>
#include <stdbool.h>

#define SBX_PATH_SIZE 4096

/* Makes the directory when it is missing; the lock is held until sbx_state_unlock(). -1 on failure. */
int sbx_state_lock(const char *directory, struct sbx_problem *problem);
void sbx_state_unlock(int lock);

bool sbx_state_path(const char *directory, const char *name, char out[SBX_PATH_SIZE]);
/* The file's text, NULL when there is none or it is too large to be one of ours. */
char *sbx_state_read(const char *directory, const char *name);
bool sbx_state_write(const char *directory, const char *name, const char *text, unsigned mode);

/* Directory NULL: a fresh key that lives in memory alone. */
EVP_PKEY *sbx_jwt_key_load(const char *directory, struct sbx_problem *problem);
char *sbx_key_to_pem(EVP_PKEY *key);
EVP_PKEY *sbx_key_from_pem(const char *pem);

#endif
