/* SPDX-License-Identifier: MIT
 *
 * Columns that line up. The last column is not padded, so that lines do not end in blanks.
 */
#include "cli.h"

#include <stdlib.h>

enum { GAP = 2, MAX_COLUMNS = 8 };

void table_init(struct table *table, size_t columns) {
  *table = (struct table){.columns = columns};
}

static void add_cell(struct table *table, const char *text) {
  if (table->failed)
    return;
  if (table->cell_count == table->capacity) {
    const size_t capacity = table->capacity == 0 ? 32 : table->capacity * 2;
    char **cells = realloc(table->cells, capacity * sizeof *cells);
    if (cells == NULL) {
      table->failed = true;
      return;
    }
    table->cells = cells;
    table->capacity = capacity;
  }
  char *cell = text_clean(text != NULL ? text : "-");
  if (cell == NULL)
    table->failed = true;
  else
    table->cells[table->cell_count++] = cell;
}

void table_row(struct table *table, const char *const *cells) {
  for (size_t i = 0; i < table->columns; i++)
    add_cell(table, cells[i]);
}

void table_line(struct table *table, const char *label, const char *value) {
  if (value == NULL || value[0] == '\0')
    return;
  add_cell(table, label);
  add_cell(table, value);
}

static void print_rows(const struct table *table, bool has_header) {
  size_t widths[MAX_COLUMNS] = {0};
  const bool bold = has_header && use_colour(stdout);
  for (size_t i = 0; i < table->cell_count; i++) {
    const size_t width = text_width(table->cells[i]);
    if (width > widths[i % table->columns])
      widths[i % table->columns] = width;
  }
  for (size_t i = 0; i < table->cell_count; i++) {
    const size_t column = i % table->columns;
    if (column == 0)
      fputs(bold && i == 0 ? "\033[1m  " : "  ", stdout);
    fputs(table->cells[i], stdout);
    if (column + 1 < table->columns) {
      for (size_t width = text_width(table->cells[i]); width < widths[column] + GAP; width++)
        fputc(' ', stdout);
      continue;
    }
    fputs(bold && i + 1 == table->columns ? "\033[0m\n" : "\n", stdout);
  }
}

bool table_print(struct table *table, bool has_header) {
  const bool whole = !table->failed;
  if (whole && table->columns <= MAX_COLUMNS)
    print_rows(table, has_header);
  for (size_t i = 0; i < table->cell_count; i++)
    free(table->cells[i]);
  free(table->cells);
  table_init(table, table->columns);
  return whole;
}
