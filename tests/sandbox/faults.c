#include "faults.h"

#include "json.h"
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_SEED 0x9e3779b97f4a7c15ULL

void sbx_fault_release(struct sbx_fault *fault) {
  if (fault == NULL || --fault->references > 0)
    return;
  cJSON_Delete(fault->definition);
  cJSON_free(fault->printed_body);
  free(fault);
}

void sbx_faults_clear(struct sbx_faults *faults) {
  for (size_t i = 0; i < faults->count; i++)
    sbx_fault_release(faults->list[i]);
  free(faults->list);
  *faults = (struct sbx_faults){.last_id = faults->last_id};
}

static void forget_spent(struct sbx_faults *faults) {
  size_t kept = 0;
  for (size_t i = 0; i < faults->count; i++) {
    if (faults->list[i]->times == 0)
      sbx_fault_release(faults->list[i]);
    else
      faults->list[kept++] = faults->list[i];
  }
  faults->count = kept;
}

static bool make_room(struct sbx_faults *faults) {
  if (faults->count >= SBX_FAULT_LIMIT)
    forget_spent(faults);
  if (faults->count >= SBX_FAULT_LIMIT)
    return false;
  if (faults->count < faults->capacity)
    return true;
  size_t capacity = faults->capacity == 0 ? 16 : faults->capacity * 2;
  struct sbx_fault **list = reallocarray(faults->list, capacity, sizeof(struct sbx_fault *));
  if (list == NULL)
    return false;
  faults->list = list;
  faults->capacity = capacity;
  return true;
}

static bool add_one(struct sbx_faults *faults, const cJSON *given, const char *where,
                    struct sbx_problem *problem) {
  struct sbx_fault *fault = sbx_fault_read(given, where, problem);
  if (fault == NULL)
    return false;
  if (!make_room(faults)) {
    sbx_fault_release(fault);
    return sbx_problem_say(problem, where, "too many faults, or out of memory");
  }
  fault->id = ++faults->last_id;
  faults->list[faults->count++] = fault;
  return true;
}

bool sbx_faults_add(struct sbx_faults *faults, const cJSON *given, struct sbx_problem *problem) {
  if (!cJSON_IsArray(given))
    return add_one(faults, given, "fault", problem);
  uint64_t last_before = faults->last_id;
  const cJSON *one = NULL;
  int index = 0;
  cJSON_ArrayForEach(one, given) {
    char where[32];
    snprintf(where, sizeof where, "fault[%d]", index++);
    if (add_one(faults, one, where, problem))
      continue;
    while (faults->count > 0 && faults->list[faults->count - 1]->id > last_before)
      sbx_fault_release(faults->list[--faults->count]);
    return false;
  }
  return true;
}

/* xorshift64: reproducible, and good enough for dice. */
static bool dice_say_yes(struct sbx_faults *faults, int64_t percent) {
  if (percent >= 100)
    return true;
  if (faults->random == 0)
    faults->random = RANDOM_SEED;
  faults->random ^= faults->random << 13;
  faults->random ^= faults->random >> 7;
  faults->random ^= faults->random << 17;
  return (int64_t)((faults->random >> 33) % 100) < percent;
}

static bool fits(const struct sbx_fault *fault, const char *method, const char *path, bool reused) {
  char captured[256];
  return fault->times != 0 && (!fault->reused_only || reused) &&
         (fault->method == NULL || strcmp(fault->method, method) == 0) &&
         (fault->path == NULL || sbx_path_fits(fault->path, path, captured, sizeof captured));
}

struct sbx_fault *sbx_faults_pick(struct sbx_faults *faults, const char *method, const char *path,
                                  bool reused) {
  for (size_t i = 0; i < faults->count; i++) {
    struct sbx_fault *fault = faults->list[i];
    if (!fits(fault, method, path, reused))
      continue;
    if (fault->skip > 0) {
      fault->skip--;
      continue;
    }
    if (!dice_say_yes(faults, fault->percent))
      continue;
    if (fault->times > 0)
      fault->times--;
    fault->applied++;
    fault->references++;
    return fault;
  }
  return NULL;
}

cJSON *sbx_faults_to_json(const struct sbx_faults *faults) {
  cJSON *list = cJSON_CreateArray();
  bool ok = list != NULL;
  for (size_t i = 0; ok && i < faults->count; i++) {
    const struct sbx_fault *fault = faults->list[i];
    cJSON *one = cJSON_CreateObject();
    ok = sbx_json_put_integer(one, "id", (int64_t)fault->id) &&
         sbx_json_put_integer(one, "applied", fault->applied) &&
         sbx_json_put_integer(one, "times_left", fault->times) &&
         sbx_json_put_integer(one, "skip_left", fault->skip) &&
         sbx_json_put(one, "fault", cJSON_Duplicate(fault->definition, true));
    ok = sbx_json_append(list, sbx_json_finish(one, ok));
  }
  cJSON *json = cJSON_CreateObject();
  return sbx_json_finish(json, sbx_json_put(json, "faults", sbx_json_finish(list, ok)));
}
