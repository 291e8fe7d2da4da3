# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# Each kind of fault, and what the journal says about it.

# The journal's entries for one path, one a line.
journal() {
  control GET "journal${2:-}"
  printf '%s' "$BODY" | sed 's/^{"requests":\[//; s/},{"seq"/}\n{"seq"/g' | grep -F "\"path\":\"$1\""
}

now_ms() {
  date +%s%3N
}

test_fault_matching() {
  fault '{"method":"GET","path":"/publishers/*/consents","times":2,"skip":1,"status":503}'
  for expected in 200 503 503 200; do
    call GET /publishers/123456789/consents
    is "skip 1, times 2: $expected" "$expected"
  done
  control GET faults
  is "the fault tells how often it was applied" 200 '"applied":2,"times_left":0'
  fault '{"path":"/locales","times":-1,"status":500}'
  call GET /locales
  call GET /locales
  is "times -1: for ever" 500
  call GET /publishers/123456789/consents
  is "another path is not hit" 200
  control DELETE faults
  call GET /locales
  is "faults deleted" 200
  fault '[{"path":"/locales","status":501},{"path":"/locales","status":502}]'
  call GET /locales
  is "the first of two that fit" 501
  call GET /locales
  is "then the second" 502
  fault '{"path":"/locales","times":-1,"percent":50,"status":500}'
  local hits=0
  for _ in $(seq 40); do
    call GET /locales
    [ "$STATUS" != 500 ] || hits=$((hits + 1))
  done
  check "percent 50 hits about half ($hits of 40)" test "$hits" -ge 8 -a "$hits" -le 32
}

test_fault_answers() {
  fault '{"path":"/locales","status":429,"headers":{"Retry-After":"120","Content-Type":"text/html"},"body":"<h1>Busy</h1>"}'
  call GET /locales
  is "status, headers and body" 429 '<h1>Busy</h1>'
  same "a header of the fault" 120 "$(header Retry-After)"
  same "a header replaced" text/html "$(header Content-Type)"
  fault '{"path":"/locales","status":200,"headers":{"Date":null}}'
  call GET /locales
  same "an empty body" "200 0" "$STATUS $(wc -c < "$WORK/body" | tr -d ' ')"
  same "a header left out" "" "$(header Date)"
  fault '{"path":"/locales","status":302,"headers":{"Location":"http://127.0.0.1:1/"}}'
  call GET /locales
  is "a redirect" 302
  same "its target" http://127.0.0.1:1/ "$(header Location)"
  fault '{"path":"/locales","status":400,"body":{"errors":["x"],"code":"REQ0001"}}'
  call GET /locales
  is "a JSON body" 400 '{"errors":["x"],"code":"REQ0001"}'
  fault '{"path":"/locales","content_encoding":"gzip","headers":{"X-Extra":"1"}}'
  call GET /locales
  same "content encoding" gzip "$(header Content-Encoding)"
  same "an extra header on the real answer" "200 1" "$STATUS $(header X-Extra)"
  fault '{"path":"/locales","big_header":150000}'
  call GET /locales
  is "big header" 200
  check "big header: its size" test "$(wc -c < "$WORK/headers")" -gt 150000
  fault '{"path":"/locales","big_body":1048577}'
  call GET /locales
  same "big body: exactly so long" 1048577 "$(wc -c < "$WORK/body" | tr -d ' ')"
  check "big body: still the answer" grep -q '^{"responseData".*} *$' "$WORK/body"
  fault '{"path":"/locales","big_body":10000000000}'
  STATUS=$(curl "${CURL[@]}" -r 0-99 --max-filesize 2000000 -o /dev/null -w '%{http_code}' "$BASE/locales")
  same "ten gigabytes are announced" 63 $?
  fault '{"path":"/locales","chunked":true}'
  call GET /locales
  is "chunked" 200 '"responseData"'
  same "chunked: no length" "chunked" "$(header Transfer-Encoding)"
}

test_fault_processing() {
  local before id
  register jo@example.com
  id=$ID
  fault '{"method":"POST","path":"/customers","status":504,"body":""}'
  register a@example.com
  is "status instead of processing" 504
  login a@example.com s3cretpass
  is "it was not processed" 401
  fault '{"method":"POST","path":"/customers","status":504,"after":true}'
  register a@example.com
  is "status after processing" 504
  login a@example.com s3cretpass
  is "it was processed" 200
  fault '{"method":"POST","path":"/customers","drop":"before"}'
  register b@example.com
  same "dropped before processing: no answer" "000 52" "$STATUS $CURL_CODE"
  login b@example.com s3cretpass
  is "dropped before: not processed" 401
  fault '{"method":"POST","path":"/customers","drop":"after"}'
  register b@example.com
  same "dropped after processing: no answer" "000 52" "$STATUS $CURL_CODE"
  login b@example.com s3cretpass
  is "dropped after: processed" 200
  fault '{"path":"/locales","drop":"before","abort":true}'
  call GET /locales
  same "dropped with a reset" "000 56" "$STATUS $CURL_CODE"
  before=$(journal /customers)
  same "the journal: status 0 where there was no answer" 2 "$(grep -c '"status":0' <<< "$before")"
  same "the journal: processed or not" 'false
true
false
true' "$(tail -n 4 <<< "$before" | sed 's/.*"processed":\([a-z]*\).*/\1/')"
  fault "{\"path\":\"/auths\",\"as_customer\":$id}"
  login b@example.com s3cretpass
  is "answer for another customer" 200 "\"customerId\":$id"
  BODY=$(jwt_claims "$JWT")
  same "its JWT too" "$id" "$(number customerId)"
  fault '{"path":"/auths/refresh_token","omit":["refreshToken"],"set":{"extra":{"a":1}}}'
  refresh "$REFRESH"
  is "members set" 200 '"extra":{"a":1}' '"jwt"'
  lacks "members left out" refreshToken
  fault '{"path":"/auths","claims":{"exp":null,"iat":7}}'
  login jo@example.com s3cretpass
  BODY=$(jwt_claims "$JWT")
  same "claims changed" '{"customerId":'"$id"',"publisherId":123456789,"email":"jo@example.com","iat":7}' "$BODY"
}

test_fault_timing() {
  local began took other
  fault '{"path":"/locales","delay_ms":700}'
  began=$(now_ms)
  call GET /locales
  took=$(($(now_ms) - began))
  check "delayed by 700 ms ($took)" test "$took" -ge 700 -a "$took" -lt 4000
  is "delayed, then the real answer" 200 '"country"'
  fault '{"path":"/locales","bytes_per_second":200}'
  began=$(now_ms)
  call GET /locales
  took=$(($(now_ms) - began))
  is "200 bytes per second: the real answer" 200 '"errors":[]}'
  check "200 bytes per second ($took ms for $(wc -c < "$WORK/body"))" test "$took" -ge 350 -a "$took" -lt 4000
  fault '{"path":"/locales","bytes_per_second":1}'
  call GET /locales '' --max-time 2.5
  same "1 byte per second: given up" 28 "$CURL_CODE"
  check "1 byte per second: a few bytes came" test "$(wc -c < "$WORK/body")" -ge 1 -a "$(wc -c < "$WORK/body")" -le 4
  fault '{"path":"/locales","cut_body_at":10}'
  call GET /locales
  same "the body cut at 10: the transfer fails" 1 "$([ "$CURL_CODE" = 18 ] || [ "$CURL_CODE" = 56 ] && echo 1)"
  same "the body cut at 10: the bytes before" '{"response' "$BODY"
  fault '{"path":"/locales","hang":true}'
  call GET /locales '' --max-time 1
  same "hang: no answer" "000 28" "$STATUS $CURL_CODE"
  # Processed though the client has left: what a slow service does.
  fault '{"method":"POST","path":"/customers","delay_ms":900}'
  call POST /customers '{"email":"late@example.com","password":"s3cretpass","publisherId":"123456789","locale":"en_US","country":"US","currency":"USD"}' --max-time 0.3
  same "delayed, and the client left" 28 "$CURL_CODE"
  login late@example.com s3cretpass
  is "not processed yet" 401
  sleep 1
  login late@example.com s3cretpass
  is "processed without it" 200
  # Held until the control interface lets it go.
  fault '{"path":"/locales","hang":true}'
  curl "${CURL[@]}" -o /dev/null -w '%{http_code}' "$BASE/locales" > "$WORK/released" &
  other=$!
  wait_for_status '"waiting":1'
  control POST release
  is "released" 200 '"released":1'
  wait "$other"
  same "a released request gets its answer" 200 "$(cat "$WORK/released")"
}

wait_for_status() {
  local turns=0
  control GET status
  while [ "${BODY#*"$1"}" = "$BODY" ] && [ "$turns" -lt 100 ]; do
    sleep 0.05
    control GET status
    turns=$((turns + 1))
  done
}

# The end of the stream, not a time-out (above 128).
eof_on_9() {
  local byte
  read -r -t 5 -n 1 byte <&9
  [ $? -eq 1 ]
}

test_fault_connections() {
  local entries
  fault '{"path":"/locales","drop":"before","reused_only":true}'
  call GET /locales
  is "reused_only spares a fresh connection" 200
  curl "${CURL[@]}" -o /dev/null -o /dev/null "$BASE/locales" "$BASE/locales"
  entries=$(journal /locales)
  same "reused_only drops on a reused one, and curl asks again" '200 false
200 false
0 true
200 false' "$(sed 's/.*"status":\([0-9]*\).*"reused":\([a-z]*\).*/\1 \2/' <<< "$entries")"
  same "the journal numbers connections" 3 "$(sed 's/.*"connection":\([0-9]*\).*/\1/' <<< "$entries" | sort -u | wc -l | tr -d ' ')"
  exec 9<> "/dev/tcp/127.0.0.1/$PORT"
  wait_for_status '"open_connections":2'
  control POST close-idle
  is "idle connections can be closed" 200 '"closed":1'
  check "and are" eof_on_9
  exec 9>&-
}

test_journal() {
  local entries sent
  register jo@example.com
  sent=$(printf '%s' "$REFRESH" | sha256sum | cut -c1-12)
  refresh "$REFRESH"
  as "$JWT" GET "/customers/$ID?x=secret"
  entries=$(journal /auths/refresh_token)
  check "the refresh token's fingerprint" grep -q "\"refresh_token\":\"$sent\"" <<< "$entries"
  check "the one issued" grep -q -E '"refresh_token_issued":"[0-9a-f]{12}"' <<< "$entries"
  check "no bearer on a refresh" grep -q '"bearer":false' <<< "$entries"
  entries=$(journal "/customers/$ID")
  check "a bearer on an authorised call" grep -q '"bearer":true' <<< "$entries"
  check "the customer" grep -q "\"customer_id\":$ID" <<< "$entries"
  check "when it was answered" grep -q -E '"elapsed_ms":[0-9.]+,"answered_ms":[0-9]' <<< "$entries"
  check "the name of the client" grep -q '"agent":"[^"]*curl/[0-9]' <<< "$entries"
  check "the names of the headers" grep -q '"headers":"Host,.*Authorization' <<< "$entries"
  control GET journal
  lacks "the journal has no query, no token, no password" secret "$JWT" "$REFRESH" s3cretpass
  check "nor has the log" test -z "$(grep -e secret -e "$REFRESH" -e s3cretpass -e eyJ "$WORK/log")"
  same "last_seq" 3 "$(number last_seq)"
  control GET 'journal?since=2'
  same "since" 1 "$(count '"seq"')"
  control GET 'journal?limit=1'
  is "limit" 200 '"seq":1,'
  control GET 'journal?since=x'
  is "a bad since" 400 'since: must be a whole number'
}
