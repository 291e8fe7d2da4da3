#!/bin/sh
# Each public header alone: C99, C11, C++11, pedantic; what an ABI for bindings must not have; the budget of lines.
set -eu
cc=$1
cxx=$2
for header in include/identity/*.h; do
  name=${header##*/}
  for standard in c99 c11 c17; do
    printf '#include <identity/%s>\n' "$name" |
      $cc -std=$standard -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only -x c -
  done
  for standard in c++11 c++17; do
    printf '#include <identity/%s>\n' "$name" |
      $cxx -std=$standard -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only -x c++ -
  done
  # No implicit padding in what the caller allocates.
  $cc -std=c11 -Wpadded -Werror -Iinclude -fsyntax-only -x c "$header"
  case $name in identity.h) most=650 ;; async.h | platform.h) most=300 ;; server.h) most=80 ;; *) most=0 ;; esac
  lines=$(wc -l <"$header")
  [ "$lines" -le "$most" ] || { echo "$header has $lines lines, its budget is $most"; exit 1; }
  # Comments off, then what a binding cannot swallow: varargs, bit-fields, bool, long, time_t, enum types, inline.
  if $cc -E -P -DIDENTITY_API= -Iinclude -x c "$header" | sed -n '/identity_status;/,$p' |
    grep -nE '\.\.\.|: *[0-9]+;|\b(_Bool|bool|long|time_t|inline|union|size_t)\b|\benum [a-z]'; then
    echo "$header: the lines above are no ABI for bindings"
    exit 1
  fi
  echo "$name: $lines lines of $most, C99 to C++17"
done
