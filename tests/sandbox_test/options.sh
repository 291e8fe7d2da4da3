# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# The command line, the start and the end.

test_options() {
  local output code
  output=$("$BINARY" --help)
  same "--help ends with 0" 0 $?
  check "--help lists the options" grep -q -- '--refresh-life S' <<< "$output"
  output=$("$BINARY" --version)
  same "--version ends with 0" 0 $?
  check "--version names the program" grep -q '^identity-sandbox [0-9]' <<< "$output"

  while IFS='|' read -r name arguments expected; do
    # shellcheck disable=SC2086
    output=$("$BINARY" $arguments 2>&1 > /dev/null)
    code=$?
    same "$name ends with 2" 2 "$code"
    check "$name says what is wrong" grep -q -e "$expected" <<< "$output"
  done << 'LIST'
an unknown option|--nonsense|--nonsense: unknown option
an option without its value|--port|--port needs a value
a port that is too large|--port 65536|--port needs a whole number from 0 to 65535
a port that is no number|--port 80x|--port needs a whole number
a life of nothing|--jwt-life 0|--jwt-life needs a whole number from 1
a negative grace|--grace -1|--grace needs a whole number from 0
an argument|hello|hello: unexpected argument
a kind of certificate there is not|--certificate bad|--certificate needs one of good, expired
TLS without a directory|--tls|--tls needs --state DIR
LIST
}

test_bad_start() {
  local output
  output=$("$BINARY" --config "$WORK/none.json" 2>&1)
  same "a missing config file ends with 1" 1 $?
  check "a missing config file is named" grep -q 'none.json' <<< "$output"
  printf '{"publishers":[{"id":"12345"}]}' > "$WORK/bad.json"
  output=$("$BINARY" --config "$WORK/bad.json" 2>&1)
  same "a bad config file ends with 1" 1 $?
  check "a bad config file: the place is named" grep -q 'publishers\[0\].*"id"' <<< "$output"
  printf '{"publishers":[{"id":"123456789","offer":[]}]}' > "$WORK/bad.json"
  output=$("$BINARY" --config "$WORK/bad.json" 2>&1)
  check "a misspelt member of the config file is named" grep -q 'unknown member "offer"' <<< "$output"
  printf '{"publishers":' > "$WORK/bad.json"
  output=$("$BINARY" --config "$WORK/bad.json" 2>&1)
  check "a config file that is no JSON is refused" grep -q 'not valid JSON' <<< "$output"
  start
  output=$("$BINARY" --port "$PORT" 2>&1)
  same "a port in use ends with 1" 1 $?
  check "a port in use is said" grep -q "127.0.0.1:$PORT: Address already in use" <<< "$output"
  stop
}

test_start_and_stop() {
  local hung began took
  start
  check "start-up lines: the address" grep -q "listening on http://127.0.0.1:$PORT" "$WORK/log"
  check "start-up lines: the publisher" grep -q 'publisher 123456789, offer S123456789_US' "$WORK/log"
  fault '{"path":"/locales","hang":true}'
  curl "${CURL[@]}" "$BASE/locales" > /dev/null 2>&1 &
  hung=$!
  sleep 0.3
  control GET status
  is "a hung request waits" 200 '"waiting":1'
  began=$(date +%s)
  stop
  took=$(($(date +%s) - began))
  same "SIGTERM ends with 0, a hung request or not" 0 "$EXIT"
  check "SIGTERM is obeyed at once" test "$took" -le 5
  wait "$hung"
  same "the hung request got no answer" 52 $?
  check "the port file is gone" test ! -e "$WORK/port"
  check "the last line says so" grep -q '^stopped$' "$WORK/log"
  start --quiet
  call GET /publishers/123456789/consents
  printf '%s' "$BODY" > "$WORK/built-in"
  stop INT
  same "SIGINT ends with 0" 0 "$EXIT"
  same "--quiet says nothing" "" "$(cat "$WORK/log" "$WORK/errors")"
}

test_state() {
  local ca jwt
  start --tls --state "$WORK/state" --config "$WORK/readme-config.json"
  check "start-up lines: where the authority is" grep -q "trust this authority: $WORK/state/ca.pem" "$WORK/log"
  same "the server's key is private" 600 "$(stat -c %a "$WORK/state/server.key")"
  same "the signing key is private" 600 "$(stat -c %a "$WORK/state/jwt.key")"
  call GET /locales
  is "HTTPS with the own authority: localhost" 200 '"country":"US"'
  BASE="https://127.0.0.1:$PORT"
  call GET /locales
  is "HTTPS with the own authority: 127.0.0.1" 200 '"country":"US"'
  curl -s --noproxy '*' "$BASE/locales" > /dev/null 2>&1
  same "HTTPS without the authority is refused by the client" 60 $?
  login viewer@example.com 's3cretpass'
  is "the customer of the config file logs in" 200 '"customerId":533000001'
  jwt=$JWT
  call GET /publishers/123456789/consents
  same "the README's configuration is the built-in one" "$(cat "$WORK/built-in")" "$BODY"
  ca=$(cksum < "$WORK/state/ca.pem")
  stop
  start --tls --state "$WORK/state" --config "$WORK/readme-config.json"
  same "the authority is kept over a restart" "$ca" "$(cksum < "$WORK/state/ca.pem")"
  as "$jwt" GET /customers/533000001
  is "a JWT of before the restart is still good" 200 '"email":"viewer@example.com"'
  stop
  : > "$WORK/state/server.pem"
  start --tls --state "$WORK/state"
  check "a broken certificate is made anew" test "$ca" != "$(cksum < "$WORK/state/ca.pem")"
  call GET /locales
  is "and works" 200
  stop
}

test_certificates() {
  local kind wanted code
  while read -r kind wanted; do
    start --tls --state "$WORK/flawed" --certificate "$kind"
    curl -s --noproxy '*' --cacert "$WORK/flawed/ca.pem" "https://127.0.0.1:$PORT/locales" > "$WORK/locale" 2> /dev/null
    code=$?
    same "a client finds a certificate $kind" "$wanted" "$code"
    curl -sk --noproxy '*' "https://127.0.0.1:$PORT/locales" > "$WORK/locale"
    check "a careless client does not, $kind" grep -q country "$WORK/locale"
    stop
  done << 'LIST'
good 0
expired 60
early 60
other-host 60
LIST
}
