/* A list whose nodes are members of what is listed: nothing is allocated, and taking off needs no search. */
#ifndef IDENTITY__LIST_H
#define IDENTITY__LIST_H

#include <stdbool.h>
#include <stddef.h>

/* Of a list, or in one; all zero: in none. */
typedef struct identity__node {
  struct identity__node *next;
  struct identity__node *previous;
} identity__node;

/* What a node is a member of. */
#define IDENTITY__OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

void identity__list_init(identity__node *list);
static inline bool identity__list_is_empty(const identity__node *list) {
  return list->next == list;
}
/* At the end; a node that is in a list stays where it is. */
void identity__list_add(identity__node *list, identity__node *node);
/* Nothing for a node that is in none. */
void identity__list_remove(identity__node *node);
static inline bool identity__list_has(const identity__node *node) {
  return node->next != NULL;
}
/* NULL: there is none (any more). */
static inline identity__node *identity__list_next(const identity__node *list, const identity__node *node) {
  return node->next != list ? node->next : NULL;
}
static inline identity__node *identity__list_first(const identity__node *list) {
  return identity__list_next(list, list);
}
/* Takes the first one off; NULL: it is empty. */
identity__node *identity__list_take(identity__node *list);

#endif
