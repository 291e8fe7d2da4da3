/* What the service knows: publishers, customers, tokens, mails. Plain data in memory, gone at the end. */
#ifndef SBX_MODEL_H
#define SBX_MODEL_H

#include "secrets.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Nine digits (contract 4.3). */
#define SBX_PUBLISHER_ID_SIZE 10

struct sbx_publisher {
  char id[SBX_PUBLISHER_ID_SIZE];
  char *token;     /* the publisher's API secret, for single sign-on (4.7) */
  cJSON *offers;   /* array of offer ids */
  cJSON *consents; /* array of definitions as 4.2 shows them */
  bool capture_enabled;
  cJSON *capture; /* array of settings as 4.13 shows them, without answers */
  bool captcha_enabled;
  char *captcha_accept; /* the one captchaValue that passes */
};

struct sbx_customer {
  int64_t id;
  char publisher_id[SBX_PUBLISHER_ID_SIZE];
  char *email;
  char *first_name;
  char *last_name;
  char *country;
  char *locale;
  char *currency;
  char *external_id;
  char *last_user_ip;
  cJSON *external_data; /* object or NULL */
  struct sbx_password password;
  int64_t registered_at;
  int64_t last_login_at;
  cJSON *consents; /* name -> {state, version, date} */
  cJSON *capture;  /* setting key -> answer as 4.13 shows it; without names and e-mail, which live above */
};

struct sbx_refresh_token {
  struct sbx_digest digest;
  int64_t customer_id;
  int64_t expires_at;
  int64_t used_at; /* 0: never */
};

struct sbx_reset_token {
  struct sbx_digest digest;
  int64_t customer_id;
  int64_t expires_at;
};

struct sbx_mail {
  uint64_t number;
  int64_t time;
  int64_t customer_id;
  char publisher_id[SBX_PUBLISHER_ID_SIZE];
  char *to;
  char *link;
};

#define SBX_OUTBOX_SIZE 1000

struct sbx_model {
  struct sbx_publisher *publishers;
  size_t publisher_count;
  struct sbx_customer **customers;
  size_t customer_count, customer_capacity;
  int64_t next_customer_id;
  struct sbx_refresh_token *refresh_tokens;
  size_t refresh_count, refresh_capacity;
  struct sbx_reset_token *reset_tokens;
  size_t reset_count, reset_capacity;
  struct sbx_mail *mails; /* a ring of SBX_OUTBOX_SIZE */
  uint64_t mail_count;
};

struct sbx_publisher *sbx_publisher_by_id(const struct sbx_model *model, const char *id);
struct sbx_publisher *sbx_publisher_by_offer(const struct sbx_model *model, const char *offer_id);
struct sbx_publisher *sbx_publisher_by_token(const struct sbx_model *model, const char *token);
void sbx_publisher_clear(struct sbx_publisher *publisher);

struct sbx_customer *sbx_customer_by_id(const struct sbx_model *model, int64_t id);
/* Addresses are compared without case. */
struct sbx_customer *sbx_customer_by_email(const struct sbx_model *model, const char *email);
struct sbx_customer *sbx_customer_by_external_id(const struct sbx_model *model, const char *publisher_id,
                                                 const char *external_id);
/* Takes the customer over and gives it an id when it has none; on false it still belongs to the caller. */
bool sbx_customer_add(struct sbx_model *model, struct sbx_customer *customer);
void sbx_customer_free(struct sbx_customer *customer);

/* Makes room for one more element; false when memory is out. */
bool sbx_array_grow(void **array, size_t count, size_t *capacity, size_t element_size);

bool sbx_outbox_add(struct sbx_model *model, const struct sbx_customer *customer, int64_t now,
                    const char *link);
void sbx_model_free(struct sbx_model *model);

#endif
