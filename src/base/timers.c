#include "base/timers.h"

#include <stddef.h>

/* The later of two heaps becomes the first child of the other. */
static identity__timer *meld(identity__timer *one, identity__timer *other) {
  if (one == NULL || other == NULL)
    return one != NULL ? one : other;
  if (other->at_ms < one->at_ms) {
    identity__timer *earlier = other;
    other = one;
    one = earlier;
  }
  other->back = one;
  other->sibling = one->child;
  if (one->child != NULL)
    one->child->back = other;
  one->child = other;
  return one;
}

/* Siblings in pairs, and the pairs from the last to the first: two passes, no recursion. */
static identity__timer *meld_siblings(identity__timer *first) {
  identity__timer *pairs = NULL;
  while (first != NULL) {
    identity__timer *second = first->sibling;
    identity__timer *rest = second != NULL ? second->sibling : NULL;
    first->sibling = first->back = NULL;
    if (second != NULL)
      second->sibling = second->back = NULL;
    identity__timer *pair = meld(first, second);
    pair->sibling = pairs;
    pairs = pair;
    first = rest;
  }
  identity__timer *whole = NULL;
  while (pairs != NULL) {
    identity__timer *next = pairs->sibling;
    pairs->sibling = NULL;
    whole = meld(whole, pairs);
    pairs = next;
  }
  return whole;
}

static void cut(identity__timer *timer) {
  if (timer->back->child == timer)
    timer->back->child = timer->sibling;
  else
    timer->back->sibling = timer->sibling;
  if (timer->sibling != NULL)
    timer->sibling->back = timer->back;
  timer->sibling = timer->back = NULL;
}

void identity__timers_clear(identity__timers *timers, identity__timer *timer) {
  if (!timer->set)
    return;
  bool first = timers->first == timer;
  if (!first)
    cut(timer);
  identity__timer *rest = meld_siblings(timer->child);
  timers->first = first ? rest : meld(timers->first, rest);
  timer->child = NULL;
  timer->set = false;
}

void identity__timers_set(identity__timers *timers, identity__timer *timer, int64_t at_ms) {
  if (timer->set && timer->at_ms == at_ms)
    return;
  identity__timers_clear(timers, timer);
  if (at_ms == INT64_MAX)
    return;
  timer->at_ms = at_ms;
  timer->set = true;
  timers->first = meld(timers->first, timer);
}

int64_t identity__timers_next_ms(const identity__timers *timers) {
  return timers->first != NULL ? timers->first->at_ms : INT64_MAX;
}
