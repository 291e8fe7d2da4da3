#!/bin/bash
# Builds the shared library with -Os for armhf in BUILD/armhf and prints the sizes of what is left of it after strip, as
# `size` does: text, data, bss. The libraries it is linked with come as packages from the mirror that this machine's own apt
# uses, into a folder: nothing is installed.
#   armhf_size.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/../.."

build=${1:?usage: armhf_size.sh BUILD}/armhf
mkdir -p "$build"
build=$(cd "$build" && pwd)
sysroot=$build/sysroot
triplet=arm-linux-gnueabihf
packages="libcurl4-openssl-dev libcjson-dev libc6-dev"

command -v $triplet-gcc >/dev/null || {
  echo "armhf_size: $triplet-gcc is missing: make deps-check" >&2
  exit 1
}

# An apt with a memory of its own: it knows of no installed package, and of no architecture but this one.
private_apt() {
  apt-get -q -o Dir::State="$build/apt/state" -o Dir::State::status="$build/apt/status" \
    -o Dir::Cache="$build/apt/cache" -o Dir::Etc::Parts=/dev/null -o APT::Architecture=armhf \
    -o APT::Architectures=armhf -o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@"
}

fetch_sysroot() {
  mkdir -p "$build/apt/state/lists/partial" "$build/apt/cache/archives/partial"
  : >"$build/apt/status"
  # One index of several may be out of step on a mirror: whether the packages can be had without it shows below.
  private_apt update >"$build/apt/log" 2>&1 || echo "armhf_size: apt-get update was not complete" >&2
  # shellcheck disable=SC2086
  private_apt install -y --download-only $packages >>"$build/apt/log" 2>&1 || { cat "$build/apt/log" >&2; return 1; }
  rm -rf "$sysroot.new"
  mkdir -p "$sysroot.new"
  for package in "$build"/apt/cache/archives/*.deb; do
    dpkg -x "$package" "$sysroot.new"
  done
  rm -rf "$sysroot"
  mv "$sysroot.new" "$sysroot"
}

[ -e "$sysroot/usr/lib/$triplet/libcurl.so" ] || {
  echo "armhf_size: fetching an armhf sysroot into $build" >&2
  fetch_sysroot
}
export PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$sysroot/usr/lib/$triplet/pkgconfig
make -s B="$build/lib" CROSS_COMPILE=$triplet- PKG_CONFIG=pkg-config CFLAGS="-Os --sysroot=$sysroot" \
  LDFLAGS="--sysroot=$sysroot" lib >&2
library=$(find "$build/lib" -name 'libidentity.so.*.*.*' -type f)
$triplet-strip -o "$build/stripped.so" "$library"
$triplet-size "$build/stripped.so" | awk 'NR == 2 { print $1, $2, $3 }'
