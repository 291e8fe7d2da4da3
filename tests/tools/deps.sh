#!/bin/sh
# Installs what the project needs and is not there yet: `deps.sh base` for build, demo and test, `deps.sh check BUILD`
# for the checks beyond that. Does nothing, and needs no network, when all is there. sudo only when not root.
set -eu

what=${1:-base}
build=${2:-build}
PATH=$PATH:/usr/sbin:/sbin # nginx lives there, which is not on everybody's path

have_program() { command -v "$1" >/dev/null 2>&1; }
have_library() { have_program pkg-config && pkg-config --exists "$1"; }

# One row a need: test, then the package for apt | apk | dnf | pacman | brew ('-' where the system has it).
base_needs='program gcc|gcc|gcc|gcc|gcc|gcc
program make|make|make|make|make|make
program bash|bash|bash|bash|bash|bash
program pkg-config|pkg-config|pkgconf|pkgconf-pkg-config|pkgconf|pkgconf
program curl|curl|curl|curl|curl|curl
library libcurl|libcurl4-openssl-dev|curl-dev|libcurl-devel|curl|curl
library libcjson|libcjson-dev|cjson-dev|cjson-devel|cjson|cjson
library cmocka|libcmocka-dev|cmocka-dev|libcmocka-devel|cmocka|cmocka
library libmicrohttpd|libmicrohttpd-dev|libmicrohttpd-dev|libmicrohttpd-devel|libmicrohttpd|libmicrohttpd
library openssl|libssl-dev|openssl-dev|openssl-devel|openssl|openssl@3'

check_needs='program g++|g++|g++|gcc-c++|gcc|gcc
program valgrind|valgrind|valgrind|valgrind|valgrind|valgrind
program clang-tidy|clang-tidy|clang-extra-tools|clang-tools-extra|clang|llvm
program cppcheck|cppcheck|cppcheck|cppcheck|cppcheck|cppcheck
program shellcheck|shellcheck|shellcheck|ShellCheck|shellcheck|shellcheck
program strace|strace|strace|strace|strace|-
program node|nodejs|nodejs|nodejs|nodejs|node
program npm|npm|npm|npm|npm|-
program nginx|nginx-light|nginx|nginx|nginx|nginx
library libuv|libuv1-dev|libuv-dev|libuv-devel|libuv|libuv
library glib-2.0|libglib2.0-dev|glib-dev|glib2-devel|glib2|glib'

# Where there is apt: the size of the library on another architecture is measured with Debian's packages for it.
apt_needs='program arm-linux-gnueabihf-gcc|gcc-arm-linux-gnueabihf'

manager_column() {
  if have_program apt-get; then echo 2; elif have_program apk; then echo 3; elif have_program dnf; then echo 4
  elif have_program pacman; then echo 5; elif have_program brew; then echo 6; else echo 0; fi
}

# Rows whose test fails.
missing_rows() {
  printf '%s\n' "$1" | while IFS= read -r row; do
    set -- $(printf '%s' "${row%%|*}")
    "have_$1" "$2" || printf '%s\n' "$row"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; elif have_program sudo; then sudo "$@"; else
    echo "deps: this needs root, and there is no sudo: $*" >&2
    exit 1
  fi
}

# Debian starts what it installs, and nobody has asked for a web server: this file, which is Debian's own way, says no.
apt_install() {
  policy=/usr/sbin/policy-rc.d
  [ -e "$policy" ] && policy=
  if [ -n "$policy" ]; then
    trap 'as_root rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-remove --no-install-recommends $1
  [ -z "$policy" ] || as_root rm -f "$policy"
  trap - EXIT INT TERM
}

install_packages() {
  case $1 in
  2) as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q
     apt_install "$2" ;;
  3) as_root apk add $2 ;;
  4) as_root dnf install -y $2 ;;
  5) as_root pacman -S --needed --noconfirm $2 ;;
  6) brew install $2 ;;
  esac
}

# Installs the rows of a table that are missing and looks again.
settle() {
  rows=$(missing_rows "$1")
  [ -n "$rows" ] || return 0
  column=$(manager_column)
  if [ "$column" -eq 0 ]; then
    echo "deps: no package manager known here (apt, apk, dnf, pacman, brew). Missing:" >&2
    printf '%s\n' "$rows" | cut -d'|' -f1 | sed 's/^/  /' >&2
    exit 1
  fi
  packages=$(printf '%s\n' "$rows" | cut -d'|' -f"$column" | grep -vx -- - | tr '\n' ' ')
  echo "deps: installing $packages"
  install_packages "$column" "$packages"
  rows=$(missing_rows "$1")
  [ -z "$rows" ] || {
    echo "deps: still missing after the installation:" >&2
    printf '%s\n' "$rows" | sed 's/^/  /; s/|.*//' >&2
    exit 1
  }
}

# Prism judges real traffic against the OpenAPI file; it lives in the build folder. Three of its own needs have become ES
# modules, which Debian 12's Node (18) cannot load the way Prism does: their last versions before that are taken.
settle_prism() {
  "$build/npm/node_modules/.bin/prism" --version >/dev/null 2>&1 && return 0
  echo "deps: installing @stoplight/prism-cli into $build/npm"
  mkdir -p "$build/npm"
  cat >"$build/npm/package.json" <<'JSON'
{
  "private": true,
  "dependencies": { "@stoplight/prism-cli": "5.16.0" },
  "overrides": {
    "@stoplight/prism-http": {
      "@faker-js/faker": "9.9.0",
      "http-proxy-agent": "7.0.2",
      "https-proxy-agent": "7.0.6",
      "postman-collection": { "@faker-js/faker": "5.5.3" }
    },
    "postman-collection": { "@faker-js/faker": "5.5.3" }
  }
}
JSON
  (cd "$build/npm" && npm install --no-audit --no-fund --loglevel=error)
  "$build/npm/node_modules/.bin/prism" --version >/dev/null 2>&1 || {
    echo "deps: Prism is installed but does not start; it says:" >&2
    "$build/npm/node_modules/.bin/prism" --version >&2 || true
    exit 1
  }
}

case $what in
base) settle "$base_needs" ;;
check)
  settle "$base_needs"
  settle "$check_needs"
  [ "$(manager_column)" -ne 2 ] || settle "$apt_needs"
  settle_prism
  ;;
*)
  echo "usage: deps.sh base | deps.sh check BUILD" >&2
  exit 2
  ;;
esac
echo "deps: all there"
