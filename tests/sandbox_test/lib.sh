# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# Helpers for the tests of the stand-in service. Sourced by run.sh; bash and curl only, no JSON tool.
# After call(): STATUS, BODY, and the answer's headers in $WORK/headers.

passed=0
failed=0

ok() {
  passed=$((passed + 1))
  printf 'ok    %s\n' "$1"
}

not_ok() {
  failed=$((failed + 1))
  printf 'FAIL  %s\n' "$1"
  [ -z "${2:-}" ] || printf '      %s\n' "$2"
}

# check NAME COMMAND...: passes when the command succeeds.
check() {
  local name=$1
  shift
  if "$@"; then ok "$name"; else not_ok "$name" "failed: $*"; fi
}

# same NAME EXPECTED ACTUAL
same() {
  if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected '$2', got '$3'"; fi
}

# is NAME STATUS TEXT...: the last answer has this status and holds each text.
is() {
  local name=$1 status=$2 text
  shift 2
  if [ "$STATUS" != "$status" ]; then
    not_ok "$name" "expected status $status, got $STATUS: ${BODY:0:300}"
    return
  fi
  for text in "$@"; do
    case $BODY in
    *"$text"*) ;;
    *)
      not_ok "$name" "expected $text in: ${BODY:0:600}"
      return
      ;;
    esac
  done
  ok "$name"
}

# lacks NAME TEXT...: the last answer holds none of the texts.
lacks() {
  local name=$1 text
  shift
  for text in "$@"; do
    case $BODY in
    *"$text"*)
      not_ok "$name" "unexpected $text in: ${BODY:0:600}"
      return
      ;;
    esac
  done
  ok "$name"
}

# call METHOD PATH [BODY [CURL-OPTION...]]; a BODY of "" sends none. STATUS is 000 when there was no answer.
call() {
  local method=$1 path=$2 body=${3:-}
  shift $(($# < 3 ? $# : 3))
  local data=()
  [ -z "$body" ] || data=(-H 'Content-Type: application/json' --data-binary "$body")
  : > "$WORK/body"
  STATUS=$(curl "${CURL[@]}" -X "$method" -H 'Accept: application/json' -D "$WORK/headers" -o "$WORK/body" \
    -w '%{http_code}' "${data[@]}" "$@" "$BASE$path" 2> "$WORK/curl-error")
  CURL_CODE=$?
  BODY=$(tr -d '\000' < "$WORK/body")
}

# as JWT METHOD PATH [BODY ...]: the same with a bearer token.
as() {
  local jwt=$1 method=$2 path=$3 body=${4:-}
  shift $(($# < 4 ? $# : 4))
  call "$method" "$path" "$body" -H "Authorization: Bearer $jwt" "$@"
}

control() {
  call "$1" "/_sandbox/$2" "${3:-}"
}

fault() {
  control POST faults "$1"
  [ "$STATUS" = 200 ] || not_ok "fault accepted" "$1: $BODY"
}

reset() {
  control POST reset
}

# text NAME: the first string member of that name in the last answer; number NAME: the same for a number.
text() {
  printf '%s' "$BODY" | grep -o "\"$1\":\"[^\"]*\"" | head -n 1 | sed 's/^"[^"]*":"//; s/"$//'
}

number() {
  printf '%s' "$BODY" | grep -o "\"$1\":[0-9-]*" | head -n 1 | sed 's/^"[^"]*"://'
}

# count TEXT: how often it stands in the last answer.
count() {
  printf '%s' "$BODY" | grep -o -F -- "$1" | wc -l | tr -d ' '
}

header() {
  tr -d '\r' < "$WORK/headers" | sed -n "s/^$1: //Ip" | head -n 1
}

# start OPTION...: starts the service on a free port and waits for it. PID, PORT, BASE, CURL.
start() {
  rm -f "$WORK/port"
  # shellcheck disable=SC2086
  ${SANDBOX_WRAPPER:-} "$BINARY" --port-file "$WORK/port" "$@" > "$WORK/log" 2> "$WORK/errors" &
  PID=$!
  local turns=0
  while [ ! -f "$WORK/port" ]; do
    if ! kill -0 "$PID" 2> /dev/null || [ "$turns" -gt 600 ]; then
      echo "the service does not start: $(cat "$WORK/errors")" >&2
      exit 1
    fi
    turns=$((turns + 1))
    sleep 0.05
  done
  PORT=$(cat "$WORK/port")
  BASE="http://127.0.0.1:$PORT"
  CURL=(-s --noproxy '*' --max-time 20)
  case " $* " in
  *" --tls "*)
    BASE="https://localhost:$PORT"
    CURL=(-s --noproxy '*' --max-time 20 --cacert "$WORK/state/ca.pem")
    ;;
  esac
}

# stop [SIGNAL]: ends the service by its own process id; EXIT is what it returned.
stop() {
  kill "-${1:-TERM}" "$PID"
  wait "$PID"
  EXIT=$?
  PID=
}

# register EMAIL [MORE-MEMBERS]: STATUS and BODY of the call; JWT, REFRESH and ID of the new session.
register() {
  call POST /customers "{\"email\":\"$1\",\"password\":\"s3cretpass\",\"publisherId\":\"123456789\",\"locale\":\"en_US\",\"country\":\"US\",\"currency\":\"USD\"${2:-}}"
  take_session
}

# login EMAIL PASSWORD [MORE-MEMBERS]
login() {
  call POST /auths "{\"email\":\"$1\",\"password\":\"$2\",\"publisherId\":\"123456789\"${3:-}}"
  take_session
}

refresh() {
  call POST /auths/refresh_token "{\"refreshToken\":\"$1\"}"
}

take_session() {
  [ "$STATUS" = 200 ] || return 0
  JWT=$(text jwt)
  REFRESH=$(text refreshToken)
  ID=$(number customerId)
}
