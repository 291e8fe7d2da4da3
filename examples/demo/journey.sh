#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The whole identity journey, told as it goes: examples/demo/journey.sh BUILD_DIR
# Every command below is a real one and every answer comes over HTTPS from the stand-in service, which this script
# starts on a free port and stops at the end. Any step that does not do what the story says ends it with an error.
set -euo pipefail

build=${1:-}
if [ ! -x "$build/identity-cli" ] || [ ! -x "$build/identity-sandbox" ]; then
  echo "usage: $0 BUILD_DIR, where identity-cli and identity-sandbox are built (make demo does it all)" >&2
  exit 2
fi
build=$(cd "$build" && pwd)
PATH=$build:$PATH
unset "${!IDENTITY_@}" # the user's own settings must not change the story

email=jo@example.com
work=$(mktemp -d "${TMPDIR:-/tmp}/identity-demo.XXXXXX")
server=
steps=0

clean_up() {
  local code=$?
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  cd / && rm -rf "$work"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
  bold=$(printf '\033[1m') dim=$(printf '\033[2m') plain=$(printf '\033[0m')
fi

fail() {
  printf '\nThe demo stops here: %s\n' "$1" >&2
  if [ -s "$work/server.log" ]; then
    printf 'The last words of the stand-in service:\n' >&2
    tail -n 5 "$work/server.log" >&2
  fi
  exit 1
}

# step HEADLINE: the next part of the story
step() {
  steps=$((steps + 1))
  printf '\n%s%d. %s%s\n' "$bold" "$steps" "$1" "$plain"
}

# run EXIT_CODE SHOWN COMMAND...: shows the line as a user types it, runs it, shows and keeps the real output. Standard
# input is what the caller redirects; the story goes on only with the expected exit code.
run() {
  local wanted=$1 shown=$2 code=0
  shift 2
  printf '   %s$ %s%s\n' "$dim" "$shown" "$plain"
  "$@" >"$work/output" 2>&1 || code=$?
  sed 's/^/   /' "$work/output"
  if [ "$code" -ne 0 ]; then
    printf '   %s(exit code %d)%s\n' "$dim" "$code" "$plain"
  fi
  [ "$code" -eq "$wanted" ] || fail "step $steps ended with exit code $code instead of $wanted"
}

# cli EXIT_CODE ARGUMENT...: run for identity-cli without secrets
cli() {
  local wanted=$1
  shift
  run "$wanted" "identity-cli $*" identity-cli "$@" </dev/null
}

# expect PATTERN: the last output must have a line like this
expect() {
  grep -Eq -- "$1" "$work/output" || fail "step $steps should have shown \"$1\""
}

# control METHOD PATH [BODY]: the stand-in service's own remote control; no part of the real service
control() {
  curl --silent --show-error --fail --noproxy '*' --max-time 10 --cacert "$ca" --request "$1" \
    ${3:+--header 'Content-Type: application/json' --data "$3"} "https://127.0.0.1:$port/_sandbox/$2"
}

# journal [SINCE]: one line for each request that the service saw: METHOD PATH STATUS CONNECTION
journal() {
  control GET "journal?since=${1:-0}" | tr '\n' ' ' | sed 's/{[[:space:]]*"seq"/\n&/g' |
    sed -n 's/.*"method": *"\([A-Z]*\)".*"path": *"\([^"]*\)".*"status": *\([0-9]*\).*"connection": *\([0-9]*\).*/\1 \2 \3 \4/p'
}

# seen PATTERN [SINCE]: how many requests of the journal look like this
seen() {
  journal "${2:-0}" | grep -Ec -- "$1" || true
}

last_seq() {
  control GET journal | tr -d '\n' | sed -n 's/.*"last_seq": *\([0-9]*\).*/\1/p'
}

start_service() {
  identity-sandbox --tls --port 0 --port-file "$work/port" --state "$work/service" >"$work/server.log" 2>&1 &
  server=$!
  local tries=0
  until [ -s "$work/port" ]; do
    kill -0 "$server" 2>/dev/null || fail "the stand-in service did not start"
    tries=$((tries + 1))
    [ "$tries" -le 200 ] || fail "the stand-in service did not open its port within 10 seconds"
    sleep 0.05
  done
  port=$(cat "$work/port")
  ca=$work/service/ca.pem
  [ -r "$ca" ] || fail "the stand-in service made no CA file"
}

# ---- The story -------------------------------------------------------------------------------------------------------

umask 077
start_service
cd "$work"
cp "$ca" ca.pem
echo 'fine-words-1' >password
echo 'wrong-words-9' >wrong-password
echo 'better-words-2' >new-password

printf '%sThe identity journey of a viewer, from the first visit to a new password%s\n' "$bold" "$plain"
cat <<EOT

A stand-in for the service runs on this machine, with certificates of its own (ca.pem).
"identity-cli" is a small program on top of libidentity. Passwords never stand on a command
line: they are typed at a prompt, or come from standard input as here.
EOT

step "The app asks the service where the viewer is."
cli 0 --base-url "https://127.0.0.1:$port" --ca-file ca.pem --publisher 123456789 --store sessions locale
expect 'Country +[A-Z]{2}$'
expect 'Currency +[A-Z]{3}$'
cat <<EOT
   From here on these settings come from the environment:
   export IDENTITY_BASE_URL=https://127.0.0.1:$port IDENTITY_CA_FILE=ca.pem
   export IDENTITY_PUBLISHER=123456789 IDENTITY_STORE=sessions
EOT
export IDENTITY_BASE_URL="https://127.0.0.1:$port" IDENTITY_CA_FILE=ca.pem
export IDENTITY_PUBLISHER=123456789 IDENTITY_STORE=sessions

step "Before anybody can register, the viewer has to see what the publisher asks for."
cli 0 consents
expect '^ +terms +[0-9.]+ +yes '
expect '^ +broadcaster_marketing +[0-9.]+ +no '

step "Registering without accepting the required terms is refused, and nothing was sent."
run 11 "identity-cli register --email $email < password" identity-cli register --email "$email" <password
expect 'CONSENT_REQUIRED'
[ "$(seen '^POST /customers ')" -eq 0 ] || fail "a registration reached the service without the terms"

step "The viewer accepts the terms, wants no marketing, and is registered and signed in."
run 0 "identity-cli register --email $email --accept-required --decline broadcaster_marketing < password" \
  identity-cli register --email "$email" --accept-required --decline broadcaster_marketing <password
expect 'State +active'
[ "$(seen '^POST /customers 2')" -eq 1 ] || fail "the journal does not show exactly one registration"

step "The answers went to the service right after."
cli 0 my-consents
expect '^ +terms +accepted '
expect '^ +broadcaster_terms +accepted '
expect '^ +broadcaster_marketing +declined '

step "What should the app show next? The publisher has a form with questions (the capture form)."
cli 0 next
expect '^Next: show the capture form'

step "The viewer fills it in; one wrong answer would be refused before anything is sent."
cli 11 answer firstName=Jo lastName=Doe birthDate=31.1.1990 custom_1=Sports
expect 'birthDate'
cli 0 answer firstName=Jo lastName=Doe birthDate=1990-01-31 custom_1=Sports
cli 0 next
expect '^Next: nothing'

step "The app is restarted (each command here is a new process), and the viewer is still signed in."
cli 0 status
expect 'State +active'
expect "E-mail +$email"
cli 0 customer
expect 'First name +Jo$'

step "Twenty minutes later the token (a JWT, good for 15) has expired. It is replaced without a word."
before=$(last_seq)
control PUT clock '{"offset_seconds":1200}' >/dev/null || fail "the service's clock could not be moved"
cli 0 customer
expect "E-mail +$email"
printf '   What the service saw:\n'
journal "$before" | sed -E 's/^([A-Z]+) ([^ ]+) ([0-9]+) .*/     \1 \2 -> \3/'
printf '\n'
[ "$(seen '^POST /auths/refresh_token 2' "$before")" -eq 1 ] || fail "there was not exactly one refresh"
[ "$(seen '^GET /customers/[0-9]+ 200' "$before")" -eq 1 ] || fail "the call was not answered after the refresh"

step "The viewer logs out. Now the app has to ask for a login."
cli 0 logout
expect 'State +signed_out'
cli 13 customer
expect 'SIGN_IN'

step "A wrong password does not help."
run 11 "identity-cli login --email $email < wrong-password" identity-cli login --email "$email" <wrong-password
expect 'WRONG_CREDENTIALS'

step "Forgotten: the service mails a link to the app's own page for a new password."
cli 0 reset-password --email "$email" --reset-url https://tv.example.com/new-password
control GET outbox >mails.json
printf '%s\n' "$(tr '\n' ' ' <mails.json | sed -n 's/.*"link": *"\([^"]*\)".*/\1/p')" >mailed-link
grep -q '^https://tv.example.com/new-password?.' mailed-link || fail "the outbox holds no link to the app's page"
printf '   The mail says: %.66s...\n' "$(cat mailed-link)"

step "The link comes back to the app, and the viewer chooses a new password."
cat mailed-link new-password >link-and-new-password
run 0 "cat mailed-link new-password | identity-cli set-password --link-stdin" \
  identity-cli set-password --link-stdin <link-and-new-password

step "The old password is of no use any more; the new one logs in."
run 11 "identity-cli login --email $email < password" identity-cli login --email "$email" <password
expect 'WRONG_CREDENTIALS'
run 0 "identity-cli login --email $email < new-password" identity-cli login --email "$email" <new-password
expect 'State +active'

# ---- What you saw ----------------------------------------------------------------------------------------------------

total=$(seen '^[A-Z]')
registrations=$(seen '^POST /customers 2')
refreshes=$(seen '^POST /auths/refresh_token ')
logins=$(seen '^POST /auths 2')
refused=$(seen '^POST /auths 401')
mails=$(seen '^PUT /customers/passwords 2')
[ "$registrations $refreshes $logins $refused $mails" = "1 1 1 2 1" ] ||
  fail "the journal counts something else: $registrations registrations, $refreshes refreshes, $logins logins"
cat <<EOT

${bold}What you saw${plain}
  $steps steps, $total requests over HTTPS, counted in the journal of the service:
  $registrations registration, $logins login, $refused refused passwords, $mails mailed link,
  $refreshes silent replacement of an expired token.
  The viewer was signed out only once: by their own wish.
EOT
