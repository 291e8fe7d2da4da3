/* The transport that is there without a host's: libcurl. */
#ifndef IDENTITY__CURL_H
#define IDENTITY__CURL_H

#include "transport/transport.h"

/* A transport for one loop. On failure error is filled: OUT_OF_MEMORY, CA_FILE, BAD_CONFIGURATION. */
identity_status identity__curl_transport(const identity__transport_settings *settings,
                                         identity_transport *transport, identity_error *error);

#endif
