/* What it costs to ask for a JWT that is at hand: one allocation, no lock on the store, no request. That it
 * is no system call either shows under strace (tests/slow). */
#include "support/stage.h"
#include "support/vault.h"

#include "support/allocations.h"

enum { MANY = 1000 };

static vault safe;

static int begin(void **state) {
  vault_start(&safe, 0);
  return reset(state);
}

static int end(void **state) {
  (void)state;
  vault_stop(&safe);
  return 0;
}

static identity_status ask(identity_session *session, int64_t min_life_ms, int allocations) {
  const identity_tokens *tokens = NULL;
  identity_error error;
  allocations_left = allocations;
  identity_status status = identity_session_tokens(session, min_life_ms, &tokens, &error);
  int left = allocations_left;
  identity_tokens_free(tokens);
  allocations_left = -1;
  assert_int_equal(left, 0);
  return status;
}

static void a_jwt_at_hand_costs_one_allocation(void **state) {
  (void)state;
  identity_session *session = vault_open(&safe, &server, "viewer");
  service_register(session, "jo@example.com");
  int requests = probe_requests(&server);
  vault_recount(&safe);
  for (int i = 0; i < MANY; i++) {
    assert_int_equal(ask(session, 0, 1), IDENTITY_OK);
    assert_int_equal(ask(session, 60000, 1), IDENTITY_OK);
    assert_int_equal(ask(session, 0, 0), IDENTITY_OUT_OF_MEMORY); /* it is counted */
  }
  assert_int_equal(vault_used(&safe, VAULT_LOAD) + vault_used(&safe, VAULT_SWAP), 0);
  assert_int_equal(probe_requests(&server), requests);
  identity_session_close(session);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_jwt_at_hand_costs_one_allocation, begin, end),
};

SUITE_WITH("what tokens cost", tests, start, stop)
