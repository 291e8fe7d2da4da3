#!/bin/sh
# clang-tidy over files, two at a time; the first argument has the compiler's flags. Any finding fails.
set -eu
command -v clang-tidy >/dev/null || { echo "clang-tidy is missing: make deps-check"; exit 1; }
flags=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
printf '%s\n' "$@" | xargs -P 2 -n 3 sh -c '
  flags=$1; shift
  exec clang-tidy --quiet --warnings-as-errors="*" "$@" -- -std=c11 -D_GNU_SOURCE $flags
' tidy "$flags" >"$log" 2>&1 || status=$?
grep -vE '^[0-9]+ warnings? generated|^Suppressed|^Use -header|^$' "$log" || true
[ "$status" -eq 0 ] || { echo "clang-tidy: findings above"; exit 1; }
echo "clang-tidy: $# files, no finding"
