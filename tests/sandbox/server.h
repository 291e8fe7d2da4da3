/* The HTTP(S) server: libmicrohttpd on the loopback address, driven by the caller's own loop, one thread. */
#ifndef SBX_SERVER_H
#define SBX_SERVER_H

#include "service.h"
#include "shape.h"
#include "tls_state.h"

struct sbx_server;

/* tls NULL: plain HTTP. port 0: any. */
struct sbx_server *sbx_server_start(struct sbx_service *service, int port, const struct sbx_tls *tls,
                                    bool quiet, struct sbx_problem *problem);
void sbx_server_stop(struct sbx_server *server);

int sbx_server_port(const struct sbx_server *server);
/* Readable when there is work. */
int sbx_server_descriptor(const struct sbx_server *server);
/* Does what there is to do, without waiting. Returns after how many milliseconds to call again at the latest;
   -1: only when the descriptor is readable. */
int sbx_server_turn(struct sbx_server *server);

/* For the control requests. */
void sbx_server_drop_waiting(struct sbx_server *server);
unsigned sbx_server_release_waiting(struct sbx_server *server);
unsigned sbx_server_close_idle(struct sbx_server *server);
cJSON *sbx_server_status(const struct sbx_server *server);

#endif
