#include "key_files.h"

#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_LIMIT 65536

bool sbx_state_path(const char *directory, const char *name, char out[SBX_PATH_SIZE]) {
  int length = snprintf(out, SBX_PATH_SIZE, "%s/%s", directory, name);
  return length > 0 && length < SBX_PATH_SIZE;
}

/* Two servers started on one directory must not make two authorities: the second waits and then finds the
 * first's. */
int sbx_state_lock(const char *directory, struct sbx_problem *problem) {
  char path[SBX_PATH_SIZE];
  if (mkdir(directory, 0700) != 0 && errno != EEXIST) {
    sbx_problem_say(problem, "--state", "cannot make %s: %s", directory, strerror(errno));
    return -1;
  }
  int lock = -1;
  if (sbx_state_path(directory, "lock", path))
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0 || flock(lock, LOCK_EX) != 0) {
    sbx_problem_say(problem, "--state", "cannot use %s: %s", directory, strerror(errno));
    sbx_state_unlock(lock);
    return -1;
  }
  return lock;
}

void sbx_state_unlock(int lock) {
  if (lock >= 0)
    close(lock);
}

char *sbx_state_read(const char *directory, const char *name) {
  char path[SBX_PATH_SIZE];
  FILE *file = sbx_state_path(directory, name, path) ? fopen(path, "re") : NULL;
  if (file == NULL)
    return NULL;
  char *text = malloc(FILE_LIMIT);
  size_t length = text == NULL ? 0 : fread(text, 1, FILE_LIMIT, file);
  bool whole = length > 0 && length < FILE_LIMIT && !ferror(file);
  fclose(file);
  if (!whole) {
    free(text);
    return NULL;
  }
  text[length] = '\0';
  return text;
}

bool sbx_state_write(const char *directory, const char *name, const char *text, unsigned mode) {
  char path[SBX_PATH_SIZE], fresh[SBX_PATH_SIZE + 16];
  if (!sbx_state_path(directory, name, path))
    return false;
  snprintf(fresh, sizeof fresh, "%s.new", path);
  unlink(fresh);
  int descriptor = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (descriptor < 0)
    return false;
  size_t length = strlen(text);
  bool ok = write(descriptor, text, length) == (ssize_t)length;
  ok = close(descriptor) == 0 && ok;
  if (ok && rename(fresh, path) == 0)
    return true;
  unlink(fresh);
  return false;
}

char *sbx_key_to_pem(EVP_PKEY *key) {
  BIO *memory = BIO_new(BIO_s_mem());
  char *bytes = NULL;
  struct sbx_text text = {0};
  if (memory != NULL && PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL) == 1) {
    long length = BIO_get_mem_data(memory, &bytes);
    sbx_text_add_bytes(&text, bytes, (size_t)length);
  }
  BIO_free(memory);
  return text.length == 0 ? NULL : sbx_text_take(&text);
}

EVP_PKEY *sbx_key_from_pem(const char *pem) {
  BIO *memory = pem == NULL ? NULL : BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = memory == NULL ? NULL : PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);
  BIO_free(memory);
  return key;
}

EVP_PKEY *sbx_jwt_key_load(const char *directory, struct sbx_problem *problem) {
  char *pem = directory == NULL ? NULL : sbx_state_read(directory, "jwt.key");
  EVP_PKEY *key = sbx_key_from_pem(pem);
  free(pem);
  if (key != NULL && EVP_PKEY_is_a(key, "RSA"))
    return key;
  EVP_PKEY_free(key);
  key = EVP_RSA_gen(2048);
  if (key == NULL) {
    sbx_problem_say(problem, "jwt.key", "cannot make a signing key");
    return NULL;
  }
  if (directory == NULL)
    return key;
  pem = sbx_key_to_pem(key);
  bool kept = pem != NULL && sbx_state_write(directory, "jwt.key", pem, 0600);
  free(pem);
  if (kept)
    return key;
  sbx_problem_say(problem, "jwt.key", "cannot write into %s: %s", directory, strerror(errno));
  EVP_PKEY_free(key);
  return NULL;
}
