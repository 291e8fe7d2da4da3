#include "base/names.h"

#include <identity/identity.h>

#include <stdbool.h>
#include <stddef.h>

enum { LONGEST = 20 }; /* with its zero byte */

static const char states[][LONGEST] = {
    [IDENTITY_STATE_SIGNED_OUT] = "signed_out",       [IDENTITY_STATE_ACTIVE] = "active",
    [IDENTITY_STATE_REFRESHING] = "refreshing",       [IDENTITY_STATE_STALE] = "stale",
    [IDENTITY_STATE_STORE_BLOCKED] = "store_blocked", [IDENTITY_STATE_REAUTH_REQUIRED] = "reauth_required",
};

static const char reasons[][LONGEST] = {
    [IDENTITY_REASON_NONE] = "none",
    [IDENTITY_REASON_NEVER_SIGNED_IN] = "never_signed_in",
    [IDENTITY_REASON_LOGOUT] = "logout",
    [IDENTITY_REASON_LOGOUT_EVERYWHERE] = "logout_everywhere",
    [IDENTITY_REASON_OTHER_PROCESS] = "other_process",
    [IDENTITY_REASON_REFUSED] = "refused",
    [IDENTITY_REASON_LOST_ROTATION] = "lost_rotation",
    [IDENTITY_REASON_STORE_LOST] = "store_lost",
    [IDENTITY_REASON_CREDENTIALS_CHANGED] = "credentials_changed",
    [IDENTITY_REASON_NO_REFRESH_TOKEN] = "no_refresh_token",
};

static const char events[][LONGEST] = {
    [IDENTITY_EVENT_STATE] = "state",
    [IDENTITY_EVENT_TOKEN_REFRESHED] = "token_refreshed",
    [IDENTITY_EVENT_REFRESH_DEFERRED] = "refresh_deferred",
    [IDENTITY_EVENT_SIGNED_IN] = "signed_in",
    [IDENTITY_EVENT_SIGNED_OUT] = "signed_out",
    [IDENTITY_EVENT_REAUTH_REQUIRED] = "reauth_required",
    [IDENTITY_EVENT_CONSENTS_PENDING] = "consents_pending",
    [IDENTITY_EVENT_EXTERNAL_CHANGE] = "external_change",
    [IDENTITY_EVENT_STORE_BLOCKED] = "store_blocked",
    [IDENTITY_EVENT_STORE_FAILED] = "store_failed",
    [IDENTITY_EVENT_STORE_RECOVERED] = "store_recovered",
    [IDENTITY_EVENT_CLOCK_SUSPECT] = "clock_suspect",
    [IDENTITY_EVENT_THROTTLED] = "throttled",
};

static const char hows[][LONGEST] = {
    [IDENTITY_HOW_NONE] = "none",         [IDENTITY_HOW_LOGIN] = "login",
    [IDENTITY_HOW_REGISTER] = "register", [IDENTITY_HOW_SSO] = "sso",
    [IDENTITY_HOW_ADOPT] = "adopt",       [IDENTITY_HOW_OTHER_PROCESS] = "other_process",
};

static const char *find(const char (*names)[LONGEST], size_t count, int32_t value) {
  bool known = value >= 0 && (size_t)value < count && names[value][0] != '\0';
  return known ? names[value] : "unknown";
}

const char *identity__state_name(int32_t state) {
  return find(states, sizeof states / sizeof states[0], state);
}

const char *identity__reason_name(int32_t reason) {
  return find(reasons, sizeof reasons / sizeof reasons[0], reason);
}

const char *identity__event_name(int32_t kind) {
  return find(events, sizeof events / sizeof events[0], kind);
}

const char *identity__how_name(int32_t how) {
  return find(hows, sizeof hows / sizeof hows[0], how);
}
