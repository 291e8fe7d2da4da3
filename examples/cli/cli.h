/* SPDX-License-Identifier: MIT
 *
 * identity-cli: the identity journey from a shell, for QA, support and scripts. It uses the public header
 * only.
 *
 * The way of one run: arguments_parse -> command->check -> session_begin -> command->perform (reads the
 * secrets, calls the library, prints or leaves a JSON result) -> report (error, exit code).
 */
#ifndef IDENTITY_CLI_H
#define IDENTITY_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>
#include <identity/identity.h>

#define PROGRAM "identity-cli"

enum { EXIT_OK = 0, EXIT_OUTPUT = 1, EXIT_USAGE = 2, EXIT_CLASS_BASE = 10 };

/* ---- Options: one table for all; the first ones are global and have an environment variable -- */

enum option_id {
  OPTION_BASE_URL,
  OPTION_ENVIRONMENT,
  OPTION_PUBLISHER,
  OPTION_ACCOUNT,
  OPTION_STORE,
  OPTION_CA_FILE,
  OPTION_PROXY,
  OPTION_TIMEOUT,
  OPTION_JSON,
  OPTION_VERBOSE,
  OPTION_HELP,
  OPTION_VERSION,
  GLOBAL_OPTION_COUNT,
  OPTION_EMAIL = GLOBAL_OPTION_COUNT,
  OPTION_ACCEPT,
  OPTION_DECLINE,
  OPTION_ACCEPT_REQUIRED,
  OPTION_OFFER,
  OPTION_FIRST_NAME,
  OPTION_LAST_NAME,
  OPTION_COUNTRY,
  OPTION_CURRENCY,
  OPTION_LOCALE,
  OPTION_EXTERNAL_ID,
  OPTION_EXTERNAL_DATA,
  OPTION_CUSTOMER_IP,
  OPTION_CAPTCHA_STDIN,
  OPTION_RESET_URL,
  OPTION_LINK_STDIN,
  OPTION_TOKEN_STDIN,
  OPTION_MIN_LIFE,
  OPTION_EVERYWHERE,
  OPTION_FOLLOW,
  OPTION_COUNT
};

#define OPTION_BIT(id) (UINT64_C(1) << (id))

struct option {
  const char *name;        /* with its dashes */
  const char *environment; /* NULL: no variable */
  const char *value;       /* what stands for the value in the help; NULL: a flag */
  const char *help;
};

extern const struct option options[OPTION_COUNT];

/** An answer to a consent as the user typed it. */
struct choice {
  const char *name;
  bool accepted;
};

/** The command line, together with the environment. The strings belong to argv and the environment. */
struct arguments {
  const char *value[OPTION_COUNT]; /* NULL: not given; flags: "" */
  bool from_environment[OPTION_COUNT];
  const char *command_name; /* NULL: none */
  const char **words;       /* what follows the command and is no option */
  size_t word_count;
  struct choice *choices; /* --accept and --decline in their order */
  size_t choice_count;
};

/* ---- One run --------------------------------------------------------------------------------- */

/** A secret in a buffer that is wiped before it is freed. text NULL: none. */
struct secret {
  char *text;
  size_t length;
};

struct run {
  const struct command *command;
  struct arguments arguments;
  identity_session *session;
  struct secret proof;    /* reset link, reset token or the JSON that adopt reads */
  struct secret password; /* password, new password or confirmation password */
  struct secret captcha;
  identity_error error;
  bool is_usage;    /* error holds a usage error: exit 2, class USAGE */
  bool json;        /* --json */
  bool interrupted; /* a signal asked to stop */
  int output_error; /* errno of a write to stdout that failed; 0: none did */
  cJSON *result;    /* --json: the result; NULL stands for an empty object */
};

enum word_rule { NO_WORDS, SOME_WORDS };

struct command {
  const char *name;
  const char *synopsis; /* what follows the name in the usage line */
  const char *summary;  /* one line for the overview */
  const char *help;     /* what one should know; ends with a newline */
  uint64_t options;     /* OPTION_BITs beside the global ones */
  uint64_t required;    /* those that must be given */
  enum word_rule words;
  identity_status (*check)(struct run *run); /* of the words and options; NULL: nothing to check */
  identity_status (*perform)(struct run *run);
};

extern const struct command commands[];
extern const size_t command_count;

/** The command of that name; NULL when there is none. */
const struct command *command_find(const char *name);

/* ---- options.c ------------------------------------------------------------------------------- */

/** Reads argv and the environment into run->arguments and finds the command. OK or a usage error. */
identity_status arguments_parse(struct run *run, int argc, char **argv);
void arguments_free(struct arguments *arguments);
/** True when --json or IDENTITY_JSON asks for JSON; looked at first, so that usage errors are JSON too. */
bool arguments_want_json(int argc, char **argv);
bool option_given(const struct run *run, enum option_id id);
/** How the user gave an option: "--timeout" or "IDENTITY_TIMEOUT". */
const char *option_label(const struct run *run, enum option_id id);
/** Reads "12" or "0.5" seconds as milliseconds, at most max_ms. */
bool seconds_parse(const char *text, int64_t max_ms, int64_t *milliseconds);

/* ---- main.c: ways to fail -------------------------------------------------------------------- */

/** Records a usage error (exit 2); returns a status that is not OK. Never hand it a value that may be a
 * secret. */
identity_status usage_error(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Records an error that the client found itself. */
identity_status client_error(struct run *run, identity_status status, const char *field, const char *format,
                             ...) __attribute__((format(printf, 4, 5)));
static inline identity_status out_of_memory(struct run *run) {
  client_error(run, IDENTITY_OUT_OF_MEMORY, "", "out of memory");
  return IDENTITY_OUT_OF_MEMORY;
}

/* ---- help.c ---------------------------------------------------------------------------------- */

void help_print(FILE *out, const struct command *command); /* NULL: the overview */

/* ---- session_setup.c ------------------------------------------------------------------------- */

identity_status session_begin(struct run *run);

/* ---- waiter.c: what happens while the library blocks ---------------------------------------- */

/* identity_status status = CALL(run, identity_fetch_locale(run->session, ...)): Ctrl-C during the call
 * cancels it, a second one kills; after a second a progress line appears on a terminal. */

bool call_begin(struct run *run);
identity_status call_end(struct run *run, identity_status status);
#define CALL(run, expression) (call_begin(run) ? call_end((run), (expression)) : IDENTITY_CANCELLED)

/* ---- secrets.c ------------------------------------------------------------------------------- */

/** Overwrites memory in a way the compiler must not drop. */
void wipe(void *memory, size_t size);
void secret_free(struct secret *secret);
/** One line: from a prompt without echo when stdin is a terminal, else the next line of stdin. */
identity_status secret_read_line(struct run *run, const char *name, struct secret *secret);
/** All of stdin; on a terminal one line. */
identity_status secret_read_all(struct run *run, const char *name, struct secret *secret);

/* ---- clean_text.c: text that came from outside ----------------------------------------------- */

/** A copy without control characters, escape sequences and broken UTF-8; NULL when memory is out. */
char *text_clean(const char *text);
/** The same, and without HTML tags. */
char *text_clean_html(const char *text);
/** A copy whose broken UTF-8 is replaced, for JSON. */
char *text_valid_utf8(const char *text);
/** Number of characters. */
size_t text_width(const char *text);

/* ---- table.c: aligned columns ---------------------------------------------------------------- */

struct table {
  size_t columns;
  char **cells;
  size_t cell_count;
  size_t capacity;
  bool failed; /* memory was out */
};

void table_init(struct table *table, size_t columns);
/** Adds a row of table->columns cells. They are cleaned; NULL shows as "-". */
void table_row(struct table *table, const char *const *cells);
/** Adds "label  value" to a table of two columns, unless value is NULL or empty. */
void table_line(struct table *table, const char *label, const char *value);
/** Prints to stdout and frees. has_header: the first row is set apart. False when memory was out. */
bool table_print(struct table *table, bool has_header);

/* ---- output_text.c: results for people ----------------------------------------------------------
 * All print to stdout; false when memory is out. */

bool use_colour(FILE *stream);
bool show_locale(const identity_locale *locale);
bool show_consents(const identity_consents *consents);
bool show_customer_consents(const identity_customer_consents *consents);
bool show_capture(const identity_capture_status *status);
bool show_next_step(const identity_next_step *next_step);
bool show_customer(const identity_customer *customer);
bool show_state(const identity_state *state);
bool show_event(const identity_event *event);
/** What is about to be answered. labels[i] belongs to answers[i]. */
bool show_answers(const identity_consent_answer *answers, const char *const *labels, size_t count);
/** The error with what to do about it, to stderr. */
void show_error(const struct run *run);

/* ---- output_json.c: results for scripts ---------------------------------------------------------
 * Keys are the field names of the public structs. NULL when memory is out. */

cJSON *json_locale(const identity_locale *locale);
cJSON *json_consents(const identity_consents *consents);
cJSON *json_customer_consents(const identity_customer_consents *consents);
cJSON *json_capture(const identity_capture_status *status);
cJSON *json_next_step(const identity_next_step *next_step);
cJSON *json_customer(const identity_customer *customer);
cJSON *json_state(const identity_state *state);
cJSON *json_tokens(const identity_tokens *tokens);
cJSON *json_event(const identity_event *event);
/** {"count":N,"items":[...]} of an array of events, which it takes over. */
cJSON *json_events(cJSON *items);
cJSON *json_answers(const identity_consent_answer *answers, size_t count);
/** {"KEY":"TEXT"} */
cJSON *json_one_text(const char *key, const char *text);
/** Prints the one object of a --json run; takes over run->result. */
void json_report(struct run *run, identity_status status);
/** Wipes the strings of a tree, then deletes it. */
void json_wipe(cJSON *tree);

/* ---- main.c: output -------------------------------------------------------------------------- */

/** Writes bytes to stdout past stdio, so that no copy of a secret stays behind. */
void write_out(struct run *run, const char *bytes, size_t size);
/** Leaves a JSON result for the report; out of memory when it is NULL. */
identity_status give_json(struct run *run, cJSON *result);
/** Turns what a show_ function said into a status. */
identity_status shown(struct run *run, bool printed);
/** Prints where the session stands after a headline, or leaves it as the JSON result. */
identity_status give_state(struct run *run, const char *headline);

/* ---- commands_*.c: named in the table in commands.c ------------------------------------------ */

identity_status locale_perform(struct run *run);
identity_status register_check(struct run *run);
identity_status register_perform(struct run *run);
identity_status login_perform(struct run *run);
identity_status reset_password_perform(struct run *run);
identity_status set_password_check(struct run *run);
identity_status set_password_perform(struct run *run);
identity_status customer_perform(struct run *run);
identity_status update_customer_check(struct run *run);
identity_status update_customer_perform(struct run *run);
identity_status consents_perform(struct run *run);
identity_status my_consents_perform(struct run *run);
identity_status answer_consents_check(struct run *run);
identity_status answer_consents_perform(struct run *run);
identity_status capture_perform(struct run *run);
identity_status answer_check(struct run *run);
identity_status answer_perform(struct run *run);
identity_status next_perform(struct run *run);
identity_status status_perform(struct run *run);
identity_status token_check(struct run *run);
identity_status token_perform(struct run *run);
identity_status refresh_perform(struct run *run);
identity_status explain_perform(struct run *run);
identity_status events_check(struct run *run);
identity_status events_perform(struct run *run);
identity_status adopt_perform(struct run *run);
identity_status logout_perform(struct run *run);

#endif
