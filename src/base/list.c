#include "base/list.h"

void identity__list_init(identity__node *list) {
  list->next = list->previous = list;
}

void identity__list_add(identity__node *list, identity__node *node) {
  if (identity__list_has(node))
    return;
  node->next = list;
  node->previous = list->previous;
  list->previous->next = node;
  list->previous = node;
}

void identity__list_remove(identity__node *node) {
  if (!identity__list_has(node))
    return;
  node->previous->next = node->next;
  node->next->previous = node->previous;
  node->next = node->previous = NULL;
}

identity__node *identity__list_take(identity__node *list) {
  identity__node *first = identity__list_first(list);
  if (first != NULL)
    identity__list_remove(first);
  return first;
}
