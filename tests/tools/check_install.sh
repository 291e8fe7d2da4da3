#!/bin/sh
# Installs into a folder of its own and builds a consumer with pkg-config, against the shared library and against the
# archive, as C and as C++; then takes everything off again. Before that: what cannot be done is said before anything is
# compiled, and what is installed needs no package of the stand-in service.
set -eu
cc=$1
build=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# refused TEXT ARGUMENT...: make fails, says the text, and has compiled nothing.
refused() {
  text=$1
  shift
  said=$(make --no-print-directory B="$work/none" "$@" 2>/dev/null) && { echo "make $* was not refused"; exit 1; }
  case $said in *"$text"*) ;; *) echo "make $* said '$said', not '$text'"; exit 1 ;; esac
  [ -z "$(find "$work/none" -name '*.o' 2>/dev/null)" ] || { echo "make $* compiled before it said '$text'"; exit 1; }
}
refused "PREFIX=out: must be" install PREFIX=out DESTDIR="$work/root"
refused "PREFIX=/a place: must be" install "PREFIX=/a place" DESTDIR="$work/root"
refused "pkg-config is missing" lib PKG_CONFIG="$work/no/pkg-config"
refused "libcurl is missing" lib PKG_CONFIG="env PKG_CONFIG_LIBDIR=$work/no pkg-config"
refused "libmicrohttpd is missing" all PKG_CONFIG="env PKG_CONFIG_LIBDIR=$work/no pkg-config"
if make -n --no-print-directory B="$work/none" install PREFIX=/usr DESTDIR="$work/root" | grep -E 'libmicrohttpd|openssl'; then
  echo "what is installed needs no package of the stand-in service"
  exit 1
fi
echo "install: what is missing or wrong is named first"

make --no-print-directory B="$build" install PREFIX=/usr DESTDIR="$work/root" >/dev/null
cat >"$work/consumer.c" <<'C'
#include <identity/identity.h>
#include <identity/server.h>
#include <stdio.h>

int main(void) {
  identity_config *config = identity_config_new("123456789");
  identity_session *session = NULL;
  identity_error error;
  identity_config_set_environment(config, IDENTITY_SANDBOX);
  if (identity_session_open(config, "viewer-1", &session, &error) != IDENTITY_OK) {
    fprintf(stderr, "%s\n", error.message);
    return 1;
  }
  const identity_state *state = NULL;
  if (identity_session_state(session, &state, &error) != IDENTITY_OK)
    return 1;
  printf("%s %s\n", identity_version(), state->state_name);
  identity_state_free(state);
  identity_session_close(session);
  identity_config_free(config);
  return 0;
}
C
PKG_CONFIG_PATH=$work/root/usr/lib/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$work/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
ours=$(pkg-config --cflags --libs libidentity)
unset PKG_CONFIG_SYSROOT_DIR
theirs=$(pkg-config --libs libcurl libcjson)
expected="$(pkg-config --modversion libidentity) signed_out"

try() {
  name=$1
  shift
  "$@" -o "$work/$name"
  said=$(LD_LIBRARY_PATH=$work/root/usr/lib "$work/$name")
  [ "$said" = "$expected" ] || { echo "$name said '$said', not '$expected'"; exit 1; }
  echo "install: $name consumer runs"
}
# shellcheck disable=SC2086
try shared $cc -Wall -Werror "$work/consumer.c" $ours
# shellcheck disable=SC2086
try static $cc -Wall -Werror "$work/consumer.c" -I"$work/root/usr/include" "$work/root/usr/lib/libidentity.a" $theirs -pthread
# shellcheck disable=SC2086
try cplusplus g++ -x c++ -std=c++11 -Wall -Werror "$work/consumer.c" -x none $ours
LD_LIBRARY_PATH=$work/root/usr/lib "$work/root/usr/bin/identity-cli" --version >/dev/null
make --no-print-directory B="$build" uninstall PREFIX=/usr DESTDIR="$work/root" >/dev/null
left=$(find "$work/root" ! -type d)
[ -z "$left" ] || { echo "left behind by uninstall: $left"; exit 1; }
echo "install: uninstall leaves nothing"
