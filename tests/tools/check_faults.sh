#!/bin/sh
# Each fault of tests/faults/README.md has a test with its number in its name.
set -eu
missing=
tests=0
for number in $(sed -n 's/^| \([0-9]*\) |.*/\1/p' tests/faults/README.md); do
  name=$(printf 'fault_%02d_' "$number")
  count=$(cat tests/faults/*.c tests/slow/*.c tests/slow/*.sh | grep -oE "\b${name}[a-z0-9_]+" | sort -u | wc -l)
  tests=$((tests + count))
  [ "$count" -gt 0 ] || missing="$missing $number"
done
[ "$tests" -gt 0 ] || { echo "no fault is listed"; exit 1; }
[ -z "$missing" ] || { echo "faults without a test:$missing"; exit 1; }
echo "faults: $(grep -cE '^\| [0-9]+ \|' tests/faults/README.md) listed, $tests tests carry their numbers"
