#include "model.h"

#include "json.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_CUSTOMER_ID 533354305

struct sbx_publisher *sbx_publisher_by_id(const struct sbx_model *model, const char *id) {
  for (size_t i = 0; i < model->publisher_count; i++) {
    if (strcmp(model->publishers[i].id, id) == 0)
      return &model->publishers[i];
  }
  return NULL;
}

struct sbx_publisher *sbx_publisher_by_offer(const struct sbx_model *model, const char *offer_id) {
  for (size_t i = 0; i < model->publisher_count; i++) {
    const cJSON *offer = NULL;
    cJSON_ArrayForEach(offer, model->publishers[i].offers) {
      if (strcmp(offer->valuestring, offer_id) == 0)
        return &model->publishers[i];
    }
  }
  return NULL;
}

struct sbx_publisher *sbx_publisher_by_token(const struct sbx_model *model, const char *token) {
  for (size_t i = 0; i < model->publisher_count; i++) {
    const char *own = model->publishers[i].token;
    if (own != NULL && strcmp(own, token) == 0)
      return &model->publishers[i];
  }
  return NULL;
}

void sbx_publisher_clear(struct sbx_publisher *publisher) {
  free(publisher->token);
  free(publisher->captcha_accept);
  cJSON_Delete(publisher->offers);
  cJSON_Delete(publisher->consents);
  cJSON_Delete(publisher->capture);
  *publisher = (struct sbx_publisher){0};
}

struct sbx_customer *sbx_customer_by_id(const struct sbx_model *model, int64_t id) {
  for (size_t i = 0; i < model->customer_count; i++) {
    if (model->customers[i]->id == id)
      return model->customers[i];
  }
  return NULL;
}

struct sbx_customer *sbx_customer_by_email(const struct sbx_model *model, const char *email) {
  for (size_t i = 0; i < model->customer_count; i++) {
    if (strcasecmp(model->customers[i]->email, email) == 0)
      return model->customers[i];
  }
  return NULL;
}

struct sbx_customer *sbx_customer_by_external_id(const struct sbx_model *model, const char *publisher_id,
                                                 const char *external_id) {
  for (size_t i = 0; i < model->customer_count; i++) {
    struct sbx_customer *customer = model->customers[i];
    if (customer->external_id != NULL && strcmp(customer->external_id, external_id) == 0 &&
        strcmp(customer->publisher_id, publisher_id) == 0)
      return customer;
  }
  return NULL;
}

bool sbx_array_grow(void **array, size_t count, size_t *capacity, size_t element_size) {
  if (count < *capacity)
    return true;
  size_t larger = *capacity == 0 ? 16 : *capacity * 2;
  void *grown = reallocarray(*array, larger, element_size);
  if (grown == NULL)
    return false;
  *array = grown;
  *capacity = larger;
  return true;
}

bool sbx_customer_add(struct sbx_model *model, struct sbx_customer *customer) {
  void *array = model->customers;
  if (!sbx_array_grow(&array, model->customer_count, &model->customer_capacity,
                      sizeof(struct sbx_customer *)))
    return false;
  model->customers = array;
  if (model->next_customer_id < FIRST_CUSTOMER_ID)
    model->next_customer_id = FIRST_CUSTOMER_ID;
  if (customer->id == 0)
    customer->id = model->next_customer_id;
  if (customer->id >= model->next_customer_id)
    model->next_customer_id = customer->id + 1;
  model->customers[model->customer_count++] = customer;
  return true;
}

void sbx_customer_free(struct sbx_customer *customer) {
  if (customer == NULL)
    return;
  free(customer->email);
  free(customer->first_name);
  free(customer->last_name);
  free(customer->country);
  free(customer->locale);
  free(customer->currency);
  free(customer->external_id);
  free(customer->last_user_ip);
  cJSON_Delete(customer->external_data);
  cJSON_Delete(customer->consents);
  cJSON_Delete(customer->capture);
  free(customer);
}

bool sbx_outbox_add(struct sbx_model *model, const struct sbx_customer *customer, int64_t now,
                    const char *link) {
  if (model->mails == NULL)
    model->mails = calloc(SBX_OUTBOX_SIZE, sizeof *model->mails);
  if (model->mails == NULL)
    return false;
  struct sbx_mail *mail = &model->mails[model->mail_count % SBX_OUTBOX_SIZE];
  if (!sbx_text_replace(&mail->to, customer->email) || !sbx_text_replace(&mail->link, link))
    return false;
  mail->number = ++model->mail_count;
  mail->time = now;
  mail->customer_id = customer->id;
  memcpy(mail->publisher_id, customer->publisher_id, sizeof mail->publisher_id);
  return true;
}

void sbx_model_free(struct sbx_model *model) {
  for (size_t i = 0; i < model->publisher_count; i++)
    sbx_publisher_clear(&model->publishers[i]);
  for (size_t i = 0; i < model->customer_count; i++)
    sbx_customer_free(model->customers[i]);
  for (size_t i = 0; model->mails != NULL && i < SBX_OUTBOX_SIZE; i++) {
    free(model->mails[i].to);
    free(model->mails[i].link);
  }
  free(model->publishers);
  free(model->customers);
  free(model->refresh_tokens);
  free(model->reset_tokens);
  free(model->mails);
  *model = (struct sbx_model){0};
}
