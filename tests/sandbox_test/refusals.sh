# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# The error table of the contract (1.3), row by row, and the texts that clients know.

test_register_refusals() {
  local base='"password":"s3cretpass","publisherId":"123456789","locale":"en_US","country":"US","currency":"USD"' long
  register jo@example.com
  register JO@example.com
  is "register twice" 422 '{"errors":["Customer already exists"],"code":"USER0002"}'
  long=$(printf 'x%.0s' $(seq 51))
  while IFS='|' read -r name body text; do
    call POST /customers "$body"
    is "register: $name" 400 "\"errors\":[\"$text\"]" '"code":"REQ0001"'
  done << LIST
no body at all||Invalid request body
no JSON|{"email":|Invalid request body
no object|[1]|Invalid request body
no address|{$base}|Invalid request body
an address that is no text|{"email":5,$base}|Invalid request body
an empty address|{"email":"",$base}|Invalid param email
an address without a host|{"email":"jo@",$base}|Please enter a valid e-mail address.
an address with a space|{"email":"j o@example.com",$base}|Please enter a valid e-mail address.
an address that can't exist|{"email":"jo@example.invalid",$base}|Email verification failed.
a password without a digit|{"email":"a@example.com",${base/s3cretpass/secretpass}}|Invalid param password
a password without a letter|{"email":"a@example.com",${base/s3cretpass/12345678}}|Invalid param password
a short password|{"email":"a@example.com",${base/s3cretpass/s3cret7}}|Invalid param password
a country of three letters|{"email":"a@example.com",${base/\"US\"/\"USA\"}}|Invalid param country
the country UK|{"email":"a@example.com",${base/\"US\"/\"UK\"}}|Invalid param country
a currency of two letters|{"email":"a@example.com",${base/USD/US}}|Invalid param currency
no locale|{"email":"a@example.com",${base/\"locale\"/\"other\"}}|Invalid request body
a bad locale|{"email":"a@example.com",${base/en_US/english}}|Invalid param locale
a long first name|{"email":"a@example.com","firstName":"$long",$base}|firstName can have max 50 characters.
a long last name|{"email":"a@example.com","lastName":"$long",$base}|lastName can have max 50 characters.
external data that is no JSON|{"email":"a@example.com","externalData":"{",$base}|Invalid param externalData
external data that is an object|{"email":"a@example.com","externalData":{},$base}|Invalid param externalData
a bad customerIP|{"email":"a@example.com","customerIP":"1.2.3",$base}|Invalid param customerIP
neither publisher nor offer|{"email":"a@example.com",${base/publisherId/other}}|Empty param offerId or publisherId
an empty publisher|{"email":"a@example.com",${base/123456789/}}|Empty param offerId or publisherId
a publisher of eight digits|{"email":"a@example.com",${base/123456789/12345678}}|Invalid param publisherId
a publisher that is a number|{"email":"a@example.com",${base/\"123456789\"/123456789}}|Invalid param publisherId
LIST
  call POST /customers "{\"email\":\"a@example.com\",${base/123456789/111111111}}"
  is "register: unknown publisher" 422 '{"errors":["Offer or publisher not found"],"code":"REQ0100"}'
  call POST /customers "{\"email\":\"a@example.com\",${base/publisherId\":\"123456789/offerId\":\"S111111111_US}}"
  is "register: unknown offer" 422 'REQ0100'
  call POST /customers "{\"email\":\"a@example.com\",\"offerId\":\"S987654321_US\",$base}"
  is "register: offer of another publisher" 422 'REQ0100'
  long=$(printf 'x%.0s' $(seq 3990))
  register data@example.com ",\"externalData\":\"{\\\"a\\\":\\\"$long\\\"}\""
  is "register: 3998 characters of external data" 200
  register data2@example.com ",\"externalData\":\"{\\\"a\\\":\\\"${long}xxx\\\"}\""
  is "register: 4001 characters of external data" 400 'Invalid param externalData'
  register a@example.com ',"externalId":"one"'
  register b@example.com ',"externalId":"one"'
  is "register: external id used twice" 400 'Invalid param externalId'
}

test_captcha() {
  control PUT publishers/123456789/captcha '{"enabled":true,"accept":"right-one"}'
  is "captcha switched on" 200
  register jo@example.com
  is "captcha missing" 429 '{"errors":["Google reCAPTCHA verification required!"],"code":"CPT0001"}'
  register jo@example.com ',"captchaValue":""'
  is "captcha empty" 429 'CPT0001'
  register jo@example.com ',"captchaValue":"wrong-one"'
  is "captcha failed" 429 '{"errors":["Google reCAPTCHA verification failed!"],"code":"CPT0002"}'
  register jo@example.com ',"captchaValue":"right-one"'
  is "captcha passed" 200
  login jo@example.com s3cretpass
  is "login needs none" 200
}

test_login_refusals() {
  register jo@example.com
  login nobody@example.com s3cretpass
  is "login: unknown address" 401 'USER0001'
  call POST /auths '{"email":"jo@example.com","publisherId":"123456789"}'
  is "login: no password" 400 'Invalid request body' 'REQ0001'
  call POST /auths '{"email":"jo@example.com","password":"s3cretpass"}'
  is "login: no publisher" 400 'Empty param offerId or publisherId'
  call POST /auths '{"email":"jo@example.com","password":"s3cretpass","publisherId":"987654321"}'
  is "login: customer of another publisher" 422 '{"errors":["Customer is not associated with this publisher"],"code":"USER0003"}'
  call POST /auths '{"email":"jo@example.com","password":"wr0ngpass","publisherId":"987654321"}'
  is "login: wrong password with another publisher" 401 'USER0001'
  call POST /auths '{"email":"jo@example.com","password":"s3cretpass","publisherId":"111111111"}'
  is "login: unknown publisher" 422 'REQ0100'
  call POST /auths '{"email":"jo@example.com","password":"s3cretpass","publisherId":"123456789","customerIP":"x"}'
  is "login: bad customerIP" 400 'Invalid param customerIP'
}

test_jwt_refusals() {
  local other=$1 other_id
  register other@example.com
  other_id=$ID
  register jo@example.com
  while read -r method path; do
    call "$method" "${path/ID/$ID}"
    is "without a JWT: $method $path" 401 '{"errors":["Missing required JWT"],"code":"AUTH0001"}'
    as "${JWT%?????}AAAAA" "$method" "${path/ID/$ID}"
    is "JWT with another signature: $method $path" 401 '{"errors":["Invalid JWT token"],"code":"AUTH0002"}'
    [ "$path" = /refresh_tokens ] && continue
    as "$JWT" "$method" "${path/ID/$other_id}" '{}'
    is "JWT of another customer: $method $path" 403 'AUTH0002'
  done << 'LIST'
GET /customers/ID
PATCH /customers/ID
GET /customers/ID/consents
PUT /customers/ID/consents
GET /customers/ID/capture/status
PUT /customers/ID/capture
DELETE /refresh_tokens
LIST
  call GET "/customers/$ID" '' -H 'Authorization;'
  is "an empty Authorization header" 401 'AUTH0001'
  call GET "/customers/$ID" '' -H 'Authorization: Basic am86eA=='
  is "another kind of Authorization" 401 'AUTH0001'
  as "$other" GET "/customers/$ID"
  is "a JWT of another service" 401 'AUTH0002'
  as "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.$(cut -d. -f2 <<< "$JWT")." GET "/customers/$ID"
  is "a JWT with alg none" 401 'AUTH0002'
  as "x.y" GET "/customers/$ID"
  is "a JWT of two parts" 401 'AUTH0002'
  as "$JWT" GET /customers/abc
  is "a customer id that is no number" 400 'REQ0003'
}

test_routes() {
  call GET '/locales?customerIP=garbage'
  is "locales: not an address" 400 '"code":"REQ0002"'
  call GET '/locales?customerIP='
  is "locales: an empty address" 400 '"code":"REQ0002"'
  call GET /publishers/12345678/consents
  is "consents: a publisher of eight digits" 400 '{"errors":["Invalid param publisherId"],"code":"REQ0003"}'
  call GET /publishers/111111111/consents
  is "consents: unknown publisher" 400 'Invalid param publisherId'
  call GET /nowhere
  is "unknown route" 404 '{"message":"Not Found"}'
  call GET /customers/1/capture
  is "wrong method" 405 '{"message":"Method Not Allowed"}'
  same "wrong method: Allow" PUT "$(header Allow)"
  call GET /customers/passwords
  is "passwords is no customer" 405
  same "passwords: Allow" 'PUT, PATCH' "$(header Allow)"
}
