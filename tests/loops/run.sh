#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The adapters of examples/loops against the stand-in service, over HTTP and HTTPS: run.sh BUILD [--quick] [ADAPTER...]
# --quick: only those that need no package, over HTTP, with nothing that goes wrong.
# Each must tell the same journey, send exactly its requests, and never be held up by a call.
# shellcheck disable=SC2034,SC2154
set -u
LC_ALL=C
export LC_ALL

readonly checks_of_a_journey=5 checks_of_failures=7 beats_wanted=8 held_ms=250

build=${1:-}
if [ ! -x "$build/identity-sandbox" ]; then
  echo "usage: $0 BUILD [--quick] [ADAPTER...], where identity-sandbox and loops/ADAPTER are built" >&2
  exit 2
fi
shift
quick=
if [ "${1:-}" = --quick ]; then
  quick=yes
  set -- tick poll epoll
fi
[ $# -gt 0 ] || set -- tick poll epoll libuv glib
for adapter; do
  [ -x "$build/loops/$adapter" ] || { echo "there is no $build/loops/$adapter: make loops loops-of-packages" >&2; exit 2; }
done
unset "${!IDENTITY_@}"
BINARY=$build/identity-sandbox
WORK=$(mktemp -d)
PID=
trap '[ -z "$PID" ] || kill "$PID" 2>/dev/null; rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM
# shellcheck source=/dev/null
. "$(dirname "$0")/../sandbox_test/lib.sh"

cat >"$WORK/lines-wanted" <<'EOT'
locale: US, USD, en_US
publisher's consents: 3
register: done
next step: ask for consents
update consents: done
next step: show the capture form
update capture form: done
next step: nothing
customer: viewer-N@example.com
tokens: a JWT for customer N
logout: done
login: done
customer: viewer-N@example.com
logout everywhere: done
meanwhile: N beats of the app's own timer, N while one call was out
EOT

# Sorted: next step's two requests are under way at the same time. Where the consents alone decide, the one for the form is
# no longer needed, before or after it has left: it is not in here. Logout is a matter of this device alone.
sort >"$WORK/requests-wanted" <<'EOT'
GET /locales 200
GET /publishers/N/consents 200
GET /locales 200
GET /publishers/N/consents 200
POST /customers 200
PUT /customers/N/consents 200
GET /customers/N/consents 200
GET /customers/N/consents 200
PUT /customers/N/consents 200
GET /customers/N/consents 200
GET /customers/N/capture/status 200
GET /customers/N/capture/status 200
PUT /customers/N/capture 200
GET /customers/N/consents 200
GET /customers/N/capture/status 200
GET /customers/N 200
POST /auths 200
GET /customers/N 200
DELETE /refresh_tokens 200
EOT

# run PROGRAM ARGUMENT...: leaves out, err and $code; an adapter that does not end is ended after a minute.
run() {
  code=0
  timeout 60 "$@" >"$WORK/out" 2>"$WORK/err" || code=$?
}

same_files() {
  if diff "$2" "$3" >"$WORK/difference"; then ok "$1"; else not_ok "$1" "$(head -n 20 "$WORK/difference")"; fi
}

# The journal as lines: METHOD PATH STATUS CONNECTION
journal() {
  control GET journal
  printf '%s' "$BODY" | sed 's/{"seq"/\n&/g' | sed -n \
    's/.*"method":"\([A-Z]*\)".*"path":"\([^"]*\)".*"status":\([0-9]*\).*"connection":\([0-9]*\).*/\1 \2 \3 \4/p'
}

# The same paths and numbers for every viewer.
nameless() {
  sed -E 's/viewer-[0-9]+@/viewer-N@/; s/customer [0-9]+$/customer N/; s/: [0-9]+ beats/: N beats/
    s/, [0-9]+ while/, N while/; s/ \/(customers|publishers)\/[0-9]+/ \/\1\/N/'
}

# One request more for the form is the one whose answer nobody needed; two would be one too many.
without_called_off() {
  awk -v forms="$(grep -c capture/status "$WORK/journal")" '!(forms == 4 && /capture\/status/ && !gone++)'
}

tell_journey() {
  local name=$1 program=$2
  shift 2
  reset
  fault "{\"method\":\"POST\",\"path\":\"/auths\",\"delay_ms\":$held_ms}"
  run "$program" "$BASE" "$@"
  same "$name: the journey ends well" "0 " "$code $(head -c 300 "$WORK/err")"
  nameless <"$WORK/out" >"$WORK/lines"
  same_files "$name: each step says what it should" "$WORK/lines-wanted" "$WORK/lines"
  journal >"$WORK/journal"
  cut -d' ' -f1-3 "$WORK/journal" | without_called_off | nameless | sort >"$WORK/requests"
  same_files "$name: exactly the requests of the journey" "$WORK/requests-wanted" "$WORK/requests"
  # One, one more for the two requests at the same time, and one in place of that which the called-off request took along.
  check "$name: few connections, used again and again" test "$(cut -d' ' -f4 "$WORK/journal" | sort -u | grep -c .)" -le 3
  beats=$(sed -n 's/^meanwhile: .*, \([0-9]*\) while.*/\1/p' "$WORK/out")
  check "$name: the app goes on while a call is out (${beats:-no} beats)" test "${beats:-0}" -ge "$beats_wanted"
}

# An end that is not well is an end, too.
tell_failures() {
  local name=$1 program=$2
  reset
  fault '{"method":"GET","path":"/customers/*","status":403,"body":{"errors":["No"],"code":"AUTH0004"}}'
  run "$program" "$BASE"
  same "$name: a call that fails ends the journey" 1 "$code"
  check "$name: and says which, and why" grep -Eq '^customer: [A-Z_]+: .' "$WORK/err"
  run "$program" http://127.0.0.1:1
  same "$name: no service, no journey" 1 "$code"
  check "$name: and says so" grep -q '^locale: OFFLINE: .' "$WORK/err"
  run "$program" --help
  same "$name: --help is no failure" 0 "$code"
  check "$name: and shows how to call it" grep -q '^usage: .* BASE_URL \[CA_FILE\]$' "$WORK/out"
  run "$program"
  same "$name: without an address there is nothing to do" 2 "$code"
}

start
for adapter; do tell_journey "$adapter, http" "$build/loops/$adapter"; done
expected=$(($# * checks_of_a_journey))
if [ -z "$quick" ]; then
  for adapter; do tell_failures "$adapter" "$build/loops/$adapter"; done
  stop
  start --tls --state "$WORK/state"
  for adapter; do tell_journey "$adapter, https" "$build/loops/$adapter" "$WORK/state/ca.pem"; done
  expected=$((2 * expected + $# * checks_of_failures))
fi
stop

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq "$expected" ]
