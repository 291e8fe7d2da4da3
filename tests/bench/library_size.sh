#!/bin/bash
# Builds the library with -Os in BUILD/TARGET and prints four sizes. Of the shared library what is left after strip, as `size`
# tells it: text, data, bss. Then the text that the archive adds to embedded.c, linked with --gc-sections: the program less its
# own object, less a program that does nothing. For armhf the libraries that it is linked with come as packages from the mirror
# that this machine's own apt uses, into a folder below BUILD: nothing is installed.
#   library_size.sh BUILD native|armhf
set -euo pipefail
cd "$(dirname "$0")/../.."
unset MAKEFLAGS MFLAGS MAKEOVERRIDES # of a make that calls this

usage="usage: library_size.sh BUILD native|armhf"
target=${2:?$usage}
build=${1:?$usage}/$target
mkdir -p "$build"
build=$(cd "$build" && pwd)
sysroot=$build/sysroot
triplet=arm-linux-gnueabihf
packages=(libcurl4-openssl-dev libcjson-dev libc6-dev)

# An apt with a memory of its own: it knows of no installed package, and of no architecture but this one.
private_apt() {
  apt-get -q -o Dir::State="$build/apt/state" -o Dir::State::status="$build/apt/status" \
    -o Dir::Cache="$build/apt/cache" -o Dir::Etc::Parts=/dev/null -o APT::Architecture=armhf \
    -o APT::Architectures=armhf -o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@" >>"$build/apt/log" 2>&1
}

fetch_sysroot() {
  echo "library_size: fetching an armhf sysroot into $build" >&2
  mkdir -p "$build/apt/state/lists/partial" "$build/apt/cache/archives/partial"
  : >"$build/apt/status"
  # One index of several may be out of step on a mirror: whether the packages can be had without it shows below.
  private_apt update || echo "library_size: apt-get update was not complete" >&2
  private_apt install -y --download-only "${packages[@]}" || {
    cat "$build/apt/log" >&2
    exit 1
  }
  rm -rf "$sysroot" "$sysroot.new"
  mkdir -p "$sysroot.new"
  for package in "$build"/apt/cache/archives/*.deb; do
    dpkg -x "$package" "$sysroot.new"
  done
  mv "$sysroot.new" "$sysroot"
}

build_armhf() {
  command -v $triplet-gcc >/dev/null || {
    echo "library_size: $triplet-gcc is missing: make deps-check" >&2
    exit 1
  }
  [ -e "$sysroot/usr/lib/$triplet/libcurl.so" ] || fetch_sysroot
  PKG_CONFIG_SYSROOT_DIR=$sysroot PKG_CONFIG_LIBDIR=$sysroot/usr/lib/$triplet/pkgconfig \
    make -s B="$build/lib" CC=$triplet-gcc AR=$triplet-ar PKG_CONFIG=pkg-config CFLAGS="-Os --sysroot=$sysroot" \
    LDFLAGS="--sysroot=$sysroot" lib >"$build/make.log" 2>&1
}

build_native() {
  make -s B="$build/lib" CFLAGS="-Os" lib >"$build/make.log" 2>&1
}

compile() {
  "${prefix}gcc" "${compile_flags[@]}" -Os "$@"
}

text_of() {
  "${prefix}size" "$1" | awk 'NR == 2 { print $1 }'
}

text_added() {
  compile -Iinclude -ffunction-sections -c tests/bench/embedded.c -o "$build/embedded.o"
  compile -s -Wl,--gc-sections "$build/embedded.o" "$build/lib/libidentity.a" "${link_flags[@]}" -lcurl -lcjson -pthread \
    -o "$build/embedded"
  echo "int main(void) { return 0; }" | compile -s -x c - -o "$build/nothing"
  echo $(($(text_of "$build/embedded") - $(text_of "$build/embedded.o") - $(text_of "$build/nothing")))
}

prefix=
compile_flags=()
link_flags=()
if [ "$target" = armhf ]; then
  prefix=$triplet-
  compile_flags=(--sysroot="$sysroot")
  link_flags=("-Wl,-rpath-link,$sysroot/usr/lib/$triplet")
fi
"build_$target" || {
  cat "$build/make.log" >&2
  exit 1
}
library=$(find "$build/lib" -name 'libidentity.so.*.*.*' -type f)
"${prefix}strip" -o "$build/stripped.so" "$library"
shared=$("${prefix}size" "$build/stripped.so" | awk 'NR == 2 { print $1, $2, $3 }')
echo "$shared $(text_added)"
