#include "tls_state.h"

#include "key_files.h"
#include "text.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY 86400L
#define CA_DAYS 3650
/* The longest life that every platform accepts from a server certificate of a private authority. */
#define SERVER_DAYS 825

/* What is wrong with a server certificate on purpose. */
struct flaw {
  const char *name;
  const char *alt_names;
  long begins_days, ends_days; /* from now */
};

static const struct flaw flaws[] = {
    {"good", "DNS:localhost,IP:127.0.0.1,IP:::1", -1, SERVER_DAYS - 1},
    {"expired", "DNS:localhost,IP:127.0.0.1,IP:::1", -30, -2},
    {"early", "DNS:localhost,IP:127.0.0.1,IP:::1", 2, 30},
    {"other-host", "DNS:elsewhere.example.com,IP:192.0.2.1", -1, SERVER_DAYS - 1},
};

static const struct flaw *find_flaw(const char *name) {
  for (size_t i = 0; name != NULL && i < sizeof flaws / sizeof flaws[0]; i++)
    if (strcmp(flaws[i].name, name) == 0)
      return &flaws[i];
  return name == NULL ? &flaws[0] : NULL;
}

bool sbx_tls_is_certificate(const char *name) {
  return find_flaw(name) != NULL;
}

struct extension {
  int nid;
  const char *value;
};

static const struct extension ca_extensions[] = {
    {NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
    {NID_key_usage, "critical,keyCertSign,cRLSign"},
    {NID_subject_key_identifier, "hash"},
};

static const struct extension server_extensions[] = {
    {NID_basic_constraints, "critical,CA:FALSE"},
    {NID_key_usage, "critical,digitalSignature"},
    {NID_ext_key_usage, "serverAuth"},
    {NID_subject_alt_name, NULL}, /* as the flaw says */
    {NID_subject_key_identifier, "hash"},
    {NID_authority_key_identifier, "keyid:always"},
};

static bool add_extensions(X509 *certificate, X509 *issuer, const struct extension *list, size_t count,
                           const char *alt_names) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
  for (size_t i = 0; i < count; i++) {
    const char *value = list[i].value == NULL ? alt_names : list[i].value;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, list[i].nid, value);
    bool ok = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    if (!ok)
      return false;
  }
  return true;
}

static bool set_serial(X509 *certificate) {
  unsigned char bytes[8];
  if (RAND_bytes(bytes, (int)sizeof bytes) != 1)
    return false;
  bytes[0] &= 0x7f;
  BIGNUM *number = BN_bin2bn(bytes, (int)sizeof bytes, NULL);
  bool ok = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
  BN_free(number);
  return ok;
}

static bool set_name(X509 *certificate, const char *common_name) {
  X509_NAME *name = X509_get_subject_name(certificate);
  const unsigned char *organisation = (const unsigned char *)"identity-sandbox (local tests only)";
  return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, organisation, -1, -1, 0) == 1 &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1,
                                    0) == 1;
}

/* issuer NULL: signs itself, and is an authority without a flaw. */
static X509 *make_certificate(EVP_PKEY *key, const char *common_name, X509 *issuer, EVP_PKEY *issuer_key,
                              const struct flaw *flaw) {
  X509 *certificate = X509_new();
  if (certificate == NULL)
    return NULL;
  bool is_ca = issuer == NULL;
  X509 *signer = is_ca ? certificate : issuer;
  const struct extension *list = is_ca ? ca_extensions : server_extensions;
  size_t count = is_ca ? sizeof ca_extensions / sizeof ca_extensions[0]
                       : sizeof server_extensions / sizeof server_extensions[0];
  long begins = is_ca ? -1 : flaw->begins_days;
  long ends = is_ca ? CA_DAYS - 1 : flaw->ends_days;
  bool ok = X509_set_version(certificate, 2) == 1 && set_serial(certificate) &&
            X509_gmtime_adj(X509_getm_notBefore(certificate), begins * DAY) != NULL &&
            X509_gmtime_adj(X509_getm_notAfter(certificate), ends * DAY) != NULL &&
            X509_set_pubkey(certificate, key) == 1 && set_name(certificate, common_name) &&
            X509_set_issuer_name(certificate, X509_get_subject_name(signer)) == 1 &&
            add_extensions(certificate, signer, list, count, flaw->alt_names) &&
            X509_sign(certificate, is_ca ? key : issuer_key, EVP_sha256()) > 0;
  if (ok)
    return certificate;
  X509_free(certificate);
  return NULL;
}

static char *certificate_to_pem(X509 *certificate) {
  BIO *memory = BIO_new(BIO_s_mem());
  char *bytes = NULL;
  struct sbx_text text = {0};
  if (memory != NULL && PEM_write_bio_X509(memory, certificate) == 1) {
    long length = BIO_get_mem_data(memory, &bytes);
    sbx_text_add_bytes(&text, bytes, (size_t)length);
  }
  BIO_free(memory);
  return text.length == 0 ? NULL : sbx_text_take(&text);
}

static X509 *certificate_from_pem(const char *pem) {
  BIO *memory = pem == NULL ? NULL : BIO_new_mem_buf(pem, -1);
  X509 *certificate = memory == NULL ? NULL : PEM_read_bio_X509(memory, NULL, NULL, NULL);
  BIO_free(memory);
  return certificate;
}

static bool holds_for_a_day(const X509 *certificate) {
  time_t now = time(NULL), tomorrow = now + DAY;
  return X509_cmp_time(X509_get0_notBefore(certificate), &now) < 0 &&
         X509_cmp_time(X509_get0_notAfter(certificate), &tomorrow) > 0;
}

/* Trusting the files alone would let a half-replaced directory fail later, at the first handshake. */
static bool usable(const char *ca_pem, const struct sbx_tls *tls) {
  X509 *ca = certificate_from_pem(ca_pem);
  X509 *server = certificate_from_pem(tls->certificate);
  EVP_PKEY *key = sbx_key_from_pem(tls->key);
  bool ok = ca != NULL && server != NULL && key != NULL && X509_check_private_key(server, key) == 1 &&
            X509_verify(server, X509_get0_pubkey(ca)) == 1 && holds_for_a_day(ca) && holds_for_a_day(server);
  X509_free(ca);
  X509_free(server);
  EVP_PKEY_free(key);
  return ok;
}

static bool load(const char *directory, struct sbx_tls *tls) {
  char *ca_pem = sbx_state_read(directory, "ca.pem");
  tls->certificate = sbx_state_read(directory, "server.pem");
  tls->key = sbx_state_read(directory, "server.key");
  bool ok = usable(ca_pem, tls);
  free(ca_pem);
  if (!ok)
    sbx_tls_free(tls);
  return ok;
}

/* The authority's key is dropped after its one signature: nobody can make a second certificate that apps
 * trust. */
static bool make(const char *directory, struct sbx_tls *tls, const struct flaw *flaw) {
  EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
  X509 *ca = NULL, *server = NULL;
  if (ca_key != NULL && key != NULL)
    ca = make_certificate(ca_key, "identity-sandbox authority", NULL, NULL, flaw);
  if (ca != NULL)
    server = make_certificate(key, "localhost", ca, ca_key, flaw);
  char *ca_pem = ca == NULL ? NULL : certificate_to_pem(ca);
  tls->certificate = server == NULL ? NULL : certificate_to_pem(server);
  tls->key = server == NULL ? NULL : sbx_key_to_pem(key);
  bool ok = ca_pem != NULL && tls->certificate != NULL && tls->key != NULL &&
            sbx_state_write(directory, "server.key", tls->key, 0600) &&
            sbx_state_write(directory, "server.pem", tls->certificate, 0644) &&
            sbx_state_write(directory, "ca.pem", ca_pem, 0644);
  free(ca_pem);
  X509_free(server);
  X509_free(ca);
  EVP_PKEY_free(key);
  EVP_PKEY_free(ca_key);
  tls->made_now = ok;
  return ok;
}

bool sbx_tls_prepare(const char *directory, const char *certificate, struct sbx_tls *tls,
                     struct sbx_problem *problem) {
  const struct flaw *flaw = find_flaw(certificate);
  *tls = (struct sbx_tls){0};
  if ((certificate == NULL && load(directory, tls)) || (flaw != NULL && make(directory, tls, flaw)))
    return true;
  sbx_tls_free(tls);
  return sbx_problem_say(problem, "--tls", "cannot make certificates in %s: %s", directory, strerror(errno));
}

void sbx_tls_free(struct sbx_tls *tls) {
  free(tls->certificate);
  free(tls->key);
  *tls = (struct sbx_tls){0};
}
