#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# HTTP/2 through a real front (nginx) before the stand-in service: run.sh BUILD. What is there at the same time is not
# measured but held: the service answers nothing until every request of a stage has come in.
# shellcheck disable=SC2034,SC2154
set -u
LC_ALL=C
export LC_ALL

readonly expected=36 sessions=5 fetches=50 at_a_time=64 usual_streams=128

build=${1:-}
for program in identity-sandbox http2/alone http2/fetches http2/upheaval loops/epoll; do
  [ -x "$build/$program" ] || { echo "usage: $0 BUILD, where $program is built (make check-http2 does it)" >&2; exit 2; }
done
PATH=$PATH:/usr/sbin:/sbin
for tool in nginx openssl curl; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: make deps-check" >&2; exit 1; }
done
unset "${!IDENTITY_@}"
HERE=$(cd "$(dirname "$0")" && pwd)
BINARY=$build/identity-sandbox
WORK=$(mktemp -d)
FRONT=$WORK/front
mkdir "$FRONT"
PID=
front=
client=
clean_up() {
  local pid
  for pid in $client $front $PID; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
  rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 1' INT TERM
# shellcheck source=/dev/null
. "$HERE/../sandbox_test/lib.sh"

give_up() {
  echo "$1" >&2
  tail -n 5 "$FRONT"/errors "$FRONT"/said "$WORK"/err 2>/dev/null >&2
  exit 1
}

# until_so COMMAND...: ten seconds at most
until_so() {
  local turns
  for ((turns = 0; turns < 200; turns++)); do
    "$@" && return 0
    sleep 0.05
  done
  return 1
}

# A key of its own, made now.
make_certificate() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -keyout "$FRONT/cert.key" -out "$FRONT/cert.pem" 2>"$FRONT/said" || give_up "$(cat "$FRONT/said")"
}

front_is_up() {
  curl -s --noproxy '*' --max-time 2 --cacert "$FRONT/cert.pem" -o "$FRONT/probe" "https://127.0.0.1:$front_port/locales"
}

# nginx cannot say which free port it got: one is tried, and another when it is taken.
# start_front STREAMS: so many requests it takes at a time on each connection
start_front() {
  local tries turns user=
  [ "$(id -u)" -ne 0 ] || user='user root;' # its worker must reach the folder
  for ((tries = 0; tries < 20; tries++)); do
    front_port=$((20000 + RANDOM % 12000))
    sed "s|@FRONT@|$FRONT|; s|@PORT@|$front_port|; s|@SERVICE@|$PORT|; s|@STREAMS@|$1|; s|@USER@|$user|" \
      "$HERE/nginx.conf" >"$FRONT/nginx.conf"
    nginx -p "$FRONT" -e "$FRONT/errors" -c "$FRONT/nginx.conf" >"$FRONT/said" 2>&1 &
    front=$!
    for ((turns = 0; turns < 100; turns++)); do
      front_is_up && return 0
      kill -0 "$front" 2>/dev/null || break
      sleep 0.05
    done
    grep -q 'Address already in use' "$FRONT/errors" || give_up "nginx does not start"
  done
  give_up "no free port for nginx"
}

# Its log is written when an answer has gone out, which the client may have seen before.
is_silent() {
  local before
  before=$(wc -l <"$FRONT/access")
  sleep 0.1
  [ "$before" = "$(wc -l <"$FRONT/access")" ]
}

settle_log() {
  until_so is_silent || give_up "the front's log does not come to rest"
}

clear_log() {
  settle_log
  : >"$FRONT/access"
}

# logged PATTERN: how many lines of the front's log look like this
logged() {
  grep -Ec -- "$1" "$FRONT/access"
}

connections() {
  cut -d' ' -f1 "$FRONT/access" | sort -u | grep -c .
}

holds() {
  control GET status
  [ "$(number waiting)" = "$1" ]
}

# stage NAME COUNT: the service has so many requests in its hands at the same time, and lets them go
stage() {
  if until_so holds "$2"; then ok "$1: $2 requests at the same time"; else not_ok "$1: $2 requests at the same time" "$(number waiting) of them came, $(cat "$WORK/err")"; fi
  control POST release '{}'
}

hold() {
  fault "{\"method\":\"GET\",\"path\":\"$1\",\"times\":-1,\"hang\":true}"
}

# The log must be able to tell: two clients are two connections, and an old one is no HTTP/2.
test_the_log() {
  clear_log
  front_is_up
  curl -s --noproxy '*' --http1.1 --cacert "$FRONT/cert.pem" -o "$FRONT/probe" "https://127.0.0.1:$front_port/locales"
  settle_log
  same "the front's log tells connections apart" 2 "$(connections)"
  same "the front's log tells HTTP/2 from HTTP/1.1" "1 1" "$(logged ' HTTP/2.0 ') $(logged ' HTTP/1.1 ')"
}

test_many_at_once() {
  register jo@example.com
  same "a customer to fetch" 200 "$STATUS"
  hold '/customers/*'
  hold '/customers/*/consents'
  hold '/customers/*/capture/status'
  clear_log
  "$build/http2/fetches" "https://127.0.0.1:$front_port" "$FRONT/cert.pem" jo@example.com s3cretpass \
    >"$WORK/out" 2>"$WORK/err" &
  client=$!
  stage "fetches" "$fetches"
  stage "next step" 2
  code=0
  wait "$client" || code=$?
  client=
  same "every call ended well" "0 logins: $sessions of $sessions fetches: $fetches of $fetches next step: 1 of 1 " \
    "$code $(tr '\n' ' ' <"$WORK/out")$(head -c 300 "$WORK/err")"
  settle_log
  same "all of it over HTTP/2" 0 "$(grep -vc ' HTTP/2.0 ' "$FRONT/access")"
  same "$sessions sessions, one connection" 1 "$(connections)"
  same "logins" "$sessions" "$(logged ' POST /auths 200$')"
  same "fetches" "$fetches" "$(logged ' GET /customers/[0-9]+ 200$')"
  same "no request more than that" "$((sessions + fetches + 2))" "$(logged .)"
}

# A session with a loop of its own has one connection: only where that carries both questions are they asked at once.
test_blocking() {
  reset
  register jo@example.com
  hold '/customers/*/consents'
  hold '/customers/*/capture/status'
  clear_log
  "$build/http2/alone" "https://127.0.0.1:$front_port" "$FRONT/cert.pem" jo@example.com s3cretpass >"$WORK/out" 2>"$WORK/err" &
  client=$!
  stage "a blocking next step" 2
  code=0
  wait "$client" || code=$?
  client=
  same "a blocking next step ends well" "0 step 1" "$code $(cat "$WORK/out")$(head -c 300 "$WORK/err")"
  settle_log
  same "a blocking next step over HTTP/2" 0 "$(grep -vc ' HTTP/2.0 ' "$FRONT/access")"
  same "a blocking next step needs one connection" "3 1" "$(logged .) $(connections)"
}

# The journey of examples/loops, for which HTTP/1.1 takes two connections.
test_journey() {
  reset
  clear_log
  code=0
  timeout 60 "$build/loops/epoll" "https://127.0.0.1:$front_port" "$FRONT/cert.pem" >"$WORK/out" 2>"$WORK/err" || code=$?
  same "the journey ends well" "0 " "$code $(head -c 300 "$WORK/err")"
  settle_log
  same "the journey over HTTP/2" 0 "$(grep -vc ' HTTP/2.0 ' "$FRONT/access")"
  same "the journey needs one connection" "20 1" "$(logged .) $(connections)"
}

# ---- what happens to the front in the middle of a hundred calls ----

worker_of_front() {
  tr ' ' '\n' <"/proc/$front/task/$front/children" | grep . | tail -n 1
}

has_another_worker() {
  local now
  now=$(worker_of_front)
  [ -n "$now" ] && [ "$now" != "$1" ]
}

# ends KIND STATUS: so many calls of the kind ended so
ends() {
  local number
  number=$(sed -n "s/^$1 $2 //p" "$WORK/out")
  echo "${number:-0}"
}

# requests METHOD PATH [STATUS]: so many came to the service
requests() {
  control GET journal
  printf '%s' "$BODY" | sed 's/{"seq"/\n&/g' | grep -E "\"method\":\"$1\"" | grep -E "\"path\":\"$2\"" | grep -Ec "\"status\":${3:-}"
}

newcomers() {
  control GET customers
  printf '%s' "$BODY" | grep -Eo '"email":"new[0-9]+@' | sort -u | grep -c .
}

# Five viewers; then the client's calls, up to as many as run at a time, and all that can wait of them is held.
begin_upheaval() {
  local i
  reset
  for i in 0 1 2 3 4; do register "jo$i@example.com"; done
  hold '/customers/*'
  fault '[{"method":"PATCH","path":"/customers/*","times":-1,"hang":true},{"method":"POST","path":"/customers","times":-1,"hang":true},
    {"method":"PUT","path":"/customers/passwords","times":-1,"hang":true}]'
  "$build/http2/upheaval" "https://127.0.0.1:$front_port" "$FRONT/cert.pem" s3cretpass >"$WORK/out" 2>"$WORK/err" &
  client=$!
  if until_so holds "$at_a_time"; then ok "$1: $at_a_time requests are out"; else not_ok "$1: $at_a_time requests are out" "$(number waiting), $(cat "$WORK/err")"; fi
}

end_upheaval() {
  control DELETE faults
  control POST release '{}'
  code=0
  wait "$client" || code=$?
  client=
  same "$1: each call completes once, and nobody is signed out" "0 completed once: 100, signed in: 5" \
    "$code $(head -n 1 "$WORK/out")$(head -c 300 "$WORK/err")"
}

# It finishes what it has, and takes no more on the connection (GOAWAY).
test_reload() {
  local worker
  begin_upheaval reload
  worker=$(worker_of_front)
  kill -HUP "$front"
  until_so has_another_worker "$worker" || give_up "nginx has no other worker"
  end_upheaval reload
  same "reload: all end well" "40 20 20 10 10" \
    "$(ends customer OK) $(ends update OK) $(ends register OK) $(ends reset OK) $(ends refresh OK)"
  same "reload: no request more than that" "40 20 25 10" \
    "$(requests GET '/customers/[0-9]*') $(requests PATCH '/customers/[0-9]*') $(requests POST /customers) $(requests PUT /customers/passwords)"
}

# Every connection breaks, and nobody knows what the service has done of it.
test_kill() {
  local worker lost
  begin_upheaval kill
  worker=$(worker_of_front)
  kill -KILL "$worker"
  until_so has_another_worker "$worker" || give_up "nginx has no other worker"
  end_upheaval kill
  same "kill: what may be repeated ends well" "40 20" "$(ends customer OK) $(ends update OK)"
  lost=$(ends register OUTCOME_UNKNOWN)
  check "kill: of registrations that were out nobody knows" test "$lost" -gt 0
  same "kill: all others end well" "$((20 - lost))" "$(ends register OK)"
  same "kill: no registration is sent twice" 25 "$(requests POST /customers)"
  same "kill: no mail is asked for twice" "10 10" \
    "$(($(ends reset OK) + $(ends reset CONNECTION_LOST))) $(requests PUT /customers/passwords)"
}

# It is stopped for longer than most patience, and goes on: nothing is lost by that.
test_stop() {
  local worker
  begin_upheaval stop
  worker=$(worker_of_front)
  kill -STOP "$worker"
  control POST release '{}'
  sleep 1
  kill -CONT "$worker"
  end_upheaval stop
  same "stop: all end well" "40 20 20 10 10" \
    "$(ends customer OK) $(ends update OK) $(ends register OK) $(ends reset OK) $(ends refresh OK)"
}

# What is too much for it is refused (RST_STREAM), though it could have been known only after it was sent.
test_few_streams() {
  local unknown
  reset
  for i in 0 1 2 3 4; do register "jo$i@example.com"; done
  "$build/http2/upheaval" "https://127.0.0.1:$front_port" "$FRONT/cert.pem" s3cretpass >"$WORK/out" 2>"$WORK/err" &
  client=$!
  end_upheaval "few streams"
  same "few streams: what may be repeated ends well" "40 20" "$(ends customer OK) $(ends update OK)"
  unknown=$(ends register OUTCOME_UNKNOWN)
  same "few streams: registrations end well, or nobody knows; those are there that did" "$((20 - unknown)) $((20 - unknown))" \
    "$(ends register OK) $(newcomers)"
  same "few streams: no mail is asked for twice" 10 "$(($(ends reset OK) + $(ends reset CONNECTION_LOST)))"
}

stop_front() {
  kill "$front"
  wait "$front"
  front=
}

make_certificate
start
start_front "$usual_streams"
test_the_log
test_many_at_once
test_blocking
test_journey
test_reload
test_kill
test_stop
stop_front
start_front 4
test_few_streams
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq "$expected" ]
