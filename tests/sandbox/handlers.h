/* One function per operation of the contract; routes.c names the method and path of each. */
#ifndef SBX_HANDLERS_H
#define SBX_HANDLERS_H

#include "call.h"

void sbx_handle_locales(struct sbx_call *call);
void sbx_handle_publisher_consents(struct sbx_call *call);
void sbx_handle_register(struct sbx_call *call);
void sbx_handle_login(struct sbx_call *call);
void sbx_handle_sso_login(struct sbx_call *call);
void sbx_handle_refresh(struct sbx_call *call);
void sbx_handle_revoke(struct sbx_call *call);
void sbx_handle_key_set(struct sbx_call *call);
void sbx_handle_customer_consents(struct sbx_call *call);
void sbx_handle_update_consents(struct sbx_call *call);
void sbx_handle_reset_password(struct sbx_call *call);
void sbx_handle_update_password(struct sbx_call *call);
void sbx_handle_capture_status(struct sbx_call *call);
void sbx_handle_capture_answers(struct sbx_call *call);
void sbx_handle_customer(struct sbx_call *call);
void sbx_handle_update_customer(struct sbx_call *call);

/* The publisher that the body names by publisherId or offerId (4.3, 4.4, 4.11), or NULL after a refusal. */
struct sbx_publisher *sbx_owner_of_body(struct sbx_call *call);

#endif
