#include "support/crowd.h"
#include "support/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

/* A thousand threads with the usual 8 MiB each would be refused here and there. */
enum { STACK_SIZE = 512 * 1024 };

static void *run(void *user_data) {
  struct crowd_member *member = user_data;
  crowd *people = member->crowd;
  pthread_barrier_wait(&people->start);
  int64_t begun = service_now_ms();
  member->status = people->call(people->session, &member->error);
  member->took_ms = service_now_ms() - begun;
  return NULL;
}

void crowd_start(crowd *people, identity_session *session, int count, crowd_call call) {
  memset(people, 0, sizeof *people);
  people->session = session;
  people->call = call;
  people->count = count;
  pthread_attr_t small;
  assert_true(count <= CROWD_MOST);
  assert_int_equal(pthread_attr_init(&small), 0);
  assert_int_equal(pthread_attr_setstacksize(&small, STACK_SIZE), 0);
  assert_int_equal(pthread_barrier_init(&people->start, NULL, (unsigned)count), 0);
  for (int i = 0; i < count; i++) {
    people->members[i].crowd = people;
    assert_int_equal(pthread_create(&people->threads[i], &small, run, &people->members[i]), 0);
  }
  pthread_attr_destroy(&small);
}

void crowd_join(crowd *people) {
  for (int i = 0; i < people->count; i++)
    assert_int_equal(pthread_join(people->threads[i], NULL), 0);
  pthread_barrier_destroy(&people->start);
}

int crowd_count(const crowd *people, identity_status status) {
  int count = 0;
  for (int i = 0; i < people->count; i++)
    count += people->members[i].status == status;
  return count;
}

int crowd_successes(identity_session *session, int count, crowd_call call) {
  crowd people;
  crowd_start(&people, session, count, call);
  crowd_join(&people);
  return crowd_count(&people, IDENTITY_OK);
}
