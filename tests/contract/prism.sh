#!/usr/bin/env bash
# Holds the stand-in service against openapi.yaml: prism.sh PRISM-BINARY SANDBOX-BINARY.
# Prism's validating proxy stands between curl and the service, on loopback, and turns each answer that the file does not
# allow into an error. Ends with 1 when there is one, and when Prism lets a deliberately wrong answer pass.
set -u
LC_ALL=C
export LC_ALL

if [ $# -ne 2 ] || [ ! -x "$1" ] || [ ! -x "$2" ]; then
  echo "usage: $0 PRISM-BINARY SANDBOX-BINARY" >&2
  exit 2
fi
PRISM=$1
BINARY=$2
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d)
PIDS=
passed=0
failed=0
trap 'for pid in $PIDS; do kill "$pid" 2> /dev/null; done; wait; rm -rf "$WORK"' EXIT
trap 'exit 1' INT TERM

# A port that is free now; Prism can't be told to choose one.
free_port() {
  "$BINARY" --quiet --port-file "$WORK/free" &
  local pid=$! turns=0
  while [ ! -f "$WORK/free" ] && [ "$turns" -lt 200 ]; do
    turns=$((turns + 1))
    sleep 0.05
  done
  cat "$WORK/free"
  kill "$pid"
  wait "$pid"
}

# start_prism PORT-VARIABLE OPTION...
start_prism() {
  local variable=$1 port turns=0
  shift
  port=$(free_port)
  "$PRISM" proxy "$HERE/openapi.yaml" "$DIRECT" --host 127.0.0.1 --port "$port" "$@" > "$WORK/prism-$port.log" 2>&1 &
  PIDS="$PIDS $!"
  until curl -s --noproxy '*' -o /dev/null "http://127.0.0.1:$port/locales"; do
    turns=$((turns + 1))
    if [ "$turns" -gt 300 ]; then
      echo "Prism does not start:" >&2
      cat "$WORK/prism-$port.log" >&2
      exit 1
    fi
    sleep 0.1
  done
  printf -v "$variable" 'http://127.0.0.1:%s' "$port"
}

# through BASE NAME STATUS METHOD PATH [BODY [CURL-OPTION...]]
through() {
  local base=$1 name=$2 expected=$3 method=$4 path=$5 body=${6:-} data=()
  shift $(($# < 6 ? $# : 6))
  [ -z "$body" ] || data=(-H 'Content-Type: application/json' --data-binary "$body")
  STATUS=$(curl -s --noproxy '*' --max-time 20 -X "$method" -H 'Accept: application/json' -D "$WORK/headers" \
    -o "$WORK/body" -w '%{http_code}' "${data[@]}" "$@" "$base$path")
  BODY=$(cat "$WORK/body")
  if [ "$STATUS" = "$expected" ] && ! grep -q -i -e '^sl-violations:.*"response"' "$WORK/headers" &&
    ! grep -q 'stoplight.io/prism/errors' "$WORK/body"; then
    passed=$((passed + 1))
    printf 'ok    %s\n' "$name"
  else
    failed=$((failed + 1))
    printf 'FAIL  %s: expected %s, got %s\n' "$name" "$expected" "$STATUS"
    grep -i '^sl-violations:' "$WORK/headers"
    printf '      %s\n' "${BODY:0:600}"
  fi
}

valid() {
  through "$STRICT" "$@"
}

refused() {
  through "$ANSWERS" "refused: $1" "${@:2}"
}

text() {
  printf '%s' "$BODY" | grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | sed 's/^"[^"]*":"//; s/"$//'
}

number() {
  printf '%s' "$BODY" | grep -o "\"$1\":[0-9]*" | head -n 1 | sed 's/.*://'
}

control() {
  curl -s --noproxy '*' -X "$1" -H 'Content-Type: application/json' -d "$3" "$DIRECT/_sandbox/$2"
}

"$BINARY" --quiet --port-file "$WORK/port" &
PIDS="$PIDS $!"
until [ -f "$WORK/port" ]; do
  sleep 0.05
  kill -0 "${PIDS# }" 2> /dev/null || {
    echo "the service does not start" >&2
    exit 1
  }
done
DIRECT="http://127.0.0.1:$(cat "$WORK/port")"
start_prism STRICT --errors # turns a request or an answer that the file does not allow into an error
# Refusals need requests that the file does not allow, so here they pass; what is wrong with the answer is told in a header.
start_prism ANSWERS

owner='"publisherId":"123456789"'
new="\"password\":\"s3cretpass\",$owner,\"locale\":\"en_US\",\"country\":\"US\",\"currency\":\"USD\""

# Every operation, as it should go.
valid "fetchCustomerLocales" 200 GET '/locales?customerIP=203.0.113.7'
valid "fetchCustomerLocales by the caller's address" 200 GET /locales
valid "fetchPublisherConsents" 200 GET /publishers/123456789/consents
valid "register" 200 POST /customers "{\"email\":\"jo@example.com\",\"customerIP\":\"192.0.2.1\",\"externalData\":\"{\\\"a\\\":1}\",$new}"
id=$(number customerId)
valid "login" 200 POST /auths "{\"email\":\"jo@example.com\",\"password\":\"s3cretpass\",$owner}"
jwt=$(text jwt)
token=$(text refreshToken)
bearer=(-H "Authorization: Bearer $jwt")
valid "refreshToken" 200 POST /auths/refresh_token "{\"refreshToken\":\"$token\"}"
valid "ssoLogin" 200 POST /sso/auths '{"customerEmail":"jo@example.com"}' -H 'X-Publisher-Token: sandbox-publisher-token'
control PUT settings '{"sso_flat":true}' > /dev/null
valid "ssoLogin without an envelope" 200 POST /sso/auths '{"customerEmail":"jo@example.com"}' -H 'X-Publisher-Token: sandbox-publisher-token'
valid "jsonWebKeySet" 200 GET /.well-known/jwks.json
valid "fetchCustomerConsents, none answered" 200 GET "/customers/$id/consents" '' "${bearer[@]}"
valid "updateCustomerConsents" 200 PUT "/customers/$id/consents" '{"consents":[{"name":"terms","version":"1","state":"accepted"},{"name":"broadcaster_marketing","version":"1.7","state":"declined"}]}' "${bearer[@]}"
valid "fetchCustomerConsents" 200 GET "/customers/$id/consents" '' "${bearer[@]}"
valid "fetchCaptureStatus, none answered" 200 GET "/customers/$id/capture/status" '' "${bearer[@]}"
valid "updateCaptureAnswers" 200 PUT "/customers/$id/capture" '{"firstName":"Jo","lastName":"Doe","birthDate":"1990-01-31","address":"Street 1","country":"NL","companyName":null,"customAnswers":[{"questionId":"custom_1","question":"?","value":"Films"}]}' "${bearer[@]}"
valid "fetchCaptureStatus" 200 GET "/customers/$id/capture/status" '' "${bearer[@]}"
valid "fetchCustomer" 200 GET "/customers/$id" '' "${bearer[@]}"
valid "updateCustomer" 200 PATCH "/customers/$id" '{"country":"NL","externalData":{"favourites":[]}}' "${bearer[@]}"
valid "updateCustomer, its e-mail" 200 PATCH "/customers/$id" '{"email":"new@example.com","confirmationPassword":"s3cretpass"}' "${bearer[@]}"
valid "resetPassword" 200 PUT /customers/passwords "{\"customerEmail\":\"new@example.com\",$owner,\"resetUrl\":\"https://app.example.com/reset\"}"
reset=$(control GET outbox '' | grep -o 'resetPasswordToken=[0-9a-f]*' | tail -n 1)
valid "updatePassword" 200 PATCH /customers/passwords "{$owner,\"customerId\":$id,\"resetPasswordToken\":\"${reset#*=}\",\"newPassword\":\"n3wsecret\"}"
valid "revokeRefreshTokens" 200 DELETE /refresh_tokens '' "${bearer[@]}"

# Refusals of requests that the file allows.
valid "login: USER0001" 401 POST /auths "{\"email\":\"new@example.com\",\"password\":\"s3cretpass\",$owner}"
valid "login: USER0003" 422 POST /auths '{"email":"new@example.com","password":"n3wsecret","publisherId":"987654321"}'
valid "login: REQ0100" 422 POST /auths '{"email":"new@example.com","password":"n3wsecret","publisherId":"111111111"}'
valid "register: USER0002" 422 POST /customers "{\"email\":\"new@example.com\",$new}"
valid "resetPassword: USER0004" 404 PUT /customers/passwords "{\"customerEmail\":\"no@example.com\",$owner}"
valid "resetPassword: REQ0100" 422 PUT /customers/passwords '{"customerEmail":"new@example.com","offerId":"S111111111_US"}'
valid "updatePassword: used token" 422 PATCH /customers/passwords "{$owner,\"customerId\":$id,\"resetPasswordToken\":\"${reset#*=}\",\"newPassword\":\"n3wsecret\"}"
valid "refreshToken: dead" 401 POST /auths/refresh_token "{\"refreshToken\":\"$token\"}"
valid "ssoLogin: wrong token" 401 POST /sso/auths '{"customerEmail":"new@example.com"}' -H 'X-Publisher-Token: wrong'
valid "fetchPublisherConsents: unknown" 400 GET /publishers/111111111/consents
valid "fetchCustomer: AUTH0002" 401 GET "/customers/$id" '' -H 'Authorization: Bearer x.y.z'
valid "fetchCustomer: another customer" 403 GET /customers/1 '' "${bearer[@]}"
valid "fetchCustomerConsents: another customer" 403 GET /customers/1/consents '' "${bearer[@]}"
valid "fetchCaptureStatus: another customer" 403 GET /customers/1/capture/status '' "${bearer[@]}"
valid "updateCustomerConsents: old version" 422 PUT "/customers/$id/consents" '{"consents":[{"name":"terms","version":"0","state":"accepted"}]}' "${bearer[@]}"
valid "updateCaptureAnswers: not an option" 400 PUT "/customers/$id/capture" '{"customAnswers":[{"questionId":"custom_1","value":"Opera"}]}' "${bearer[@]}"
valid "updateCustomer: wrong confirmation" 400 PATCH "/customers/$id" '{"email":"x@example.com","confirmationPassword":"wrong"}' "${bearer[@]}"
control PUT publishers/123456789/captcha '{"enabled":true}' > /dev/null
valid "register: CPT0001" 429 POST /customers "{\"email\":\"c@example.com\",$new}"
valid "register: CPT0002" 429 POST /customers "{\"email\":\"c@example.com\",\"captchaValue\":\"wrong\",$new}"

# Refusals of requests that it does not allow.
refused "fetchCustomerLocales: REQ0002" 400 GET '/locales?customerIP=x'
refused "fetchPublisherConsents: bad id" 400 GET /publishers/1/consents
refused "register: REQ0001" 400 POST /customers '{}'
refused "login: REQ0001" 400 POST /auths "{\"email\":\"x@example.com\",$owner}"
refused "login: nobody's" 400 POST /auths '{"email":"x@example.com","password":"n3wsecret"}'
refused "refreshToken: malformed" 400 POST /auths/refresh_token '{}'
refused "resetPassword: no URL" 400 PUT /customers/passwords "{\"customerEmail\":\"new@example.com\",$owner,\"resetUrl\":\"x\"}"
refused "updatePassword: weak" 400 PATCH /customers/passwords "{$owner,\"customerId\":$id,\"resetPasswordToken\":\"x\",\"newPassword\":\"weak\"}"
refused "fetchCustomer: AUTH0001" 401 GET "/customers/$id"
refused "updateCustomer: AUTH0001" 401 PATCH "/customers/$id" '{"firstName":"Jo"}'
refused "revokeRefreshTokens: AUTH0001" 401 DELETE /refresh_tokens
refused "updateCustomer: joined errors" 400 PATCH "/customers/$id" '{"email":"x","firstName":""}' "${bearer[@]}"

# The proof that a wrong answer would be seen: each of these must be reported.
caught() {
  local name=$1 base=$2
  control POST faults "$3" > /dev/null
  STATUS=$(curl -s --noproxy '*' -D "$WORK/headers" -o "$WORK/body" -w '%{http_code}' "${bearer[@]}" "$base$4")
  if grep -q 'stoplight.io/prism/errors#VIOLATIONS' "$WORK/body" ||
    grep -q -i -e '^sl-violations:.*"response"' "$WORK/headers"; then
    passed=$((passed + 1))
    printf 'ok    a wrong answer is reported: %s\n' "$name"
  else
    failed=$((failed + 1))
    printf 'FAIL  a wrong answer is not reported: %s (%s)\n' "$name" "$STATUS"
  fi
}

caught "no responseData" "$STRICT" '{"path":"/locales","status":200,"body":{"errors":[]}}' /locales
caught "a currency of two letters" "$STRICT" '{"path":"/locales","set":{"currency":"US"}}' /locales
caught "a consent without a version" "$STRICT" '{"path":"/publishers/*/consents","set":{"consents":[{"name":"terms"}]}}' /publishers/123456789/consents
caught "errors that are objects" "$ANSWERS" '{"path":"/customers/*","status":401,"body":{"errors":[{"code":1}]}}' "/customers/$id"
caught "a code of another form" "$ANSWERS" '{"path":"/locales","status":400,"body":{"errors":["x"],"code":"no code"}}' /locales

# Each request above was answered by the service and not by Prism out of its examples.
control GET journal '' > "$WORK/journal"
arrived=$(grep -o '"last_seq":[0-9]*' "$WORK/journal" | sed 's/.*://')
if [ "$arrived" -ge $((passed + failed)) ]; then
  passed=$((passed + 1))
  echo "ok    all of them reached the service"
else
  failed=$((failed + 1))
  echo "FAIL  only $arrived of $((passed + failed)) requests reached the service"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
