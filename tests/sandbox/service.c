#include "service.h"

#include "config.h"

/* Faults and the journal are cleared, the clock goes back, customers and publishers are as the configuration
 * says. */
bool sbx_service_reset(struct sbx_service *service, struct sbx_problem *problem) {
  struct sbx_clock clock = {0};
  struct sbx_model model = {0};
  if (!sbx_config_fill(service->start_config, sbx_clock_now(&clock), &model, problem)) {
    sbx_model_free(&model);
    return false;
  }
  sbx_model_free(&service->model);
  service->model = model;
  service->clock = clock;
  service->settings = service->start_settings;
  sbx_faults_clear(&service->faults);
  sbx_journal_clear(&service->journal);
  return true;
}

void sbx_service_free(struct sbx_service *service) {
  sbx_model_free(&service->model);
  sbx_faults_clear(&service->faults);
  sbx_journal_free(&service->journal);
  cJSON_Delete(service->start_config);
  EVP_PKEY_free(service->jwt_key);
  *service = (struct sbx_service){0};
}
