#!/bin/sh
# The README's code: every C block compiles with warnings as errors, those of async.h as C++, too; the first is run against
# the stand-in service; shell blocks parse, and each make target, tool and client command they name exists.
set -eu
cc=$1
build=$2
work=$(mktemp -d)
pid=
cleanup() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

awk -v dir="$work" '/^```/{if(open){open=0;close(file)}else{kind=substr($0,4);if(kind=="")kind="text";n++;open=1
  file=sprintf("%s/%02d.%s",dir,n,kind)};next} open{print > file}' README.md
libs=$(pkg-config --libs libcurl libcjson)
compiled=0
for block in "$work"/*.c; do
  $cc -std=c11 -Wall -Wextra -Wpedantic -Werror -Iinclude -c "$block" -o "$block.o"
  if grep -q 'identity/async.h' "$block"; then
    g++ -x c++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -Iinclude -fsyntax-only "$block"
  fi
  compiled=$((compiled + 1))
done
[ "$compiled" -gt 0 ] || { echo "the README has no C block"; exit 1; }

# The first program, at the port that was free, signs in twice: registers, then logs in.
"$build/identity-sandbox" --port 0 --port-file "$work/port" --state "$work/state" --quiet >"$work/log" 2>&1 &
pid=$!
tries=0
while [ ! -s "$work/port" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { echo "the stand-in service did not start"; cat "$work/log"; exit 1; }
  sleep 0.1
done
first=$(find "$work" -name '*.c' | sort | head -n 1)
sed "s|http://127.0.0.1:8080|http://127.0.0.1:$(cat "$work/port")|" "$first" >"$work/run.c"
cmp -s "$first" "$work/run.c" && { echo "the README's first program does not name the stand-in service"; exit 1; }
# shellcheck disable=SC2086
$cc -std=c11 -Wall -Werror -Iinclude "$work/run.c" "$build/libidentity.a" $libs -pthread -o "$work/run"
for time in first second; do
  said=$("$work/run") || true
  [ "$said" = "signed in" ] || { echo "the README's program said '$said' the $time time"; exit 1; }
done

blocks=0
for block in "$work"/*.sh; do
  bash -n "$block"
  blocks=$((blocks + 1))
  for target in $(grep -oE '^make [a-z -]*' "$block" | sed 's/^make//'); do
    make -n "$target" >/dev/null 2>&1 || { echo "the README names 'make $target', which does not exist"; exit 1; }
  done
  for command in $(grep -oE 'identity-cli( --[a-z-]+ [^ ]+)* [a-z-]+' "$block" | awk '{print $NF}'); do
    "$build/identity-cli" help "$command" >/dev/null || { echo "the README names 'identity-cli $command'"; exit 1; }
  done
done
echo "README: $compiled C blocks compiled, the first one ran twice; $blocks shell blocks checked"
