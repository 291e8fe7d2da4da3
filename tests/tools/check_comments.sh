#!/bin/sh
# Each function, struct, enum and other type of the public headers has a doc comment (/** ... */) on the lines right above
# it. First the check is asked about declarations that it must find.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# FILE:LINE: DECLARATION of each that has none. What a comment is shows at the start of a line; it counts for the next line.
undocumented() {
  awk 'FNR == 1 {above = 0}
    /^(IDENTITY_API|typedef|struct|enum|union)[ {]/ && !above {print FILENAME ":" FNR ": " $0}
    /^\/\*/ {doc = /^\/\*\*[^*]/}
    {above = doc && /^(\/\*| \*).*\*\/$/}' "$@"
}

cat >"$work/header.h" <<'HEADER'
/* ---- A section. ---- */
enum { A_BARE = 1 };
/** Said. */
enum { A_DOCUMENTED = 1 };
typedef struct bare_handle bare_handle;
/** Said,
 *  on two lines. */
typedef struct documented {
  int32_t member; /** of it */
} documented;
typedef struct bare {
  int32_t member;
} bare;

/** Said, but too far above. */

IDENTITY_API void bare_far(void);
/* Said, but not as a doc comment. */
typedef void (*bare_fn)(void *user_data);
/** Said. */
IDENTITY_API void documented_free(const documented *one);
IDENTITY_API void bare_free(const bare *one,
                            int32_t how);
HEADER
found=$(undocumented "$work/header.h" | grep -c . || true)
wrong=$(undocumented "$work/header.h" | grep -vci bare || true)
[ "$found" -eq 6 ] && [ "$wrong" -eq 0 ] || {
  echo "comments: of six declarations without one, $found are found, $wrong of them wrongly"
  exit 1
}

found=$(undocumented include/identity/*.h)
[ -z "$found" ] || { echo "$found"; echo "declarations without a doc comment right above them"; exit 1; }
count=$(cat include/identity/*.h | grep -cE '^(IDENTITY_API|typedef|struct|enum|union)[ {]')
echo "comments: $count declarations, each with its own"
