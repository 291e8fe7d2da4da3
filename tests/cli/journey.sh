#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The command-line client against the stand-in service: tests/cli/journey.sh BUILD_DIR
# Prints a line for each check; exit 1 when one failed or when fewer ran than this file has.
set -uo pipefail

readonly expected=198

build=${1:-}
if [ ! -x "$build/identity-cli" ] || [ ! -x "$build/identity-sandbox" ]; then
  echo "usage: $0 BUILD_DIR, where identity-cli and identity-sandbox are built" >&2
  exit 2
fi
build=$(cd "$build" && pwd)
unset "${!IDENTITY_@}" NO_COLOR
export TERM=xterm LC_ALL=C.UTF-8

work=$(mktemp -d "${TMPDIR:-/tmp}/identity-cli-test.XXXXXX")
servers=()
passed=0
failed=0

clean_up() {
  local code=$? pid
  for pid in "${servers[@]}"; do
    kill "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  cd / && rm -rf "$work"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# ---- Checks ----------------------------------------------------------------------------------------------------------

# check NAME COMMAND...: passes when the command succeeds
check() {
  local name=$1
  shift
  if "$@" >/dev/null 2>&1; then
    passed=$((passed + 1))
    printf 'ok - %s\n' "$name"
    return 0
  fi
  failed=$((failed + 1))
  printf 'not ok - %s\n' "$name"
  printf '#   exit code %s\n' "${code:-?}"
  sed 's/^/#   out: /' out 2>/dev/null | head -n 12
  sed 's/^/#   err: /' err 2>/dev/null | head -n 6
  return 0
}

# cli ARGUMENT...: runs the client; leaves out, err and $code, and keeps all output for the search for secrets
cli() {
  code=0
  "$build/identity-cli" "$@" >out 2>err || code=$?
  cat out err >>everything
}

# matches FILE PATTERN: "" wants an empty file, "-" takes any
matches() {
  case $2 in
  '') [ ! -s "$1" ] ;;
  -) true ;;
  *) grep -Eq -- "$2" "$1" ;;
  esac
}

fits() {
  [ "$code" -eq "$1" ] && matches out "$2" && matches err "$3"
}

# expect NAME EXIT_CODE OUT_PATTERN ERR_PATTERN ARGUMENT...: one run, one check
expect() {
  local name=$1 wanted=$2 out_pattern=$3 err_pattern=$4
  shift 4
  cli "$@"
  check "$name" fits "$wanted" "$out_pattern" "$err_pattern"
}

fits_json() {
  [ "$code" -eq "$1" ] && [ ! -s err ] && [ "$(wc -l <out)" -eq 1 ] && grep -Eq '^\{"ok":.*\}$' out &&
    grep -Eq -- "$2" out
}

# expect_json NAME EXIT_CODE PATTERN ARGUMENT...: stdout is exactly one object, stderr is empty
expect_json() {
  local name=$1 wanted=$2 pattern=$3
  shift 3
  cli --json "$@"
  check "$name" fits_json "$wanted" "$pattern"
}

# class_is NAME EXIT_CODE CLASS STATUS ARGUMENT...: a failure, by exit code and by JSON
class_is() {
  local name=$1 wanted=$2 class=$3 status=$4
  shift 4
  expect_json "$name" "$wanted" \
    "^\{\"ok\":false,\"error\":\{\"class\":\"$class\",\"status\":\"$status\",\"http_status\":[0-9]+,\"code\":\"[A-Z0-9]*\",\"field\":\"[^\"]*\",\"message\":\"[^\"].*\",\"retry_after_ms\":[0-9]+\}\}\$" \
    "$@"
}

has_mode() {
  [ "$(stat -c %a "$2")" = "$1" ]
}

lacks() {
  ! grep -aqF -- "$2" "$1"
}

# lacks_all FILE LIST: none of the lines of LIST, which has at least one
lacks_all() {
  [ -s "$2" ] && ! grep -aqFf "$2" "$1"
}

# ---- The stand-in service --------------------------------------------------------------------------------------------

# start_service NAME OPTION...: leaves its address in $address
start_service() {
  local name=$1 tries=0 scheme=http
  shift
  mkdir -p "$name"
  [ "$name" = tls ] && scheme=https
  "$build/identity-sandbox" --port 0 --port-file "$work/$name/port" --state "$work/$name/state" --quiet "$@" \
    >"$name/log" 2>&1 &
  servers+=($!)
  until [ -s "$name/port" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 200 ] || ! kill -0 "${servers[-1]}" 2>/dev/null; then
      echo "Bail out! the stand-in service did not start" >&2
      cat "$name/log" >&2
      exit 1
    fi
    sleep 0.05
  done
  address=$scheme://127.0.0.1:$(cat "$name/port")
}

# control METHOD PATH [BODY]
control() {
  curl --silent --show-error --fail-with-body --noproxy '*' --max-time 10 --request "$1" \
    ${3:+--header 'Content-Type: application/json' --data "$3"} "$plain_address/_sandbox/$2"
}

# fault JSON: or the script is of no use
fault() {
  if ! control POST faults "$1" >fault-answer 2>&1; then
    echo "Bail out! the stand-in service does not take the fault $1: $(cat fault-answer)" >&2
    exit 1
  fi
}

no_faults() {
  control DELETE faults >/dev/null
}

seen() {
  control GET journal | tr -d '\n' | sed 's/{[[:space:]]*"seq"/\n&/g' |
    sed -n 's/.*"method": *"\([A-Z]*\)".*"path": *"\([^"]*\)".*"status": *\([0-9]*\).*/\1 \2 \3/p' | grep -Ec -- "$1"
}

# one_more PATTERN BEFORE: the journal has exactly one more such request than before
one_more() {
  [ "$(seen "$1")" -eq $(($2 + 1)) ]
}

# wait_until COMMAND...: for up to ten seconds
wait_until() {
  local tries=0
  until "$@" || [ "$tries" -ge 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
}

umask 022
exec </dev/null # no prompt may wait for whoever runs this
cd "$work" || exit 1
: >everything
start_service plain
plain_address=$address

readonly email=jo@example.com publisher=123456789
readonly password=Journey-pass-1 new_password=Journey-pass-2 wrong_password=Journey-wrong-3
readonly captcha=sandbox-captcha-ok proxy_password=Proxy-pass-4
export IDENTITY_BASE_URL=$plain_address IDENTITY_PUBLISHER=$publisher IDENTITY_STORE=$work/store

echo '# help, version, usage'
expect 'no command' 2 '' 'no command.*--help'
expect 'help overall' 0 '^Usage: identity-cli' '' --help
expect 'help command overall' 0 '^  register ' '' help
expect 'version' 0 '^identity-cli [0-9]+\.[0-9]+\.[0-9]+$' '' --version
expect_json 'version as JSON' 0 '^\{"ok":true,"result":\{"version":"[0-9.]+"\}\}$' --version
for command in locale consents register login status next my-consents accept decline reset-password set-password \
  capture answer customer update-customer token refresh explain events adopt logout; do
  expect "help of $command" 0 "^Usage: identity-cli .*$command" '' "$command" --help
done
expect 'help COMMAND' 0 '^Usage: identity-cli .*login --email' '' help login

# Bad input: what is wrong is named, and the way to the help.
bad() {
  local name=$1 pattern=$2
  shift 2
  expect "usage: $name" 2 '' "^identity-cli: .*$pattern.*--help\)\$" "$@" <<<"$wrong_password"
}
bad 'unknown command' 'unknown command bogus' bogus
bad 'unknown option' 'unknown option --bogus' status --bogus=x
bad 'short option' 'unknown option -x' status -x
bad 'value is missing' '--email needs a value' login --email
bad 'option instead of a value' '--email needs a value' login --email --json=
bad 'flag with a value' '--json takes no value' status --json=1
bad 'required option' 'login needs --email' login
bad 'option of another command' 'login does not take --accept' login --email "$email" --accept terms
bad 'stray word' 'status takes options only' status now
bad 'words are missing' 'accept needs NAME' accept
bad 'consent named twice' 'terms is named twice' accept terms terms
bad 'accept and decline' 'terms is named twice' register --email "$email" --accept terms --decline terms
bad 'no KEY=VALUE' 'argument 2 of answer is not KEY=VALUE' answer firstName=Jo lastName
bad 'empty key' 'argument 1 of answer is not KEY=VALUE' answer =Jo
bad 'nothing to update' 'at least one option' update-customer
bad 'link or token' 'either --link-stdin or --token-stdin' set-password
bad 'link and token' 'either --link-stdin or --token-stdin' set-password --link-stdin --token-stdin
bad 'token without e-mail' '--token-stdin needs --email' set-password --token-stdin
bad 'link with e-mail' '--email goes with --token-stdin' set-password --link-stdin --email "$email"
bad 'publisher' '--publisher must be nine digits' --publisher 12345678x status
bad 'timeout' '--timeout must be 0.1 to 600' --timeout 601 status
bad 'timeout is no number' '--timeout must be 0.1 to 600' --timeout 1e2 status
bad 'min-life' '--min-life must be' token --min-life soon
bad 'environment' '--environment must be sandbox or production' --environment staging status
bad 'two services' 'either --base-url' --environment sandbox --base-url "$plain_address" status
bad 'http beyond loopback' '(base|http|URL|address)' --base-url http://example.com status
bad 'account too long' '.' --account "$(printf '%0129d' 0)" status
bad 'password as an argument' 'no option --password: secrets are read' login --email "$email" --password "$wrong_password"
bad 'password as a stray word' 'secrets are read' login --email "$email" "$wrong_password"
bad 'proxy password as an argument' '--proxy must not hold a password' --proxy "http://u:$proxy_password@127.0.0.1:1" status
class_is 'usage error as JSON' 2 USAGE USAGE login
IDENTITY_TIMEOUT=x bad 'bad variable is named' 'IDENTITY_TIMEOUT must be' status
IDENTITY_JSON=maybe bad 'bad flag variable' 'IDENTITY_JSON must be 1 or 0' status
IDENTITY_BASE_URL='' bad 'no service' 'which service' status
IDENTITY_PUBLISHER='' bad 'no publisher' 'which publisher' status
expect 'password is missing' 2 '' 'the password is missing on standard input' login --email "$email" </dev/null

echo '# before anybody is signed in'
expect 'locale' 0 '^  Country +[A-Z]{2}$' '' locale
expect_json 'locale of an address' 0 '"country":"[A-Z]{2}","currency":"[A-Z]{3}","locale":"[^"]+","ip_address":"2001:db8::1"' \
  locale --customer-ip 2001:db8::1
class_is 'locale of no address' 11 FIX_INPUT INVALID_INPUT locale --customer-ip nowhere
expect 'consents' 0 '^  broadcaster_terms +1\.7 +yes +I accept the Terms and Conditions of Example TV\.' '' consents
expect_json 'consents as JSON' 0 '"result":\{"count":3,"items":\[\{"name":"terms","version":"1","required":true,' consents
expect_json 'status: nobody' 0 '"state":"signed_out".*"consents_pending":false.*"account":"default"' status
class_is 'customer: nobody' 13 SIGN_IN SIGNED_OUT customer
check 'store is the user'\''s alone' has_mode 700 store

echo '# register'
class_is 'terms are not accepted' 11 FIX_INPUT CONSENT_REQUIRED register --email "$email" <<<"$password"
check 'the first missing one is named' grep -q '"field":"terms"' out
class_is 'one of two is not accepted' 11 FIX_INPUT CONSENT_REQUIRED \
  register --email "$email" --accept terms <<<"$password"
class_is 'no such consent' 11 FIX_INPUT INVALID_INPUT register --email "$email" --accept nonsense <<<"$password"
class_is 'bad password' 11 FIX_INPUT INVALID_INPUT register --email "$email" --accept-required <<<short
class_is 'bad e-mail' 11 FIX_INPUT INVALID_INPUT register --email jo --accept-required <<<"$password"
expect 'bad e-mail for people: no consents are listed' 11 '' 'email' register --email jo --accept-required <<<"$password"
check 'nothing reached POST /customers' test "$(seen '^POST /customers ')" -eq 0
expect 'registered' 0 '^  accept +broadcaster_terms +1\.7 +I accept the Terms and Conditions' '' \
  register --email "$email" --accept-required --decline broadcaster_marketing <<<"$password"
check 'and signed in' grep -Eq '^  State +active' out
check 'session file is the user'\''s alone' has_mode 600 "$(find store -type f | head -n 1)"
class_is 'registered already' 11 FIX_INPUT ALREADY_REGISTERED \
  --account other register --email "$email" --accept-required <<<"$password"
expect_json 'status: active' 0 "\"state\":\"active\",\"reason\":\"none\".*\"email\":\"$email\",\"publisher_id\":\"$publisher\",\"account\":\"default\",\"retry_after_ms\":0,\"not_persisted\":false" \
  status

echo '# consents, next step, capture, customer'
expect_json 'my-consents' 0 '"name":"terms","required":true,"accepted":true,"needs_update":false,"date":[1-9][0-9]+,"version":"1","newest_version":"1"' \
  my-consents
expect 'my-consents for people' 0 '^  broadcaster_marketing +declined ' '' my-consents
expect_json 'accept' 0 '"items":\[\{"name":"broadcaster_marketing","version":"1.7","accepted":true\}\]' accept broadcaster_marketing
expect 'it is accepted' 0 '^  broadcaster_marketing +accepted ' '' my-consents
expect 'decline' 0 '^Saved\.$' '' decline broadcaster_marketing
class_is 'no such consent of the customer' 11 FIX_INPUT INVALID_INPUT accept nonsense
expect_json 'next: capture' 0 '"step":"capture","consents":null,"capture":\{"enabled":true,"should_be_displayed":true' next
expect 'capture for people' 0 '^  custom_1 +yes +- +Sports \| Films \| Series +What do you like most\?' '' capture
check 'no field that is off' lacks out custom_5
expect_json 'capture as JSON' 0 '"key":"custom_1","kind":"choice","enabled":true,"required":true,"question":"What do you like most\?","option_count":3,"answer_count":1,"options":\["Sports","Films","Series"\],"answers":\[\{"key":"custom_1","value":null\}\]' \
  capture
class_is 'wrong answer' 11 FIX_INPUT INVALID_INPUT answer firstName=Jo custom_1=Chess
check 'its key is named' grep -q '"field":"custom_1"' out
expect 'answers' 0 '^Saved 4 answers\.$' '' answer firstName=Jo lastName=Doe birthDate=1990-01-31 custom_1=Sports
expect_json 'next: nothing' 0 '\{"step":"none","consents":null,"capture":null\}' next
expect 'customer' 0 '^  Last name +Doe$' '' customer
expect_json 'update-customer' 0 '"state":"active"' update-customer --first-name Joanna --external-data '{"shelf":[1,2]}'
expect_json 'customer as JSON' 0 '"first_name":"Joanna",.*"external_data":"\{\\"shelf\\":\[1,2\]\}"' customer
class_is 'update of the e-mail, wrong password' 11 FIX_INPUT WRONG_CREDENTIALS \
  update-customer --email joanna@example.com <<<"$wrong_password"
expect_json 'update of the e-mail' 0 '"result":\{"state":"' update-customer --email joanna@example.com <<<"$password"
expect_json 'and back' 0 '"result":\{"state":"' update-customer --email "$email" <<<"$password"

echo '# tokens'
is_one_jwt() {
  [ "$code" -eq 0 ] && [ ! -s err ] && [ "$(wc -l <out)" -eq 1 ] && grep -Eq '^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$' out
}
secret_cli() { # for the one command whose output is a secret
  code=0
  "$build/identity-cli" "$@" >out 2>err || code=$?
}
secret_cli token
check 'token prints a JWT alone' is_one_jwt
jwt=$(cat out)
secret_cli --json token --min-life 60
check 'token as JSON' grep -Eq '^\{"ok":true,"result":\{"jwt":"[^"]+","remaining_ms":[0-9]+,"customer_id":"[0-9]+","publisher_id":"123456789","customer_token":' out
before=$(seen '^POST /auths/refresh_token 200$')
control PUT clock '{"offset_seconds":5}' >/dev/null # a JWT of the same second would be the same, byte for byte
expect_json 'refresh' 0 '"state":"active"' refresh
check 'one refresh in the journal' one_more '^POST /auths/refresh_token 200$' "$before"
secret_cli token
check 'the JWT is another one' test "$(cat out)" != "$jwt"
before=$(seen '^POST /auths/refresh_token 200$')
control PUT clock '{"offset_seconds":1200}' >/dev/null
expect 'an expired JWT does not show' 0 "^  E-mail +$email\$" '' customer
check 'one silent refresh' one_more '^POST /auths/refresh_token 200$' "$before"
control PUT clock '{"offset_seconds":0}' >/dev/null
curl --silent --noproxy '*' --header 'Content-Type: application/json' \
  --data "{\"email\":\"$email\",\"password\":\"$password\",\"publisherId\":\"$publisher\"}" "$plain_address/auths" >login-answer
adopted_jwt=$(sed -n 's/.*"jwt": *"\([^"]*\)".*/\1/p' login-answer)
adopted_refresh_token=$(sed -n 's/.*"refreshToken": *"\([^"]*\)".*/\1/p' login-answer)
expect_json 'adopt' 0 "\"state\":\"active\".*\"email\":\"$email\"" \
  --account adopted adopt <<<"{\"jwt\":\"$adopted_jwt\",\"refresh_token\":\"$adopted_refresh_token\"}"
expect 'the adopted session works' 0 'Joanna' '' --account adopted customer
class_is 'adopt: no JSON' 11 FIX_INPUT INVALID_INPUT --account adopted adopt <<<"$wrong_password"
class_is 'adopt: no token' 11 FIX_INPUT INVALID_INPUT --account adopted adopt <<<'{"jwt":"abc"}'
class_is 'adopt: no jwt' 11 FIX_INPUT INVALID_INPUT --account adopted adopt <<<'{"refresh_token":"abc"}'

echo '# for support'
expect_json 'explain as JSON' 0 '"library":"[0-9.]+","state":"active",.*"lease":\{"held":false,.*"transitions":\[' explain
expect 'explain for people' 0 '^	"state":	"active",$' '' explain
check 'no address in it' lacks out "$email"
expect 'events: nothing' 0 '^Nothing happened\.$' '' events
now=$(date +%s)
fault "{\"path\":\"/auths\",\"claims\":{\"iat\":$((now + 899)),\"exp\":$((now + 900))}}"
expect 'a login with a short JWT' 0 '^  State +active' '' --account short login --email "$email" <<<"$password"
expect 'events: a refresh' 0 '^[0-9:]{8}  token_refreshed' '' --account short events --follow 2
expect_json 'events as JSON' 0 '"result":\{"count":0,"items":\[\]\}' --account short events
bad 'events: no number' '--follow must be a number' events --follow soon

echo '# log out, log in'
expect_json 'logout' 0 '"state":"signed_out","reason":"logout"' logout
expect 'logout: nobody' 0 '^Nobody was signed in here\.$' '' logout
class_is 'refresh: nobody' 13 SIGN_IN SIGNED_OUT refresh
class_is 'wrong password' 11 FIX_INPUT WRONG_CREDENTIALS login --email "$email" <<<"$wrong_password"
expect 'wrong password for people' 11 '' '^  What to do: check e-mail and password' login --email "$email" <<<"$wrong_password"
expect 'login by offer' 0 '^Logged in\.$' '' login --email "$email" --offer S123456789_US <<<"$password"
expect 'logout for people' 0 '^Signed out here\.$' '' logout
expect 'login after logout' 0 '^Logged in\.$' '' login --email "$email" <<<"$password"
expect_json 'logout everywhere' 0 '"state":"signed_out","reason":"logout_everywhere"' logout --everywhere
check 'it reached the service' test "$(seen '^DELETE /refresh_tokens 2')" -eq 1

echo '# password reset'
class_is 'unknown customer' 11 FIX_INPUT UNKNOWN_CUSTOMER reset-password --email nobody@example.com
class_is 'bad reset URL' 11 FIX_INPUT INVALID_INPUT reset-password --email "$email" --reset-url nonsense
expect 'mail, own page' 0 'mails a link' '' reset-password --email "$email" --reset-url https://tv.example.com/new
link=$(control GET outbox | tr -d '\n' | sed -n 's/.*"link": *"\([^"]*\)".*/\1/p' | sed 's/\\u0026/\&/g; s,\\/,/,g')
reset_token=${link#*resetPasswordToken=}
reset_token=${reset_token%%&*}
class_is 'no reset link' 11 FIX_INPUT INVALID_INPUT set-password --link-stdin <<<$'https://tv.example.com/\nabc'
class_is 'bad new password' 11 FIX_INPUT INVALID_INPUT set-password --link-stdin <<<"$link"$'\nshort'
expect_json 'new password by link' 0 '"result":\{"state":"' set-password --link-stdin <<<"$link"$'\n'"$new_password"
class_is 'the link works once' 11 FIX_INPUT RESET_TOKEN_INVALID \
  set-password --token-stdin --email "$email" <<<"$reset_token"$'\n'"$password"
class_is 'the old password' 11 FIX_INPUT WRONG_CREDENTIALS login --email "$email" <<<"$password"
expect_json 'the new password' 0 '"state":"active"' login --email "$email" <<<"$new_password"

echo '# terms change; consents that could not be sent'
control PUT "publishers/$publisher/consents" '{"consents":[
  {"broadcasterId":0,"name":"terms","version":"2","required":true,"value":"https://cleeng.com/legal",
   "label":"I \u001b[31maccept\u001b]0;title\u0007 the <a href=\"x>y\">new terms</a> &amp; more."}]}' >/dev/null
expect_json 'next: consents' 0 '"step":"consents","consents":\{"count":1,"items":\[\{"name":"terms".*"newest_version":"2"' next
expect 'text from outside is cleaned' 0 '^  accept +terms +2 +I accept the new terms & more\.$' '' accept terms
check 'no escape sequence' lacks out $'\033'
fault '{"method":"PUT","path":"/customers/*/consents","times":9,"status":503,"body":{"errors":["Down"]}}'
expect_json 'registered, consents pending' 0 '"state":"active",.*"consents_pending":true' \
  --account pending register --email pending@example.com --accept-required <<<"$password"
expect 'status says so' 0 '^  Consents +still have to reach the service' '' --account pending status
no_faults

echo '# every class'
fault '{"path":"/locales","times":1,"status":429,"headers":{"Retry-After":"7"},"body":{"message":"Too many"}}'
class_is 'throttled' 12 RETRY_LATER THROTTLED locale
check 'with the time' grep -q '"http_status":429.*"retry_after_ms":7000' out
no_faults
fault '{"path":"/locales","times":9,"status":200,"headers":{"Content-Type":"text/html"},"body":"<html>log in</html>"}'
class_is 'a captive portal' 12 RETRY_LATER NOT_THE_SERVICE locale
no_faults
fault '{"path":"/locales","times":9,"hang":true}'
class_is 'no answer' 12 RETRY_LATER TIMED_OUT --timeout 0.4 locale
no_faults
class_is 'nobody listens' 12 RETRY_LATER OFFLINE --base-url http://127.0.0.1:1 locale
fault '{"method":"POST","path":"/customers","times":1,"status":429,"body":{"errors":["Google reCAPTCHA verification required!"],"code":"CPT0001"}}'
class_is 'captcha is wanted' 14 USER_ACTION CAPTCHA_REQUIRED \
  --account captcha register --email captcha@example.com --accept-required <<<"$password"
no_faults
expect_json 'captcha value after the password' 0 '"state":"active"' \
  --account captcha register --email captcha@example.com --accept-required --captcha-stdin <<<"$password"$'\n'"$captcha"
fault '{"path":"/locales","times":1,"status":200,"body":{}}'
class_is 'an answer without its content' 15 UPDATE_APP UNEXPECTED_ANSWER locale
no_faults
fault '{"path":"/locales","times":1,"status":404,"body":{"message":"Not Found"}}'
class_is 'no such endpoint' 15 UPDATE_APP ENDPOINT_GONE locale
no_faults
start_service tls --tls
class_is 'untrusted certificate' 16 FIX_DEVICE TLS_UNTRUSTED --base-url "$address" locale
class_is 'no CA file' 16 FIX_DEVICE CA_FILE --base-url "$address" --ca-file "$work/none.pem" locale
expect 'HTTPS' 0 '^  Country ' '' --base-url "$address" --ca-file tls/state/ca.pem locale
touch no-directory
class_is 'store is no directory' 16 FIX_DEVICE STORE_FAILED --store no-directory status
fault '{"method":"GET","path":"/customers/*","times":1,"status":403,"body":{"errors":["Forbidden"]}}'
class_is 'not allowed' 17 NOT_ALLOWED NOT_ALLOWED customer
no_faults
fault '{"method":"POST","path":"/customers","times":1,"drop":"after"}'
class_is 'nobody knows' 18 OUTCOME_UNKNOWN OUTCOME_UNKNOWN \
  --account lost register --email lost@example.com --accept-required <<<"$password"
no_faults
class_is 'unknown publisher' 20 BUG BAD_CONFIGURATION --publisher 111111111 login --email "$email" <<<"$password"

echo '# interrupted'
fault '{"path":"/locales","times":9,"hang":true}'
before=$(seen '^GET /locales 0$')
env --default-signal=INT "$build/identity-cli" --json locale >out 2>err &
client=$!
wait_until one_more '^GET /locales 0$' "$before"
kill -INT "$client"
code=0
wait "$client" || code=$?
check 'Ctrl-C cancels' fits_json 19 '"class":"CANCELLED","status":"CANCELLED"'
no_faults

echo '# environment, options, stores'
IDENTITY_JSON=1 cli status
check 'IDENTITY_JSON' fits_json 0 '"state":"active"'
IDENTITY_ACCOUNT=nobody expect 'IDENTITY_ACCOUNT' 0 'Account +nobody$' '' status
IDENTITY_ACCOUNT=nobody expect 'the command line wins' 0 'Account +default$' '' status --account default
IDENTITY_VERBOSE=1 expect 'IDENTITY_VERBOSE' 0 '^  Country' '^identity-cli: \[[a-z]+\] ' locale
IDENTITY_BASE_URL=$address IDENTITY_CA_FILE=tls/state/ca.pem IDENTITY_PROXY=http://u:$proxy_password@127.0.0.1:1 \
  IDENTITY_VERBOSE=1 expect 'IDENTITY_PROXY' 12 '' . locale
IDENTITY_BASE_URL='' IDENTITY_ENVIRONMENT=sandbox expect 'IDENTITY_ENVIRONMENT' 0 'State +signed_out' '' status
IDENTITY_BASE_URL=$address IDENTITY_CA_FILE=tls/state/ca.pem expect 'IDENTITY_CA_FILE' 0 '^  Country' '' locale
IDENTITY_STORE='' XDG_STATE_HOME=$work/new/state expect 'default store' 0 'signed_out' '' status
check 'made for the user alone' has_mode 700 new/state/identity-cli
check 'with its parents' has_mode 700 new
expect 'options before and after, and with =' 0 '^\{"ok":true' '' "--publisher=$publisher" status --account=x --json

echo '# terminal and broken output'
# on_terminal PROMPT INPUT ARGUMENT...: on a pseudo-terminal; types the input when the prompt is there, and keeps in out
# what the terminal shows
# shellcheck disable=SC2094 # the file is read while it grows, on purpose
on_terminal() {
  local prompt=$1 input=$2
  shift 2
  code=0
  : >out
  {
    wait_until grep -q -- "$prompt" out
    printf '%s' "$input"
  } | script --quiet --return --flush --command "$(printf '%q ' "$build/identity-cli" "$@")" /dev/null >out 2>err || code=$?
  cat out >>everything
}
on_terminal 'Password: ' "$new_password"$'\n' --account tty login --email "$email"
check 'prompt without echo' fits 0 'Password: ' ''
check 'and logged in' grep -q 'Logged in' out
fault '{"path":"/locales","times":1,"delay_ms":1400}'
on_terminal '' '' locale
check 'progress line on a terminal' fits 0 'waiting for the service' ''
fault '{"path":"/locales","times":1,"delay_ms":1400}'
expect 'none elsewhere' 0 '^  Country' '' locale
on_terminal '' '' --account nobody customer
check 'colour on a terminal' fits 13 $'\033\\[' ''
NO_COLOR=1 on_terminal '' '' --account nobody customer
check 'not with NO_COLOR' lacks out $'\033['
full_disk() {
  code=0
  "$build/identity-cli" "$@" >/dev/full 2>err || code=$?
  [ "$code" -eq 1 ] && grep -q 'could not be written' err
}
check 'full disk, text' full_disk status
check 'full disk, JSON' full_disk --json status
check 'full disk, token' full_disk token
closed_output() {
  code=0
  "$build/identity-cli" "$@" >&- 2>err || code=$?
  [ "$code" -eq 1 ]
}
check 'closed output' closed_output status
check 'the session outlives it' grep -aq . "$(find store -type f | head -n 1)"

echo '# secrets'
for secret in "$password" "$new_password" "$wrong_password" "$captcha" "$proxy_password" "$jwt" "$adopted_jwt" \
  "$adopted_refresh_token" "$reset_token"; do
  check "a secret of ${#secret} characters is in no output" lacks everything "${secret:-none was found}"
done
check 'all secrets were known' test -n "$adopted_jwt" -a -n "$adopted_refresh_token" -a ${#reset_token} -ge 16
grep -aohE '[0-9a-f]{64}' store/* | sort -u >stored-tokens
check 'no stored token is in any output' lacks_all everything stored-tokens

printf '%d passed, %d failed\n' "$passed" "$failed"
if [ $((passed + failed)) -ne "$expected" ]; then
  printf 'not ok - %d checks ran, but this file has %d\n' $((passed + failed)) "$expected"
  exit 1
fi
[ "$failed" -eq 0 ]
