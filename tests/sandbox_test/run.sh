#!/usr/bin/env bash
# Tests of the stand-in service: run.sh BINARY. Needs bash, curl, sed, grep, base64, sha256sum. Loopback only.
# SANDBOX_WRAPPER="valgrind ..." puts a command in front of the binary.
# Prints each check and at last "N passed, N failed"; ends with 1 when a check failed or fewer ran than there are.
# shellcheck disable=SC2034,SC2154,SC2016
set -u
LC_ALL=C
export LC_ALL

EXPECTED=489

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
  echo "usage: $0 BINARY" >&2
  exit 2
fi
BINARY=$1
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
PID=
trap '[ -z "$PID" ] || kill "$PID" 2> /dev/null; rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM

for part in lib options journey refusals sessions profile faults control hostile; do
  # shellcheck source=/dev/null
  . "$HERE/$part.sh"
done

# The README's configuration, tried as it stands there.
sed -n '/^```json config/,/^```$/p' "$HERE/../sandbox/README.md" | sed '1d;$d' > "$WORK/readme-config.json"
check "the README shows a configuration" test -s "$WORK/readme-config.json"

test_options
test_bad_start
test_start_and_stop
test_state
test_certificates

start --tls --state "$WORK/state"
test_journey https
reset
test_hostile_requests https
test_many_connections
stop
same "stopped after the journey over https" 0 "$EXIT"

# A token of another service, for one that must not take it.
start
register jo@example.com
foreign=$JWT
stop

start
test_journey http
for group in test_register_refusals test_captcha test_login_refusals "test_jwt_refusals $foreign" test_routes \
  test_expiry test_refusals_of_refresh test_several_devices test_sso \
  test_consents test_capture test_customer test_passwords \
  test_fault_matching test_fault_answers test_fault_processing test_fault_timing test_fault_connections \
  test_control_refusals test_reset test_hostile_bodies "test_hostile_requests http" test_many_connections; do
  reset
  $group
done
call GET /locales
is "after all this it is still there" 200
stop
same "stopped after all this" 0 "$EXIT"
same "and it never complained" "" "$(cat "$WORK/errors")"

start
test_journal
stop
start --jwt-life 60 --refresh-life 120
test_lives
stop
start --grace 30
test_grace
stop

[ $((passed + failed)) -ge "$EXPECTED" ] || not_ok "all checks ran" "$EXPECTED expected, $((passed + failed)) ran"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
