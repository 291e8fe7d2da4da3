/* SPDX-License-Identifier: MIT
 *
 * For back ends only: what needs the publisher's secret token. Never link these calls into an app that people
 * install: the token gives access to every customer of the publisher. Thread classes as in identity.h. Since: 0.1.0.
 */
#ifndef IDENTITY_SERVER_H
#define IDENTITY_SERVER_H

#include <identity/async.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Path of the single sign-on call, "/sso/auths" by default; the service's documentation does not settle it.
 *  NULL: as usual. Thread class: builder. Does not block. @return OK; BAD_ARGUMENT, OUT_OF_MEMORY. */
IDENTITY_API identity_status identity_config_set_sso_path(identity_config *config, const char *path);
/** Name of the header that carries the publisher token, "X-Publisher-Token" by default, not settled either.
 *  NULL: as usual. Thread class: builder. Does not block. @return OK; BAD_ARGUMENT, OUT_OF_MEMORY. */
IDENTITY_API identity_status identity_config_set_sso_header(identity_config *config, const char *header_name);

/** Signs a customer in whom the caller has authenticated by other means. Thread class: session. Blocks.
 *  Endpoint: POST /sso/auths.
 *  @param publisher_token the publisher's secret; copied, wiped when the call ends
 *  @param customer_ip address of the viewer; NULL: the one the request comes from
 *  @return OK; INVALID_INPUT (publisher_token, email, customer_ip), UNKNOWN_CUSTOMER, NOT_WITH_PUBLISHER, REFUSED,
 *  NOT_ALLOWED (the token), and what every call may return. */
IDENTITY_API identity_status identity_sso_login(identity_session *session, const char *publisher_token,
                                                const char *customer_email, const char *customer_ip,
                                                identity_error *error);

/** Its twin that does not block; no result. See async.h. */
IDENTITY_API identity_status identity_sso_login_start(identity_session *session, const char *publisher_token,
                                                      const char *customer_email, const char *customer_ip,
                                                      identity_done_fn done, void *user_data,
                                                      identity_call **call);

#ifdef __cplusplus
}
#endif

#endif
