#include "server.h"

#include "exchange.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_LIMIT 4096U
/* The headers of an answer live in it too: room for the largest "big_header". */
#define CONNECTION_MEMORY (256U * 1024U)

static void connection_notice(void *state, struct MHD_Connection *connection, void **context,
                              enum MHD_ConnectionNotificationCode what) {
  struct sbx_server *server = state;
  struct sbx_connection *link = *context;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    link = calloc(1, sizeof *link);
    if (link == NULL)
      return;
    link->handle = connection;
    link->number = ++server->connection_count;
    link->next = server->connections;
    if (link->next != NULL)
      link->next->previous = link;
    server->connections = link;
    server->open_count++;
    *context = link;
    return;
  }
  if (link == NULL)
    return;
  if (link->previous != NULL)
    link->previous->next = link->next;
  else
    server->connections = link->next;
  if (link->next != NULL)
    link->next->previous = link->previous;
  server->open_count--;
  *context = NULL;
  free(link);
}

/* Our own socket instead of libmicrohttpd's: it tells why it failed. */
static int listen_on(int port, int *actual, struct sbx_problem *problem) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  socklen_t length = sizeof address;
  int yes = 1;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor >= 0 && setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
      bind(descriptor, (struct sockaddr *)&address, sizeof address) == 0 &&
      listen(descriptor, SOMAXCONN) == 0 &&
      getsockname(descriptor, (struct sockaddr *)&address, &length) == 0) {
    *actual = ntohs(address.sin_port);
    return descriptor;
  }
  sbx_problem_say(problem, "--port", "cannot listen on 127.0.0.1:%d: %s", port, strerror(errno));
  if (descriptor >= 0)
    close(descriptor);
  return -1;
}

static unsigned connection_limit(void) {
  struct rlimit limit = {0};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return 512;
  rlim_t wanted = CONNECTION_LIMIT + 64;
  if (limit.rlim_cur < wanted) {
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0 && getrlimit(RLIMIT_NOFILE, &limit) != 0)
      return 512;
  }
  return limit.rlim_cur >= wanted ? CONNECTION_LIMIT : (unsigned)limit.rlim_cur / 8 * 7;
}

static struct MHD_Daemon *start_daemon(struct sbx_server *server, int listener, const struct sbx_tls *tls) {
  static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3";
  unsigned flags = MHD_USE_EPOLL | MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
  struct MHD_OptionItem secure[] = {
      {MHD_OPTION_HTTPS_MEM_KEY, 0, tls == NULL ? NULL : tls->key},
      {MHD_OPTION_HTTPS_MEM_CERT, 0, tls == NULL ? NULL : tls->certificate},
      {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
      {MHD_OPTION_END, 0, NULL},
  };
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  return MHD_start_daemon(flags | (tls == NULL ? 0U : MHD_USE_TLS), 0, NULL, NULL, sbx_exchange_step, server,
                          MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, connection_limit(),
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                          MHD_OPTION_NOTIFY_COMPLETED, sbx_exchange_over, server,
                          MHD_OPTION_NOTIFY_CONNECTION, connection_notice, server, MHD_OPTION_ARRAY,
                          tls == NULL ? none : secure, MHD_OPTION_END);
}

struct sbx_server *sbx_server_start(struct sbx_service *service, int port, const struct sbx_tls *tls,
                                    bool quiet, struct sbx_problem *problem) {
  struct sbx_server *server = calloc(1, sizeof *server);
  if (server == NULL) {
    sbx_problem_say(problem, "server", "out of memory");
    return NULL;
  }
  server->service = service;
  server->quiet = quiet;
  int listener = listen_on(port, &server->port, problem);
  if (listener < 0) {
    free(server);
    return NULL;
  }
  server->daemon = start_daemon(server, listener, tls);
  if (server->daemon == NULL) {
    sbx_problem_say(problem, "server", "libmicrohttpd does not start%s",
                    tls != NULL && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES ? ": it knows no TLS"
                                                                                        : "");
    close(listener);
    free(server);
    return NULL;
  }
  server->descriptor = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  service->server = server;
  return server;
}

void sbx_server_drop_waiting(struct sbx_server *server) {
  while (server->waits.first != NULL)
    sbx_exchange_give_up(server->waits.first->owner);
}

/* In the order in which they would have gone on by themselves. A slow body is not held back, it is on its
 * way. */
unsigned sbx_server_release_waiting(struct sbx_server *server) {
  unsigned released = 0;
  struct sbx_wait *next = NULL;
  for (struct sbx_wait *wait = server->waits.first; wait != NULL; wait = next) {
    struct sbx_exchange *exchange = wait->owner;
    next = wait->next;
    if (exchange->stage != SBX_WAITING)
      continue;
    sbx_exchange_release(exchange);
    released++;
  }
  return released;
}

void sbx_server_stop(struct sbx_server *server) {
  if (server == NULL)
    return;
  sbx_server_drop_waiting(
      server); /* libmicrohttpd ends the process when it is stopped with suspended connections */
  MHD_run(server->daemon);
  sbx_server_drop_waiting(server);
  MHD_stop_daemon(server->daemon);
  server->service->server = NULL;
  free(server);
}

int sbx_server_port(const struct sbx_server *server) {
  return server->port;
}

int sbx_server_descriptor(const struct sbx_server *server) {
  return server->descriptor;
}

int sbx_server_turn(struct sbx_server *server) {
  MHD_run(server->daemon);
  if (sbx_waits_run(&server->waits))
    return 0; /* what was resumed goes on in the next turn */
  MHD_UNSIGNED_LONG_LONG timeout = 0;
  int own = sbx_waits_timeout(&server->waits);
  if (MHD_get_timeout(server->daemon, &timeout) != MHD_YES)
    return own;
  int theirs = timeout > 60000 ? 60000 : (int)timeout;
  return own >= 0 && own < theirs ? own : theirs;
}

/* A connection that ends between two requests, as an idle time-out of a real service would end it. */
unsigned sbx_server_close_idle(struct sbx_server *server) {
  unsigned closed = 0;
  for (struct sbx_connection *link = server->connections; link != NULL; link = link->next) {
    const union MHD_ConnectionInfo *info =
        link->busy ? NULL : MHD_get_connection_info(link->handle, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL && shutdown(info->connect_fd, SHUT_RDWR) == 0)
      closed++;
  }
  return closed;
}

static int64_t count_waiting(const struct sbx_server *server) {
  int64_t count = 0;
  for (const struct sbx_wait *wait = server->waits.first; wait != NULL; wait = wait->next)
    count++;
  return count;
}

cJSON *sbx_server_status(const struct sbx_server *server) {
  cJSON *json = cJSON_CreateObject();
  bool ok = sbx_json_put_integer(json, "connections", (int64_t)server->connection_count) &&
            sbx_json_put_integer(json, "open_connections", (int64_t)server->open_count) &&
            sbx_json_put_integer(json, "requests", (int64_t)server->request_count) &&
            sbx_json_put_integer(json, "waiting", count_waiting(server));
  return sbx_json_finish(json, ok);
}
