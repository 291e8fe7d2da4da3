# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# Input of the worst kind: the service refuses it and goes on.

# raw TEXT: sends the bytes over a plain connection and prints the first line of the answer.
raw() {
  local line=
  exec 9<> "/dev/tcp/127.0.0.1/$PORT" || return
  printf '%b' "$1" >&9
  IFS= read -r -t 5 line <&9
  exec 9>&-
  printf '%s\n' "${line%$'\r'}"
}

test_hostile_bodies() {
  local deep
  deep=$(printf '[%.0s' $(seq 100000))
  for body in '{"email":"\ud800","password":1}' '{"email":"jo@example.com\u0000"}' "$deep" "{\"a\":$deep" '{} x' '﻿[' '"text"' 'null'; do
    call POST /customers "$body"
    is "body ${body:0:30}" 400 'Invalid request body'
  done
  printf '{"email":"\377\376"}' > "$WORK/bytes"
  call POST /customers '' --data-binary "@$WORK/bytes"
  is "a body that is no UTF-8" 400 'Invalid request body'
  printf '{"email":"a\000b"}' > "$WORK/bytes"
  call POST /customers '' --data-binary "@$WORK/bytes"
  is "a body with a NUL" 400 'Invalid request body'
  head -c 1048576 /dev/zero | tr '\0' ' ' > "$WORK/bytes"
  call POST /customers '' --data-binary "@$WORK/bytes" -H 'Expect:'
  is "a body of 1 MiB is read" 400 'Invalid request body'
  printf ' ' >> "$WORK/bytes"
  call POST /customers '' --data-binary "@$WORK/bytes"
  is "a body over 1 MiB" 413 '"message":'
  call POST /customers '' --data-binary "@$WORK/bytes" -H 'Expect:' -H 'Transfer-Encoding: chunked'
  is "a body over 1 MiB in chunks" 413 '"message":'
  call POST /_sandbox/faults '' --data-binary "@$WORK/bytes"
  is "a control body over 1 MiB" 413
  control GET journal
  is "they are in the journal" 200 '"status":413'
}

test_hostile_requests() {
  local long
  long=$(printf 'x%.0s' $(seq 3000))
  call GET "/$long"
  is "a long path" 404
  control GET journal
  check "the journal cuts it" test "${#BODY}" -lt 3000
  call GET '/a%0d%0ab%ff%c3%22'
  is "control characters in the path" 404
  control GET journal
  is "the journal stays printable" 200 '"path":"/a??b??'
  call GET '/locales%00'
  is "a NUL in the path" "$STATUS"
  call GET "/customers/99999999999999999999999999"
  is "a huge id" 404
  call GET '/locales?customerIP=%ff%00'
  is "a query that is no text" 400
  call WEIRD /locales
  is "an unknown method" 405
  call GET /locales '' -H "X-Long: $(printf 'x%.0s' $(seq 60000))"
  is "a header of 60 kB" 200
  call GET /locales '' -H "Authorization: Bearer $long.$long.$long"
  is "a senseless token where none is needed" 200
  [ "$1" = http ] || return
  # Over TLS the curl of Debian 12 itself stalls on a header of this size.
  head -c 400000 /dev/zero | tr '\0' x | sed 's/^/X-Long: /' > "$WORK/bytes"
  call GET /locales '' -H "@$WORK/bytes"
  is "a header of 400 kB" 431
  check "no HTTP at all" grep -q -v ' 200 ' <<< "$(raw 'hello\r\n\r\n')"
  check "bytes of all kinds" grep -q -v ' 200 ' <<< "$(raw '\x16\x03\x01\x00\xff\x00\x01\r\n\r\n')"
  same "two requests in one packet" 'HTTP/1.1 200 OK' "$(raw 'GET /locales HTTP/1.1\r\nHost: x\r\n\r\nGET /locales HTTP/1.1\r\nHost: x\r\n\r\n')"
  exec 9<> "/dev/tcp/127.0.0.1/$PORT"
  printf 'POST /customers HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{' >&9
  sleep 0.2
  exec 9>&-
  sleep 0.2
  control GET journal
  check "a body that never came is counted apart" test "$(number incomplete)" -ge 1
}

test_many_connections() {
  local answers
  fault '{"path":"/locales","delay_ms":1000,"times":-1}'
  for _ in $(seq 220); do printf 'url="%s/locales"\noutput=/dev/null\n' "$BASE"; done > "$WORK/urls"
  answers=$(curl "${CURL[@]}" --parallel --parallel-immediate --parallel-max 220 -w '%{http_code}\n' -K "$WORK/urls" 2> /dev/null | grep -c '^200$')
  same "220 connections at once, each held for a second" 220 "$answers"
  control DELETE faults
  control GET status
  is "none is left waiting" 200 '"waiting":0'
}
