#include "support/own_memory.h"
#include "support/child.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MASK = 0xA5, LINE = 512, WINDOW = 64 * 1024 };
#define MOST_OF_ONE_MAPPING ((size_t)256 * 1024 * 1024) /* more than that is a sanitizer's own */

typedef struct errand {
  service *server;
  const char *email;
  int output;
} errand;

static bool write_masked(int output, const char *text) {
  static masked secret;
  secret.length = strlen(text);
  if (secret.length == 0 || secret.length >= sizeof secret.bytes)
    return false;
  for (size_t i = 0; i < secret.length; i++)
    secret.bytes[i] = (unsigned char)text[i] ^ MASK;
  return write(output, &secret, sizeof secret) == (ssize_t)sizeof secret;
}

static int log_in_and_tell(void *user_data) {
  const errand *at = user_data;
  char *jwt = NULL;
  char *refresh_token = NULL;
  service_login_raw(at->server, at->email, &jwt, &refresh_token);
  bool told = write_masked(at->output, jwt) && write_masked(at->output, refresh_token);
  free(jwt);
  free(refresh_token);
  return told ? 0 : 1;
}

void own_memory_login(service *server, const char *email, masked *jwt, masked *refresh_token) {
  int ends[2];
  int status = -1;
  assert_int_equal(pipe(ends), 0);
  errand at = {server, email, ends[1]};
  pid_t child = child_start(log_in_and_tell, &at);
  assert_int_equal(read(ends[0], jwt, sizeof *jwt), sizeof *jwt);
  assert_int_equal(read(ends[0], refresh_token, sizeof *refresh_token), sizeof *refresh_token);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  close(ends[0]);
  close(ends[1]);
}

static void unmask(const masked *secret, char text[OWN_MEMORY_SECRET + 1]) {
  for (size_t i = 0; i < secret->length; i++)
    text[i] = (char)(secret->bytes[i] ^ MASK);
  text[secret->length] = '\0';
}

identity_status own_memory_adopt(identity_session *session, const masked *jwt, const masked *refresh_token) {
  char texts[2][OWN_MEMORY_SECRET + 1];
  unmask(jwt, texts[0]);
  unmask(refresh_token, texts[1]);
  identity_status status = identity_session_adopt(session, texts[0], texts[1], NULL);
  explicit_bzero(texts, sizeof texts);
  return status;
}

char own_memory_byte(const masked *secret, size_t place) {
  assert_true(place < secret->length);
  return (char)(secret->bytes[place] ^ MASK);
}

void own_memory_invent(masked *secret) {
  secret->length = 64;
  assert_int_equal(getentropy(secret->bytes, secret->length), 0);
  for (size_t i = 0; i < secret->length; i++)
    secret->bytes[i] = (unsigned char)"0123456789abcdef"[secret->bytes[i] % 16] ^ MASK;
}

static bool stands_at(const unsigned char *at, const masked *secret) {
  for (size_t i = 0; i < secret->length; i++)
    if ((at[i] ^ MASK) != secret->bytes[i])
      return false;
  return true;
}

/* Read as a file: a memory checker must not mind that it is freed memory, too. */
static unsigned char window[WINDOW];

static int count_in_window(uintptr_t begin, size_t length, const masked *secret) {
  int count = 0;
  for (size_t i = 0; i + secret->length <= length; i++) {
    bool window_itself = begin + i >= (uintptr_t)window && begin + i < (uintptr_t)window + sizeof window;
    count += !window_itself && stands_at(window + i, secret);
  }
  return count;
}

static int count_between(int memory, uintptr_t begin, uintptr_t end, const masked *secret) {
  int count = 0;
  while (begin + secret->length <= end) {
    size_t wanted = end - begin < sizeof window ? end - begin : sizeof window;
    ssize_t length = pread(memory, window, wanted, (off_t)begin);
    if (length < (ssize_t)secret->length)
      break;
    count += count_in_window(begin, (size_t)length, secret);
    begin += (size_t)length - secret->length + 1; /* one may lie across the edge */
  }
  return count;
}

int own_memory_count(const masked *secret) {
  char line[LINE];
  int count = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
  assert_non_null(maps);
  assert_true(memory >= 0);
  while (fgets(line, sizeof line, maps) != NULL) {
    uintptr_t begin, end;
    char rights[8];
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &begin, &end, rights) != 3 ||
        strncmp(rights, "rw", 2) != 0 || end - begin > MOST_OF_ONE_MAPPING)
      continue;
    count += count_between(memory, begin, end, secret);
  }
  fclose(maps);
  close(memory);
  return count;
}
