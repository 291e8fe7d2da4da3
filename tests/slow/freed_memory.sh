#!/usr/bin/env bash
# No secret in memory that the library or cJSON has freed: freed_memory.sh BUILD. A journey with every kind of secret runs
# under a watch over free(); a second run that leaks one on purpose must be caught.
set -euo pipefail
build=$1
work=$(mktemp -d)
pid=
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null || true; rm -rf "$work"' EXIT

cc=${CC:-gcc}
# The watch tells who frees by the return address: a call in tail position would hide it.
make --no-print-directory -s B="$build/freed" CC="$cc" CFLAGS="-O1 -g -fno-optimize-sibling-calls" lib
library=$(cd "$build/freed" && pwd)
"$cc" -std=c11 -D_GNU_SOURCE -O1 -fno-builtin -fPIC -shared -Wall -Wextra -Werror tests/slow/freed_memory.c -o "$work/watch.so" -ldl
"$cc" -std=c11 -D_GNU_SOURCE -O1 -Wall -Wextra -Werror -Iinclude tests/slow/freed_journey.c -o "$work/journey" \
  -L"$library" -lidentity -ldl -Wl,-rpath,"$library"

"$build/identity-sandbox" --port 0 --port-file "$work/port" --tls --state "$work/state" --quiet >"$work/log" 2>&1 &
pid=$!
for ((i = 0; i < 200; i++)); do
  [ -s "$work/port" ] && break
  sleep 0.1
done
url=https://127.0.0.1:$(cat "$work/port")

LD_PRELOAD=$work/watch.so "$work/journey" "$url" "$work/state/ca.pem" "$work/store"
curl -sf --cacert "$work/state/ca.pem" -X POST -d '{}' "$url/_sandbox/reset" >/dev/null
if LD_PRELOAD=$work/watch.so "$work/journey" "$url" "$work/state/ca.pem" "$work/store2" leak >"$work/out" 2>&1; then
  echo "freed memory: the watch did not notice a secret that was freed on purpose" >&2
  exit 1
fi
grep -q "was freed without being wiped" "$work/out" || { cat "$work/out" >&2; exit 1; }
echo "freed memory: a secret freed on purpose is noticed"
