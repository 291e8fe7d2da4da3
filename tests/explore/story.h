/* A breach in words: the way that leads to it, step by step. */
#ifndef EXPLORE_STORY_H
#define EXPLORE_STORY_H

#include "explore/search.h"
#include "explore/visited.h"

void explore_tell_story(const explore_visited *visited, const explore_expedition *expedition, uint32_t parent,
                        explore_step last, int32_t broken);

#endif
