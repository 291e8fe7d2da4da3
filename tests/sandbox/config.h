/* The configuration document: publishers, customers, settings. README.md shows one. */
#ifndef SBX_CONFIG_H
#define SBX_CONFIG_H

#include "model.h"
#include "settings.h"
#include "shape.h"

#include <cjson/cJSON.h>

/* The document of a file, or the built-in one when path is NULL. NULL after a problem. */
cJSON *sbx_config_read(const char *path, struct sbx_problem *problem);
bool sbx_config_settings(const cJSON *config, struct sbx_settings *settings, struct sbx_problem *problem);
/* Fills an empty model; on failure the caller frees what is there. */
bool sbx_config_fill(const cJSON *config, int64_t now, struct sbx_model *model, struct sbx_problem *problem);

/* The members "captcha" and "capture" of a publisher; the control interface takes the same. */
bool sbx_config_captcha(struct sbx_publisher *publisher, const cJSON *captcha, const char *where,
                        struct sbx_problem *problem);
bool sbx_config_capture(struct sbx_publisher *publisher, const cJSON *capture, const char *where,
                        struct sbx_problem *problem);

extern const char sbx_default_config[];

#endif
