#!/bin/sh
# The shared library exports exactly what src/identity.map lists, that is exactly what the headers declare, and every
# global of the archive carries our prefix.
set -eu
nm=$1
shared=$2
static=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
$nm -D --defined-only "$shared" | awk '$2 ~ /[TBDR]/ {sub(/@.*/, "", $3); print $3}' | sort >"$work/exported"
sed -n 's/^ *\(identity_[a-z_]*\);$/\1/p' src/identity.map | sort >"$work/listed"
cat include/identity/*.h | tr '\n' ' ' | sed 's/\/\*\([^*]\|\*[^/]\)*\*\///g' |
  grep -oE 'IDENTITY_API [^;{]*\(' | grep -oE 'identity_[a-z_]+\(' | tr -d '(' | sort -u >"$work/declared"
diff "$work/listed" "$work/exported" || { echo "exported (>) is not what identity.map lists (<)"; exit 1; }
diff "$work/declared" "$work/listed" || { echo "identity.map (>) is not what the headers declare (<)"; exit 1; }
foreign=$($nm -g --defined-only "$static" | awk 'NF==3 && $2 ~ /[A-Z]/ {print $3}' | grep -vE '^identity_' || true)
[ -z "$foreign" ] || { echo "globals of the archive without our prefix: $foreign"; exit 1; }
echo "symbols: $(wc -l <"$work/exported") exported, as listed and declared"
