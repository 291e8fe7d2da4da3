# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# The control interface: bad requests, and going back to the start.

test_control_refusals() {
  while IFS='|' read -r method path body text; do
    control "$method" "$path" "$body"
    is "control: $method $path $body" 400 "$text"
  done << 'LIST'
PUT|clock||a JSON body is needed
PUT|clock|{|not valid JSON
PUT|clock|{}|\"offset_seconds\" is missing
PUT|clock|{"offset_seconds":"1"}|must be a whole number
PUT|clock|{"offset_seconds":0.5}|must be a whole number
PUT|clock|{"offset_seconds":-9000000000}|must stay in the years 1970 to 9999
PUT|clock|{"offset_seconds":1,"x":1}|unknown member
PUT|settings|{"jwt_life":0}|\"jwt_life\"
PUT|settings|{"expired_jwt_code":"X"}|AUTH0002 or AUTH0003
PUT|publishers/123456789/consents|{}|give \"consents\", \"versions\" or both
PUT|publishers/123456789/capture|{"settings":{}}|must be an array
PUT|publishers/123456789/captcha|{"enabled":1}|must be true or false
POST|faults|{}|the fault does nothing
POST|faults|[{"status":500},{"status":99}]|fault[1]
POST|faults|{"status":500,"path":"customers"}|must begin with /
POST|faults|{"drop":"now"}|before or after
POST|faults|{"abort":true,"status":500}|goes with \"drop\"
POST|faults|{"body":"x","delay_ms":1}|goes with \"status\"
POST|faults|{"hang":true,"drop":"after"}|exclude each other
POST|faults|{"hang":true,"status":500}|give no answer
POST|faults|{"drop":"before","after":true}|exclude each other
POST|faults|{"status":200,"omit":["jwt"]}|replaces the answer
POST|faults|{"status":500,"headers":{"A B":"x"}}|\"headers\" must map
POST|faults|{"status":500,"headers":{"A":"x\r\nB: y"}}|\"headers\" must map
POST|faults|{"status":500,"headers":{"Content-Length":"5"}}|\"headers\" must map
POST|faults|{"status":500,"times":-2}|\"times\"
POST|faults|{"omit":[1]}|non-empty strings
POST|faults|{"sttus":500}|unknown member \"sttus\"
LIST
  control GET faults
  is "none of them was taken" 200 '{"faults":[]}'
  control GET nothing
  is "control: unknown" 404 'no such control request'
  control DELETE journal
  is "control: wrong method" 405
  call GET /_sandbox
  is "control: what there is" 200 'PUT /_sandbox/clock'
}

test_reset() {
  register jo@example.com
  call PUT /customers/passwords '{"customerEmail":"jo@example.com","publisherId":"123456789"}'
  control PUT clock '{"offset_seconds":1000}'
  control PUT settings '{"grace":5}'
  control PUT publishers/123456789/consents '{"versions":{"terms":"2"}}'
  control PUT publishers/123456789/captcha '{"enabled":true}'
  fault '{"status":500,"times":-1}'
  control POST reset
  is "reset" 200
  control GET customers
  is "no customer is left" 200 '{"customers":[]}'
  control GET outbox
  is "no mail" 200 '"mails":[]'
  control GET clock
  is "the clock is back" 200 '"offset_seconds":0'
  control GET settings
  is "the settings are back" 200 '"grace":0'
  control GET faults
  is "no fault" 200 '{"faults":[]}'
  call GET /publishers/123456789/consents
  is "the consents are back" 200 '"name":"terms","version":"1"'
  control GET journal
  is "the journal begins anew" 200 '"requests":[{' '"path":"/publishers/123456789/consents"'
  same "and has nothing of before" 1 "$(count '"seq"')"
  register jo@example.com
  is "the first customer has the first id" 200 '"customerId":533354305'
  control GET customers
  is "customers: what is known" 200 '"id":533354305,"publisher_id":"123456789","email":"jo@example.com"' '"refresh_tokens":["'
  lacks "customers: no secret" s3cretpass "$REFRESH"
}
