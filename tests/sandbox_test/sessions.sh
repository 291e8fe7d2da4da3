# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# Tokens over time: clock, lives, grace, revocation.

test_expiry() {
  register jo@example.com
  control PUT clock '{"offset_seconds":860}'
  as "$JWT" GET "/customers/$ID"
  is "a JWT shortly before its end" 200
  control PUT clock '{"offset_seconds":901}'
  is "clock shifted" 200 '"offset_seconds":901'
  as "$JWT" GET "/customers/$ID"
  is "an expired JWT" 401 '{"errors":["Invalid JWT token"],"code":"AUTH0002"}'
  control PUT settings '{"expired_jwt_code":"AUTH0003"}'
  as "$JWT" GET "/customers/$ID"
  is "an expired JWT, the other answer" 401 '{"errors":["token expired"],"code":"AUTH0003"}'
  refresh "$REFRESH"
  is "its refresh token is good" 200
  as "$(text jwt)" GET "/customers/$ID"
  is "and the new JWT too" 200
  control PUT clock '{"offset_seconds":-86400}'
  call GET /locales
  check "the Date header follows the clock" grep -q "$(LC_ALL=C date -u -d '-1 day' '+%a, %d %b %Y')" <<< "$(header Date)"
  control PUT clock '{"offset_seconds":0}'
  register jim@example.com
  control PUT clock '{"offset_seconds":8639990}'
  refresh "$REFRESH"
  is "a refresh token on its last day" 200
  register jane@example.com
  control PUT clock '{"offset_seconds":17280000}'
  refresh "$REFRESH"
  is "a refresh token after 100 days" 401 'Refresh token is expired or does not exist'
}

test_lives() {
  register jo@example.com
  BODY=$(jwt_claims "$JWT")
  local exp
  exp=$(($(number exp) - $(date +%s)))
  check "--jwt-life" test "$exp" -ge 55 -a "$exp" -le 60
  control PUT clock '{"offset_seconds":121}'
  refresh "$REFRESH"
  is "--refresh-life" 401
}

test_grace() {
  local first second
  register jo@example.com
  first=$REFRESH
  refresh "$first"
  second=$(text refreshToken)
  refresh "$first"
  is "in its grace a used refresh token gives a pair again" 200 '"refreshToken":"'
  control GET customers
  check "it is listed apart" grep -q -E '"refresh_tokens_in_grace":\["[0-9a-f]{12}"\]' <<< "$BODY"
  refresh "$second"
  is "its successor stays good" 200
  control PUT clock '{"offset_seconds":31}'
  refresh "$first"
  is "after its grace it is dead" 401
}

test_refusals_of_refresh() {
  register jo@example.com
  refresh nonsense
  is "refresh: unknown token" 401 '{"errors":["Refresh token is expired or does not exist"]}'
  control PUT settings '{"refresh_refusal_status":422}'
  refresh nonsense
  is "refresh: the status is a setting" 422 'Refresh token is expired or does not exist'
  for body in '' '{' '[]' '{}' '{"refreshToken":""}' '{"refreshToken":7}'; do
    call POST /auths/refresh_token "$body"
    is "refresh: body '$body'" 400 '{"errors":["Missing or invalid parameter"]}'
  done
}

test_several_devices() {
  local phone
  register jo@example.com
  phone=$REFRESH
  login jo@example.com s3cretpass
  refresh "$phone"
  is "two devices: the first" 200
  refresh "$REFRESH"
  is "two devices: the second" 200
  REFRESH=$(text refreshToken)
  register other@example.com
  phone=$REFRESH
  login jo@example.com s3cretpass
  as "$JWT" DELETE /refresh_tokens
  refresh "$REFRESH"
  is "revoked: one's own" 401
  refresh "$phone"
  is "revoked: not those of another customer" 200
}

test_sso() {
  register jo@example.com
  call POST /sso/auths '{"customerEmail":"jo@example.com"}'
  is "single sign-on without the publisher's token" 401 'Invalid publisher token'
  call POST /sso/auths '{"customerEmail":"jo@example.com"}' -H 'X-Publisher-Token: sandbox-publisher-token-2'
  is "single sign-on by another publisher" 422 'USER0003'
  call POST /sso/auths '{"customerEmail":"no@example.com"}' -H 'X-Publisher-Token: sandbox-publisher-token'
  is "single sign-on of an unknown customer" 404 'USER0004'
  call POST /sso/auths '{}' -H 'X-Publisher-Token: sandbox-publisher-token'
  is "single sign-on without an address" 400 'REQ0001'
  control PUT settings '{"sso_flat":true}'
  call POST /sso/auths '{"customerEmail":"jo@example.com"}' -H 'X-Publisher-Token: sandbox-publisher-token'
  is "single sign-on without an envelope" 200 '{"jwt":"'
}
