/* What a device puts in the place of the library's own store, clock and transport. */
#include "api/begin.h"
#include "api/settle.h"

#include <string.h>

void identity_store_init(identity_store *store, uint32_t size) {
  identity__init_params(store, size);
}

void identity_clock_init(identity_clock *clock, uint32_t size) {
  identity__init_params(clock, size);
}

static identity_status check_store(const identity_store *given, identity_store *store) {
  identity_status status =
      identity__check_params(given, IDENTITY__FIRST_SIZE(identity_store, swap), store, sizeof *store, NULL);
  if (status != IDENTITY_OK)
    return status;
  bool usable =
      store->load != NULL && store->swap != NULL && (store->flags & ~IDENTITY_STORE_ONE_PROCESS) == 0;
  return usable ? IDENTITY_OK : IDENTITY_BAD_ARGUMENT;
}

identity_status identity_config_set_store(identity_config *config, const identity_store *store) {
  identity_store copy = {0};
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  if (store == NULL)
    return identity_config_set_memory_store(config);
  identity_status status = check_store(store, &copy);
  if (status != IDENTITY_OK)
    return identity__settle(config, "store", status);
  config->host_store = copy;
  config->store_kind = IDENTITY__HOST_STORE;
  return IDENTITY_OK;
}

static identity_status check_clock(const identity_clock *given, identity__clock *clock) {
  identity_clock copy;
  identity_status status =
      identity__check_params(given, IDENTITY__FIRST_SIZE(identity_clock, boot_id), &copy, sizeof copy, NULL);
  if (status != IDENTITY_OK)
    return status;
  size_t length = copy.boot_id != NULL ? strnlen(copy.boot_id, sizeof clock->boot_id) : 0;
  if (copy.now == NULL || (copy.boot_id != NULL && length == 0) || length >= sizeof clock->boot_id)
    return IDENTITY_BAD_ARGUMENT;
  clock->now = copy.now;
  clock->user_data = copy.user_data;
  if (length > 0)
    memcpy(clock->boot_id, copy.boot_id, length);
  return IDENTITY_OK;
}

identity_status identity_config_set_clock(identity_config *config, const identity_clock *clock) {
  identity__clock made = {0};
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  identity_status status = clock != NULL ? check_clock(clock, &made) : IDENTITY_OK;
  if (status == IDENTITY_OK)
    config->clock = made;
  return identity__settle(config, "clock", status);
}

void identity_transport_init(identity_transport *transport, uint32_t size) {
  identity__init_params(transport, size);
}

static identity_status check_transport(const identity_transport *given, identity_transport *transport) {
  identity_status status = identity__check_params(given, IDENTITY__FIRST_SIZE(identity_transport, on_timer),
                                                  transport, sizeof *transport, NULL);
  if (status != IDENTITY_OK)
    return status;
  bool usable = transport->start != NULL && transport->cancel != NULL &&
                (transport->on_socket != NULL) == (transport->on_timer != NULL);
  return usable ? IDENTITY_OK : IDENTITY_BAD_ARGUMENT;
}

identity_status identity_config_set_transport(identity_config *config, const identity_transport *transport) {
  identity_transport copy = {0};
  if (config == NULL)
    return IDENTITY_BAD_ARGUMENT;
  identity_status status = transport != NULL ? check_transport(transport, &copy) : IDENTITY_OK;
  if (status == IDENTITY_OK)
    config->transport = copy;
  return identity__settle(config, "transport", status);
}
