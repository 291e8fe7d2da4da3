/* From method and path to the operation. */
#ifndef SBX_ROUTES_H
#define SBX_ROUTES_H

#include "call.h"

/* Processes one API request: always leaves a status in the call. */
void sbx_routes_process(struct sbx_call *call);
/* Whether a path fits a pattern; a segment "*" or "{name}" of the pattern fits any one segment, which is
   copied to `captured` (the last such one). */
bool sbx_path_fits(const char *pattern, const char *path, char *captured, size_t capacity);

#endif
