/* SPDX-License-Identifier: MIT
 *
 * libidentity without blocking: an event loop for any number of sessions, and a _start twin of every call that waits.
 * An application that may block in its calls does not need this header. Since: 0.1.0 for everything in it.
 *
 * Five things to know:
 *   1. A loop owns the connections, the parsed certificates and what is known of a host's Retry-After; sessions opened
 *      on it (identity_session_open_on) share them. It creates no thread: it moves only while the app drives it.
 *   2. A _start call copies its input, puts the call in line and returns. It never waits for the network, and never
 *      calls back itself: completions run inside identity_loop_x functions only, on the thread that drives the loop.
 *   3. Whenever a _start call returned OK, its completion runs exactly once, whatever happens: also when the input is
 *      wrong, the call is cancelled, or the session or the loop is closed. Otherwise it never runs.
 *   4. Inside a completion everything that does not block is allowed: start, cancel, close the session, free the loop.
 *      Blocking calls and driving the loop are not (REENTERED).
 *   5. What is signed in on the loop is refreshed in the background, before its JWT is over, as long as it is used.
 *
 * Thread classes: "session" and "any" as in identity.h; "loop": one thread at a time for one loop.
 */
#ifndef IDENTITY_ASYNC_H
#define IDENTITY_ASYNC_H

#include <identity/identity.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What sessions run on together; from identity_loop_new. */
typedef struct identity_loop identity_loop;
/** One call that was started, for who may want to cancel it; from a _start function. */
typedef struct identity_call identity_call;

/* ---- Loop. Thread class: loop, unless it says otherwise. -------------------------------------------------------- */

/** A loop for sessions whose network settings (CA, proxy, resolve, user agent, http or https, transport, clock) are
 *  those of this config; publisher, address, store, log and time-out may differ from session to session. Does not block.
 *  @param loop receives the handle, the caller's, freed with identity_loop_free; NULL on failure
 *  @return OK; BAD_ARGUMENT, PARAMS_TOO_NEW (both also of a setter that failed), BAD_CONFIGURATION, CA_FILE,
 *  OUT_OF_MEMORY. */
IDENTITY_API identity_status identity_loop_new(const identity_config *config, identity_loop **loop,
                                               identity_error *error);
/** Ends what is in flight: its completions run in here, CANCELLED (a sent register, password change or
 *  revocation: OUTCOME_UNKNOWN); it blocks up to a second when a refresh was sent. A host is told to watch nothing any
 *  more. Sessions still open on it answer LOOP_GONE from now on, and still have to be closed. Inside a completion
 *  or a log function: happens when the function around it ends, which may be a blocking call. NULL is fine. */
IDENTITY_API void identity_loop_free(identity_loop *loop);

/** Like identity_session_open, on a loop that it shares with others. The session may be closed at any time, before or
 *  after the loop; closing it does not block: calls still out complete as CANCELLED in the next identity_loop_x
 *  function, and a refresh that was sent is finished and stored by the loop. Blocking calls are allowed only on the
 *  thread that last drove the loop (a blocking call, identity_loop_set_host and identity_loop_fd drive it, too; before the
 *  first, any thread), and outside its callbacks (else WRONG_THREAD, REENTERED); the completions of other calls wait
 *  meanwhile. Thread class: loop. Does not block, but for the store's own calls.
 *  @return as identity_session_open; BAD_CONFIGURATION when the network settings are not the loop's; LOOP_GONE; FORKED. */
IDENTITY_API identity_status identity_session_open_on(identity_loop *loop, const identity_config *config,
                                                      const char *account, identity_session **session,
                                                      identity_error *error);

/** Does what is to be done and waits up to timeout_ms (0: not at all; negative: as long as it takes) until a completion is
 *  due or identity_loop_wake was called; runs the completions that are due.
 *  @return OK; BAD_ARGUMENT, REENTERED (from inside a callback), FORKED. */
IDENTITY_API identity_status identity_loop_run(identity_loop *loop, int32_t timeout_ms);
/** Makes a running or the next identity_loop_run return. Thread class: any. Does not block. */
IDENTITY_API void identity_loop_wake(identity_loop *loop);
/** How many calls have not had their completion yet. Thread class: any. Does not block. */
IDENTITY_API uint32_t identity_loop_pending(identity_loop *loop);

/** One file descriptor that becomes readable when identity_loop_run(loop, 0) has something to do, for poll, epoll,
 *  select or any event library; the loop's, closed with it. A _start, a cancel and a wake make it readable, also before
 *  the first run; it is level-triggered: readable until the loop has been run. Linux only. Does not block.
 *  @return -1: not on this system, or no descriptor is left. */
IDENTITY_API int32_t identity_loop_fd(identity_loop *loop);

/* A host's own event loop: it watches the sockets and keeps the one timer that it is told of, and says when they are
 * ready. Both functions run inside identity_loop_x functions only. */

/** What a socket is watched for, or has become; may be combined. */
enum { IDENTITY_READABLE = 1, IDENTITY_WRITABLE = 2, IDENTITY_BROKEN = 4 };

/** Watch this socket for READABLE, WRITABLE or both from now on; 0: no more (it may be closed by now, and its number
 *  taken again: then it is told anew). */
typedef void (*identity_watch_fn)(int64_t socket, int32_t events, void *user_data);
/** Call identity_loop_on_timer in so many milliseconds; it replaces what was told before. -1: there is no need. Where the
 *  host's timer stands still while the device sleeps, call it once the device is awake, too: deadlines and tokens age. */
typedef void (*identity_timer_fn)(int64_t timeout_ms, void *user_data);

/** Hands sockets and timer to the host: what is watched by now is told at once. watch NULL: takes them back; nothing is
 *  told any more. @return OK; BAD_ARGUMENT (loop is NULL, or one without the other), REENTERED, FORKED. */
IDENTITY_API identity_status identity_loop_set_host(identity_loop *loop, identity_watch_fn watch,
                                                    identity_timer_fn timer, void *user_data);
/** A watched socket is ready: IDENTITY_READABLE, WRITABLE, BROKEN. Runs completions. Which one it is need not be right:
 *  all are looked at. @return OK; BAD_ARGUMENT (loop is NULL), REENTERED, FORKED. */
IDENTITY_API identity_status identity_loop_on_socket(identity_loop *loop, int64_t socket, int32_t events);
/** The time has come. Runs completions. @return OK; BAD_ARGUMENT (loop is NULL), REENTERED, FORKED. */
IDENTITY_API identity_status identity_loop_on_timer(identity_loop *loop);

/** 1: sessions opened with this config on a loop keep their JWT fresh in the background also when nobody has asked for
 *  it during the last one's life. 0 by default. Thread class: builder. @return OK; BAD_ARGUMENT. */
IDENTITY_API identity_status identity_config_set_keep_fresh(identity_config *config, int32_t wanted);

/* ---- Calls. Thread class: session. Does not block. -------------------------------------------------------------- */

/** How a call ended: the statuses of the blocking call of the same name, but for those that tell who may block
 *  (REENTERED, WRONG_THREAD), and CANCELLED. Runs once, inside an identity_loop_x function, on the thread that drives the
 *  loop.
 *  @param result the callback's, freed with its _free function; NULL unless status is OK and the call has one
 *  @param error never NULL, valid until the callback returns; its status is status */
typedef void (*identity_done_fn)(identity_status status, const void *result, const identity_error *error,
                                 void *user_data);

/** Completes the call with CANCELLED (a sent register, password change or revocation: OUTCOME_UNKNOWN) in the next
 *  identity_loop_x function; one that has completed is not touched. A refresh it waited for goes on. What cancels all
 *  calls of a session is identity_session_interrupt. */
IDENTITY_API void identity_call_cancel(identity_call *call);
/** Another deadline for a call that has not completed: so many milliseconds from now, 100 to 600,000. The config's
 *  time-out counts otherwise. @return OK; BAD_ARGUMENT: the deadline stays as it was; FORKED. */
IDENTITY_API identity_status identity_call_set_timeout_ms(identity_call *call, uint32_t timeout_ms);
/** Gives the handle back, before or after the completion, which it does not touch. NULL is fine. */
IDENTITY_API void identity_call_free(identity_call *call);

/* The _start twins. Parameters as those of the blocking call of the same name; the comment names what result points
 * to. Input is checked at once and complained of in the completion, so that an app has one path for errors.
 *   done       runs exactly once when the function returned OK
 *   user_data  for done
 *   call       receives a handle for cancelling, the caller's, freed with identity_call_free; NULL: none is wanted. It
 *              is there before the completion can run, also where another thread drives the loop
 * Each returns OK; BAD_ARGUMENT (session or done is NULL), NOT_ON_A_LOOP (the session was opened without a loop),
 * LOOP_GONE, CANCELLED (the session is being closed: in this completion, or by another thread), FORKED, OUT_OF_MEMORY. */

/** Result: identity_locale. */
IDENTITY_API identity_status identity_fetch_locale_start(identity_session *session, const char *customer_ip,
                                                         identity_done_fn done, void *user_data,
                                                         identity_call **call);
/** Result: identity_consents. */
IDENTITY_API identity_status identity_fetch_publisher_consents_start(identity_session *session, identity_done_fn done,
                                                                     void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_register_start(identity_session *session,
                                                     const identity_register_params *params, identity_done_fn done,
                                                     void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_login_start(identity_session *session, const identity_login_params *params,
                                                  identity_done_fn done, void *user_data, identity_call **call);
/** Result: identity_customer_consents. */
IDENTITY_API identity_status identity_fetch_customer_consents_start(identity_session *session, identity_done_fn done,
                                                                    void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_update_customer_consents_start(identity_session *session,
                                                                     const identity_consent_answer *answers,
                                                                     uint32_t answer_count, identity_done_fn done,
                                                                     void *user_data, identity_call **call);
/** Result: identity_capture_status. */
IDENTITY_API identity_status identity_fetch_capture_status_start(identity_session *session, identity_done_fn done,
                                                                 void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_update_capture_answers_start(identity_session *session,
                                                                   const identity_capture_answer *answers,
                                                                   uint32_t answer_count, identity_done_fn done,
                                                                   void *user_data, identity_call **call);
/** Result: identity_next_step. Consents and capture form are asked for at the same time. */
IDENTITY_API identity_status identity_fetch_next_step_start(identity_session *session, identity_done_fn done,
                                                            void *user_data, identity_call **call);
/** Result: identity_customer. */
IDENTITY_API identity_status identity_fetch_customer_start(identity_session *session, identity_done_fn done,
                                                           void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_update_customer_start(identity_session *session,
                                                            const identity_update_customer_params *params,
                                                            identity_done_fn done, void *user_data,
                                                            identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_request_password_reset_start(identity_session *session, const char *email,
                                                                   const char *reset_url, identity_done_fn done,
                                                                   void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_update_password_start(identity_session *session,
                                                            const identity_update_password_params *params,
                                                            identity_done_fn done, void *user_data,
                                                            identity_call **call);
/** Result: identity_tokens. */
IDENTITY_API identity_status identity_session_tokens_start(identity_session *session, int64_t min_life_ms,
                                                           identity_done_fn done, void *user_data,
                                                           identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_session_refresh_start(identity_session *session, identity_done_fn done,
                                                            void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_session_adopt_start(identity_session *session, const char *jwt,
                                                          const char *refresh_token, identity_done_fn done,
                                                          void *user_data, identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_logout_start(identity_session *session, identity_done_fn done, void *user_data,
                                                   identity_call **call);
/** No result. */
IDENTITY_API identity_status identity_logout_everywhere_start(identity_session *session, identity_done_fn done,
                                                              void *user_data, identity_call **call);

#ifdef __cplusplus
}
#endif

#endif
