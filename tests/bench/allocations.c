/* Preloaded into a measured program: counts malloc, calloc and realloc by the module that called them, and
 * writes the counts as JSON into $BENCH_ALLOCATIONS at the end. A call from inside libc (getaddrinfo, stdio)
 * counts as libc's; strdup and strndup count as their caller's, because libcurl and applications use them as
 * a kind of malloc. */
#include <dlfcn.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MODULES = 64, SITES = 4096 };

typedef struct module {
  uintptr_t start;
  uintptr_t end;
  uintptr_t base;
  char name[64];
  uint64_t count;
} module;

typedef struct site {
  uintptr_t address; /* 0: free */
  uint64_t count;
} site;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static site sites[SITES];
static atomic_flag busy = ATOMIC_FLAG_INIT;

/* Addresses are only collected here; whose they are is found out at the end. */
static void note(const void *caller) {
  uintptr_t address = (uintptr_t)caller;
  while (atomic_flag_test_and_set(&busy))
    continue;
  for (size_t i = (address >> 1) % SITES, tried = 0; tried < SITES; i = (i + 1) % SITES, tried++) {
    if (sites[i].address != 0 && sites[i].address != address)
      continue;
    sites[i].address = address;
    sites[i].count++;
    break;
  }
  atomic_flag_clear(&busy);
}

__attribute__((noinline)) void *malloc(size_t size) {
  note(__builtin_return_address(0));
  return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
  note(__builtin_return_address(0));
  return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
  note(__builtin_return_address(0));
  return __libc_realloc(old, size);
}

static char *copy(const char *text, size_t length) {
  char *made = __libc_malloc(length + 1);
  if (made == NULL)
    return NULL;
  memcpy(made, text, length);
  made[length] = '\0';
  return made;
}

char *strdup(const char *text) {
  note(__builtin_return_address(0));
  return copy(text, strlen(text));
}

char *strndup(const char *text, size_t most) {
  note(__builtin_return_address(0));
  return copy(text, strnlen(text, most));
}

static module modules[MODULES];
static size_t module_count;

static int add_module(struct dl_phdr_info *info, size_t size, void *user_data) {
  (void)size, (void)user_data;
  for (int i = 0; i < info->dlpi_phnum && module_count < MODULES; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
      continue;
    module *added = &modules[module_count++];
    const char *slash = strrchr(info->dlpi_name, '/');
    added->base = info->dlpi_addr;
    added->start = info->dlpi_addr + part->p_vaddr;
    added->end = added->start + part->p_memsz;
    snprintf(added->name, sizeof added->name, "%s",
             info->dlpi_name[0] == '\0' ? "program" : (slash != NULL ? slash + 1 : info->dlpi_name));
  }
  return 0;
}

static module *module_of(uintptr_t address) {
  for (size_t i = 0; i < module_count; i++)
    if (address >= modules[i].start && address < modules[i].end)
      return &modules[i];
  return NULL;
}

__attribute__((destructor)) static void write_counts(void) {
  const char *path = getenv("BENCH_ALLOCATIONS");
  FILE *file = path != NULL ? fopen(path, "w") : NULL;
  if (file == NULL)
    return;
  (void)dl_iterate_phdr(add_module, NULL);
  const char *separator = "";
  fputs("{\"program_sites\":{", file);
  for (size_t i = 0; i < SITES; i++) {
    module *owner = sites[i].address != 0 ? module_of(sites[i].address) : NULL;
    if (owner == NULL)
      continue;
    owner->count += sites[i].count;
    if (strcmp(owner->name, "program") != 0)
      continue;
    fprintf(file, "%s\"0x%jx\":%ju", separator, (uintmax_t)(sites[i].address - owner->base - 1),
            (uintmax_t)sites[i].count);
    separator = ",";
  }
  separator = "";
  fputs("},\"modules\":{", file);
  for (size_t i = 0; i < module_count; i++) {
    fprintf(file, "%s\"%s\":%ju", separator, modules[i].name, (uintmax_t)modules[i].count);
    separator = ",";
  }
  fputs("}}\n", file);
  fclose(file);
}
