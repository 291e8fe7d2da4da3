# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# Every operation of the contract with what it answers when all is well. Runs over http and over https.

test_journey() {
  local scheme=$1 first second link token
  call GET /locales
  is "$scheme: locales without an address" 200 '"responseData":{"country":"US","currency":"USD","locale":"en_US","ipAddress":"127.0.0.1"}' '"errors":[]'
  same "$scheme: Content-Type" application/json "$(header Content-Type)"
  check "$scheme: Date header" grep -q -E '^[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT$' <<< "$(header Date)"
  while read -r address country currency locale; do
    call GET "/locales?customerIP=$address"
    is "$scheme: locale of $address" 200 "\"country\":\"$country\"" "\"currency\":\"$currency\"" "\"locale\":\"$locale\""
  done << 'LIST'
203.0.113.7 NL EUR nl_NL
198.51.100.4 US USD en_US
192.0.2.200 GB GBP en_GB
2001%3Adb8%3A%3A1 DE EUR de_DE
127.0.0.1 US USD en_US
LIST

  call GET /publishers/123456789/consents
  is "$scheme: publisher consents" 200 '"broadcasterId":0,"name":"terms"' '"name":"broadcaster_terms","version":"1.7"' '<a href=' '"name":"broadcaster_marketing"' '"required":false,"enabledByDefault":false'

  register jo@example.com ',"customerIP":"203.0.113.7","captchaValue":"","firstName":"Jo","externalId":"x-1","externalData":"{\"list\":[1]}"'
  is "$scheme: register" 200 '"customerId":533354305' '"customerToken":"' '"jwt":"' '"refreshToken":"'
  check "$scheme: a refresh token has 64 hex digits" grep -q -E '^[0-9a-f]{64}$' <<< "$REFRESH"
  same "$scheme: the JWT's header" '{"alg":"RS256","typ":"JWT"}' "$(printf '%s' "${JWT%%.*}" | base64 -d 2> /dev/null)"
  BODY=$(jwt_claims "$JWT")
  check "$scheme: the JWT's claims" grep -q -E '^\{"customerId":533354305,"publisherId":123456789,"email":"jo@example.com","exp":[0-9]+\}$' <<< "$BODY"
  first=$ID

  as "$JWT" GET "/customers/$ID"
  is "$scheme: customer" 200 '"id":533354305,"email":"jo@example.com","firstName":"Jo","lastName":null,"country":"US","regDate":"' '"lastUserIp":"203.0.113.7","externalId":"x-1","externalData":{"list":[1]}'
  as "$JWT" GET "/customers/$ID/consents"
  is "$scheme: consents never answered" 200 '"customerId":"533354305","name":"terms","required":true,"state":"declined","version":"","newestVersion":"1","needsUpdate":true'
  lacks "$scheme: and without a date" '"date"'
  as "$JWT" PUT "/customers/$ID/consents" '{"consents":[{"name":"terms","version":"1","state":"accepted"},{"name":"broadcaster_terms","version":"1.7","state":"accepted"},{"name":"broadcaster_marketing","version":"1.7","state":"declined"}]}'
  is "$scheme: consents sent" 200 '"success":true'
  as "$JWT" GET "/customers/$ID/consents"
  is "$scheme: consents accepted" 200 '"state":"accepted","version":"1.7","newestVersion":"1.7","needsUpdate":false' '"state":"declined","version":"1.7"' '"date":1'
  lacks "$scheme: nothing to update" '"needsUpdate":true'

  as "$JWT" GET "/customers/$ID/capture/status"
  is "$scheme: capture status" 200 '"isCaptureEnabled":true,"shouldCaptureBeDisplayed":true' '"key":"email","enabled":true,"required":true,"answer":"jo@example.com"' '"answer":{"firstName":"Jo","lastName":null}' '"answer":{"address":null,"address2":null,"city":null,"state":null,"postCode":null,"country":null}' '"key":"custom_1"' '"value":"Sports;Films; Series","answer":null' '"key":"custom_5","enabled":false,"required":true'
  as "$JWT" PUT "/customers/$ID/capture" '{"firstName":"Joan","lastName":"Doe","birthDate":"1990-02-28","companyName":"Acme","phoneNumber":"+31 6","address":"Street 1","city":"Town","postCode":"1234","country":"NL","email":null,"customAnswers":[{"questionId":"custom_1","question":"What?","value":"Series"},{"questionId":"custom_3","value":"I am a member"},{"questionId":"custom_4","value":"free"}]}'
  is "$scheme: capture answers" 200 '"success":true'
  as "$JWT" GET "/customers/$ID/capture/status"
  is "$scheme: capture answered" 200 '"shouldCaptureBeDisplayed":false' '"answer":{"firstName":"Joan","lastName":"Doe"}' '"answer":"1990-02-28"' '"answer":{"address":"Street 1","address2":null,"city":"Town","state":null,"postCode":"1234","country":"NL"}' '"answer":"Series"' '"answer":"I am a member"' '"answer":"free"'

  as "$JWT" PATCH "/customers/$ID" '{"lastName":"Smith","country":"NL","externalData":{"favourites":[]},"confirmationPassword":""}'
  is "$scheme: customer updated" 200 '"lastName":"Smith","country":"NL"' '"externalData":{"favourites":[]}'

  second=$REFRESH
  refresh "$REFRESH"
  is "$scheme: refresh" 200 '"jwt":"' '"refreshToken":"'
  lacks "$scheme: refresh names no customer" customerId customerToken
  check "$scheme: the refresh token is another one" test "$(text refreshToken)" != "$second"
  REFRESH=$(text refreshToken)
  refresh "$second"
  is "$scheme: a used refresh token is dead" 401 '{"errors":["Refresh token is expired or does not exist"]}'

  call PUT /customers/passwords '{"customerEmail":"jo@example.com","publisherId":"123456789","resetUrl":"https://app.example.com/reset?u=edit#top"}'
  is "$scheme: reset mail asked for" 200 '"success":true'
  control GET outbox
  link=$(text link)
  check "$scheme: the mailed link" grep -q -E '^https://app\.example\.com/reset\?u=edit&resetPasswordToken=[0-9a-f]{64}&email=jo%40example\.com&publisherId=123456789#top$' <<< "$link"
  token=${link#*resetPasswordToken=}
  token=${token%%&*}
  call PATCH /customers/passwords "{\"publisherId\":\"123456789\",\"customerId\":$first,\"resetPasswordToken\":\"$token\",\"newPassword\":\"n3wsecret\"}"
  is "$scheme: new password" 200 '"success":true'
  login jo@example.com s3cretpass
  is "$scheme: the old password is wrong" 401 '{"errors":["Wrong email or password"],"code":"USER0001"}'
  login JO@example.com n3wsecret ',"customerIP":"2001:db8::7"'
  is "$scheme: login with the new one" 200 "\"customerId\":$first" '"customerToken":"'
  as "$JWT" GET "/customers/$ID"
  is "$scheme: login notes the address" 200 '"lastUserIp":"2001:db8::7"'
  call POST /auths '{"email":"jo@example.com","password":"n3wsecret","offerId":"S123456789_US"}'
  is "$scheme: login by offer" 200 "\"customerId\":$first"

  call POST /sso/auths '{"customerEmail":"jo@example.com","customerIP":"192.0.2.9"}' -H 'X-Publisher-Token: sandbox-publisher-token'
  is "$scheme: single sign-on" 200 '"responseData":{"jwt":"' '"refreshToken":"'
  call GET /.well-known/jwks.json
  is "$scheme: key set" 200 '{"keys":[{"kty":"RSA","use":"sig","alg":"RS256","n":"' '"e":"AQAB"}]}'

  as "$JWT" DELETE /refresh_tokens
  is "$scheme: all refresh tokens revoked" 200 '"success":true'
  refresh "$REFRESH"
  is "$scheme: a revoked refresh token is dead" 401 'Refresh token is expired'
  as "$JWT" GET "/customers/$ID"
  is "$scheme: the JWT lives on" 200
}

jwt_claims() {
  local part=${1#*.}
  part=${part%%.*}
  part=$(printf '%s' "$part" | tr '_-' '/+')
  while [ $((${#part} % 4)) -ne 0 ]; do part="$part="; done
  printf '%s' "$part" | base64 -d
}
