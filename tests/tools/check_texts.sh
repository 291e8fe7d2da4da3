#!/bin/sh
# Tables hold their texts in arrays. C lets a text fill its array without its zero byte, and says nothing: here the
# compiler is asked, first about a text that must be found.
#   check_texts.sh CC "FLAGS" FILE...
set -eu
cc=$1
flags=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# shellcheck disable=SC2086 # several flags
cut_texts() {
  LC_ALL=C $cc -std=c11 -D_GNU_SOURCE $flags -fsyntax-only -Wc++-compat "$@" 2>"$work/said" || {
    cat "$work/said" >&2
    exit 1
  }
  grep 'is too long for C++' "$work/said" || true
}

printf 'extern const char cut[][4];\nconst char cut[][4] = {"abc", "abcd"};\n' >"$work/cut.c"
[ "$(cut_texts "$work/cut.c" | wc -l)" -eq 1 ] || { echo "texts: $cc does not tell a text without its zero byte"; exit 1; }
found=$(cut_texts "$@")
[ -z "$found" ] || { echo "$found"; echo "texts without their zero byte"; exit 1; }
echo "texts: $# files, each text with its zero byte"
