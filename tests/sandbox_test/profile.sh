# shellcheck shell=bash disable=SC2034,SC2153,SC2154,SC2001
# Consents, capture, customer data, passwords: what is refused, and what the control interface changes.

test_consents() {
  register jo@example.com
  local path="/customers/$ID/consents"
  as "$JWT" PUT "$path" '{"consents":[{"name":"terms","version":"1","state":"accepted"}]}'
  as "$JWT" PUT "$path" '{"consents":[{"name":"broadcaster_terms","version":"1.7","state":"accepted"},{"name":"unknown","version":"1","state":"accepted"}]}'
  is "consents: unknown name" 422 'Consent does not exist'
  as "$JWT" PUT "$path" '{"consents":[{"name":"broadcaster_terms","version":"1.6","state":"accepted"}]}'
  is "consents: old version" 422 'Consent version is not the newest one'
  as "$JWT" GET "$path"
  is "consents: all or nothing" 200 '"name":"broadcaster_terms","required":true,"state":"declined","version":""'
  for body in '{}' '{"consents":{}}' '{"consents":[1]}' '{"consents":[{"name":"terms","version":"1","state":"maybe"}]}' '{"consents":[{"name":"terms","version":1,"state":"accepted"}]}'; do
    as "$JWT" PUT "$path" "$body"
    is "consents: body $body" 400 'REQ0001'
  done
  control PUT publishers/123456789/consents '{"versions":{"terms":"2"}}'
  is "consents: version raised" 200
  as "$JWT" GET "$path"
  is "consents: raised ones need an update" 200 '"name":"terms","required":true,"state":"accepted","version":"1","newestVersion":"2","needsUpdate":true'
  as "$JWT" PUT "$path" '{"consents":[{"name":"terms","version":"1","state":"accepted"}]}'
  is "consents: what was newest is refused now" 422
  control PUT publishers/123456789/consents '{"consents":[{"name":"privacy","version":"9","required":true,"label":"Privacy","value":"v","placeholder":"p"}]}'
  is "consents: definitions replaced" 200
  call GET /publishers/123456789/consents
  is "consents: the new definitions" 200 '{"consents":[{"broadcasterId":123456789,"name":"privacy","version":"9","value":"v","label":"Privacy","required":true,"enabledByDefault":false,"placeholder":"p"}]}'
  control PUT publishers/123456789/consents '{"consents":[{"name":"privacy"}]}'
  is "consents: an incomplete definition is refused" 400 'consents[0]' '\"version\" is missing'
  control PUT publishers/123456789/consents '{"versions":{"terms":"2"}}'
  is "consents: raising what is not there is refused" 400 'no consent of that name'
  control PUT publishers/111111111/consents '{"versions":{}}'
  is "consents: of an unknown publisher" 404
}

test_capture() {
  register jo@example.com
  local path="/customers/$ID/capture"
  while IFS='|' read -r name body text; do
    as "$JWT" PUT "$path" "$body"
    is "capture: $name" 400 "$text" REQ0001
  done << 'LIST'
an impossible date|{"birthDate":"2023-02-29"}|Invalid param birthDate
a date of another form|{"birthDate":"28-02-1990"}|Invalid param birthDate
the country UK|{"country":"UK"}|Invalid param country
a text that is none|{"companyName":5}|Invalid param companyName
another address of the customer|{"email":"else@example.com"}|Invalid param email
an option that is not in the list|{"customAnswers":[{"questionId":"custom_1","value":"Opera"}]}|Invalid param custom_1
a disabled question|{"customAnswers":[{"questionId":"custom_5","value":"This one"}]}|Invalid param custom_5
an unknown question|{"customAnswers":[{"questionId":"custom_9","value":"x"}]}|Invalid param customAnswers
a question without a value|{"customAnswers":[{"questionId":"custom_4"}]}|Invalid param customAnswers
LIST
  as "$JWT" PUT "$path" '{"firstName":"Jo","lastName":null,"birthDate":null,"customAnswers":null,"email":"jo@example.com"}'
  is "capture: null leaves alone" 200
  as "$JWT" PUT "$path" '{"customAnswers":[{"questionId":"custom_1","value":"Films"}]}'
  as "$JWT" PUT "$path" '{"customAnswers":[{"questionId":"custom_1","value":""}]}'
  is "capture: an empty text takes back" 200
  as "$JWT" GET "$path/status"
  is "capture: and it is gone" 200 '"value":"Sports;Films; Series","answer":null' '{"firstName":"Jo","lastName":null}'
  control PUT publishers/123456789/capture '{"settings":[{"key":"birthDate","enabled":false,"required":true},{"key":"companyName","enabled":true,"required":false}]}'
  is "capture: settings replaced" 200
  as "$JWT" GET "$path/status"
  is "capture: nothing required is open" 200 '"shouldCaptureBeDisplayed":false,"settings":[{"key":"birthDate","enabled":false,"required":true,"answer":null},'
  as "$JWT" PUT "$path" '{"birthDate":"1990-01-31"}'
  is "capture: a disabled field is refused" 400 'Invalid param birthDate'
  control PUT publishers/123456789/capture '{"enabled":false}'
  as "$JWT" GET "$path/status"
  is "capture: switched off" 200 '"isCaptureEnabled":false'
  as "$JWT" PUT "$path" '{"companyName":"Acme"}'
  is "capture: nothing can be saved then" 400 'Invalid param companyName'
  control PUT publishers/123456789/capture '{"settings":[{"key":"shoeSize","enabled":true,"required":true}]}'
  is "capture: an unknown key is refused" 400 'unknown key'
}

test_customer() {
  register other@example.com
  register jo@example.com
  local path="/customers/$ID" long
  long=$(printf 'x%.0s' $(seq 51))
  as "$JWT" PATCH "$path" "{\"email\":\"nonsense\",\"firstName\":\"$long\",\"confirmationPassword\":\"s3cretpass\"}"
  is "customer: errors joined by commas" 400 '{"errors":["Please enter a valid e-mail address.,firstName can have max 50 characters."]}'
  as "$JWT" PATCH "$path" '{"email":"new@example.com","confirmationPassword":"wr0ngpass"}'
  is "customer: wrong confirmation" 400 '{"errors":["Invalid confirmationPassword"]}'
  as "$JWT" PATCH "$path" '{"email":"new@example.com"}'
  is "customer: missing confirmation" 400 'Invalid confirmationPassword'
  as "$JWT" PATCH "$path" '{"email":"other@example.com","confirmationPassword":"s3cretpass"}'
  is "customer: address taken" 400 '{"errors":["Customer email already exists"]}'
  as "$JWT" PATCH "$path" '{"email":7}'
  is "customer: address that is no text" 400 'Invalid param email'
  as "$JWT" PATCH "$path" '{"email":"jo@example.com","confirmationPassword":""}'
  is "customer: the same address needs no confirmation" 200
  as "$JWT" PATCH "$path" '{"email":"new@example.com","confirmationPassword":"s3cretpass"}'
  is "customer: address changed" 200 '"email":"new@example.com"'
  refresh "$REFRESH"
  is "customer: the session goes on" 200
  REFRESH=$(text refreshToken)
  control PUT settings '{"revoke_on_email_change":true}'
  as "$JWT" PATCH "$path" '{"email":"newer@example.com","confirmationPassword":"s3cretpass"}'
  refresh "$REFRESH"
  is "customer: or it ends, by a setting" 401
  as "$JWT" PATCH "$path" '{"externalData":"{\"a\":1}"}'
  is "customer: external data as text" 200 '"externalData":{"a":1}'
  as "$JWT" PATCH "$path" '{"externalData":null}'
  is "customer: external data removed" 200 '"externalData":null'
  as "$JWT" PATCH "$path" '{"externalData":"[1]"}'
  is "customer: external data that is no object" 400 'Invalid param externalData'
}

reset_token() {
  control GET outbox
  TOKEN=$(printf '%s' "$BODY" | grep -o 'resetPasswordToken=[0-9a-f]*' | tail -n 1)
  TOKEN=${TOKEN#*=}
}

test_passwords() {
  register jo@example.com
  while IFS='|' read -r name body status text; do
    call PUT /customers/passwords "$body"
    is "reset mail: $name" "$status" "$text"
  done << 'LIST'
no body||400|"errors":["Invalid request body"],"code":"REQ0001"
no address|{"publisherId":"123456789"}|400|Invalid request body
no publisher|{"customerEmail":"jo@example.com","publisherId":""}|400|"errors":["Empty param offerId or publisherId"],"code":"REQ0001"
unknown publisher|{"customerEmail":"jo@example.com","publisherId":"111111111"}|422|"errors":["Offer or publisher not found"],"code":"REQ0100"
unknown customer|{"customerEmail":"no@example.com","publisherId":"123456789"}|404|"errors":["Customer no@example.com does not exist."],"code":"USER0004"
customer of another publisher|{"customerEmail":"jo@example.com","publisherId":"987654321"}|404|USER0004
a page that is no URL|{"customerEmail":"jo@example.com","publisherId":"123456789","resetUrl":"app.example.com"}|400|"errors":["resetUrl is not valid URL."],"code":"REQ0001"
a page without a host|{"customerEmail":"jo@example.com","publisherId":"123456789","resetUrl":"https:///x"}|400|resetUrl is not valid URL.
the default page|{"customerEmail":"jo@example.com","offerId":"S123456789_NL","resetUrl":""}|200|"success":true
the page of an app|{"customerEmail":"jo@example.com","publisherId":"123456789","resetUrl":"exampletv://reset"}|200|"success":true
LIST
  control GET outbox
  is "the links" 200 '"link":"https://cleeng.com/reset-password?resetPasswordToken=' '"link":"exampletv://reset?resetPasswordToken='
  reset_token
  while IFS='|' read -r name body status text; do
    call PATCH /customers/passwords "${body/TOKEN/$TOKEN}"
    is "new password: $name" "$status" "$text"
  done << LIST
no token|{"publisherId":"123456789","customerId":$ID,"newPassword":"n3wsecret"}|400|Invalid request body
a weak one|{"publisherId":"123456789","customerId":$ID,"resetPasswordToken":"TOKEN","newPassword":"weak"}|400|"errors":["Invalid param password"],"code":"REQ0001"
an id that is text|{"publisherId":"123456789","customerId":"$ID","resetPasswordToken":"TOKEN","newPassword":"n3wsecret"}|400|Invalid param customerId
nobody named|{"publisherId":"123456789","resetPasswordToken":"TOKEN","newPassword":"n3wsecret"}|400|Invalid request body
unknown publisher|{"publisherId":"111111111","customerId":$ID,"resetPasswordToken":"TOKEN","newPassword":"n3wsecret"}|422|REQ0100
another publisher|{"publisherId":"987654321","customerId":$ID,"resetPasswordToken":"TOKEN","newPassword":"n3wsecret"}|422|resetPasswordToken is not valid
unknown address|{"publisherId":"123456789","customerEmail":"no@example.com","resetPasswordToken":"TOKEN","newPassword":"n3wsecret"}|404|USER0004
a wrong token|{"publisherId":"123456789","customerId":$ID,"resetPasswordToken":"abc","newPassword":"n3wsecret"}|422|"errors":["resetPasswordToken is not valid or has expired"]
by address|{"publisherId":"123456789","customerEmail":"jo@example.com","resetPasswordToken":"TOKEN","newPassword":"n3wsecret","newPasswordConfirmation":"n3wsecret"}|200|"success":true
the token used twice|{"publisherId":"123456789","customerId":$ID,"resetPasswordToken":"TOKEN","newPassword":"n3wsecret"}|422|resetPasswordToken is not valid
LIST
  refresh "$REFRESH"
  is "a new password leaves sessions alone" 200
  REFRESH=$(text refreshToken)
  control PUT settings '{"revoke_on_password_change":true}'
  call PUT /customers/passwords '{"customerEmail":"jo@example.com","publisherId":"123456789"}'
  reset_token
  call PATCH /customers/passwords "{\"publisherId\":\"123456789\",\"customerId\":$ID,\"resetPasswordToken\":\"$TOKEN\",\"newPassword\":\"n3wsecret\"}"
  refresh "$REFRESH"
  is "or ends them, by a setting" 401
  call PUT /customers/passwords '{"customerEmail":"jo@example.com","publisherId":"123456789"}'
  reset_token
  control PUT clock '{"offset_seconds":3601}'
  call PATCH /customers/passwords "{\"publisherId\":\"123456789\",\"customerId\":$ID,\"resetPasswordToken\":\"$TOKEN\",\"newPassword\":\"n3wsecret\"}"
  is "a reset token expires" 422 'has expired'
}
