/* A malloc and free between a program and its C library: memory is handed out zeroed, and when our library or cJSON
 * frees a block, the block must not hold a watched secret any more. Preloaded by freed_memory.sh. */
#include <dlfcn.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SECRETS = 64, SECRET_SIZE = 4096 };

static char secrets[MOST_SECRETS][SECRET_SIZE];
static volatile int secret_count;
static volatile long checked;
static volatile int found;

extern void *__libc_malloc(size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

void freed_memory_watch(const char *secret);
long freed_memory_checked(void);
int freed_memory_found(void);

void freed_memory_watch(const char *secret) {
  if (secret_count >= MOST_SECRETS || strlen(secret) < 8 || strlen(secret) >= SECRET_SIZE)
    _exit(98);
  memcpy(secrets[secret_count], secret, strlen(secret) + 1);
  secret_count = secret_count + 1;
}

long freed_memory_checked(void) {
  return checked;
}

int freed_memory_found(void) {
  return found;
}

void *malloc(size_t size) {
  void *memory = __libc_malloc(size);
  if (memory != NULL)
    memset(memory, 0, malloc_usable_size(memory));
  return memory;
}

static int is_ours(const void *caller) {
  Dl_info info;
  if (dladdr(caller, &info) == 0 || info.dli_fname == NULL)
    return 0;
  return strstr(info.dli_fname, "libidentity") != NULL || strstr(info.dli_fname, "libcjson") != NULL;
}

static void check(const void *memory, const void *caller) {
  static const char text[] = "freed_memory: a secret was freed without being wiped, by ";
  Dl_info info;
  size_t size = malloc_usable_size((void *)(uintptr_t)memory);
  checked = checked + 1;
  for (int i = 0; i < secret_count; i++) {
    if (memmem(memory, size, secrets[i], strlen(secrets[i])) == NULL)
      continue;
    found = found + 1;
    const char *name = dladdr(caller, &info) != 0 && info.dli_sname != NULL ? info.dli_sname : "a static function";
    (void)!write(2, text, sizeof text - 1);
    (void)!write(2, name, strlen(name));
    (void)!write(2, "\n", 1);
  }
}

void free(void *memory) {
  const void *caller = __builtin_return_address(0);
  if (memory != NULL && secret_count > 0 && is_ours(caller))
    check(memory, caller);
  __libc_free(memory);
}

void *realloc(void *memory, size_t size) {
  const void *caller = __builtin_return_address(0);
  if (memory != NULL && secret_count > 0 && is_ours(caller))
    check(memory, caller); /* growing in place or not: ours must not call it on a secret */
  return __libc_realloc(memory, size);
}
