#!/usr/bin/env bash
# Holds the library's requests against openapi.yaml: prism_library.sh PRISM-BINARY BUILD. The command-line client speaks
# to the stand-in service through Prism's validating proxy, on loopback, which answers a request that the file does not
# allow with an error; the client then fails. Ends with 1 when one does, and when Prism lets a wrong request pass.
set -u
LC_ALL=C
export LC_ALL

if [ $# -ne 2 ] || [ ! -x "$1" ] || [ ! -x "$2/identity-cli" ]; then
  echo "usage: $0 PRISM-BINARY BUILD" >&2
  exit 2
fi
prism=$1
build=$2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
pids=
passed=0
failed=0
trap 'for pid in $pids; do kill "$pid" 2>/dev/null; done; wait; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

start_service() {
  rm -f "$work/$1"
  "$build/identity-sandbox" --quiet --port-file "$work/$1" &
  pid=$!
  for ((i = 0; i < 200; i++)); do
    [ -s "$work/$1" ] && return
    sleep 0.05
  done
  echo "the stand-in service does not start" >&2
  exit 1
}

# Prism cannot be told to choose a port: a service that is stopped at once finds a free one.
start_service free
port=$(cat "$work/free")
kill "$pid"
wait "$pid"
start_service port
pids="$pids $pid"
direct=http://127.0.0.1:$(cat "$work/port")
"$prism" proxy "$here/openapi.yaml" "$direct" --host 127.0.0.1 --port "$port" --errors >"$work/log" 2>&1 &
pids="$pids $!"
base=http://127.0.0.1:$port
for ((i = 0; ; i++)); do
  curl -s --noproxy '*' -o /dev/null "$base/locales" && break
  [ "$i" -lt 300 ] || { echo "Prism does not start:" >&2; cat "$work/log" >&2; exit 1; }
  sleep 0.1
done

settle() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
    printf 'ok    %s\n' "$1"
  else
    failed=$((failed + 1))
    printf 'FAIL  %s: %s, not %s\n' "$1" "$3" "$2"
    sed 's/^/      /' "$work/out"
  fi
}

# client NAME EXIT-CODE INPUT ARGUMENT...
client() {
  local name=$1 expected=$2 input=$3
  shift 3
  printf '%b' "$input" | "$build/identity-cli" --base-url "$base" --publisher 123456789 --store "$work/store" --json "$@" \
    >"$work/out" 2>&1
  settle "$name" "$expected" $?
}

client "locale" 0 '' locale --customer-ip 203.0.113.7
client "locale by IPv6" 0 '' locale --customer-ip 2001:db8::1
client "publisher consents" 0 '' consents
client "register" 0 's3cretpass\n' register --email jo@example.com --accept-required --decline broadcaster_marketing \
  --first-name Jo --last-name Doe --customer-ip 192.0.2.1 --external-data '{"a":1}'
client "customer" 0 '' customer
client "next step" 0 '' next
client "customer consents" 0 '' my-consents
client "update consents" 0 '' accept broadcaster_marketing
client "capture status" 0 '' capture
client "update capture" 0 '' answer firstName=Joan birthDate=1990-01-31 country=NL custom_1=Films custom_4=more
client "update customer" 0 '' update-customer --country NL --external-data '{"favourites":[1]}'
client "update customer's e-mail" 0 's3cretpass\n' update-customer --email new@example.com
client "refresh" 0 '' refresh
client "token" 0 '' token --min-life 60
client "log out" 0 '' logout
client "login with an offer" 0 's3cretpass\n' login --email new@example.com --offer S123456789_US
client "wrong password" 11 'wr0ngpass\n' login --email new@example.com
client "reset mail" 0 '' reset-password --email new@example.com --reset-url https://app.example.com/reset
link=$(curl -s --noproxy '*' "$direct/_sandbox/outbox" | grep -o '"link":"[^"]*"' | tail -n 1 | sed 's/"link":"//; s/"$//')
client "new password" 0 "$link\nn3wsecret\n" set-password --link-stdin
client "login" 0 'n3wsecret\n' login --email new@example.com
client "log out everywhere" 0 '' logout --everywhere

# The judge is awake: requests that the file does not allow must not pass.
for wrong in '{"email":"jo@example.com"}' '{"email":1,"password":"s3cretpass","publisherId":"123456789"}'; do
  status=$(curl -s --noproxy '*' -o "$work/out" -w '%{http_code}' -X POST -H 'Content-Type: application/json' \
    -d "$wrong" "$base/auths")
  grep -q 'stoplight.io/prism/errors' "$work/out" || status="HTTP $status let through"
  settle "a wrong request is refused by Prism" "422" "$status"
done

# Every operation of the contract that the library has was judged.
requests=$(curl -s --noproxy '*' "$direct/_sandbox/journal" | grep -o '"method":"[A-Z]*","path":"[^"]*"' |
  sed -E 's/"method":"([A-Z]*)","path":"([^"]*)"/\1 \2/; s/[0-9]{9}/{id}/' | sort -u)
for operation in 'GET /locales' 'GET /publishers/{id}/consents' 'POST /customers' 'POST /auths' \
  'POST /auths/refresh_token' 'DELETE /refresh_tokens' 'PUT /customers/passwords' 'PATCH /customers/passwords' \
  'GET /customers/{id}' 'PATCH /customers/{id}' 'GET /customers/{id}/consents' 'PUT /customers/{id}/consents' \
  'GET /customers/{id}/capture/status' 'PUT /customers/{id}/capture'; do
  printf '%s\n' "$requests" >"$work/out"
  settle "judged: $operation" 0 "$(printf '%s\n' "$requests" | grep -qxF "$operation"; echo $?)"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -ge 37 ]
