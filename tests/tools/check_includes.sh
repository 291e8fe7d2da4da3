#!/bin/sh
# The rooms of src/ and which rooms each may include; an arrow that points elsewhere fails. Also: cJSON in one file,
# libcurl in one room, and no circle.
set -eu
allowed='base:
wire:base
token:base
store:base
transport:base
call:token wire base
drive:call token wire transport store base
api:drive call token wire base'

bad=0
files=0
for file in src/*/*.[ch]; do
  room=${file#src/}
  room=${room%%/*}
  files=$((files + 1))
  may=$(printf '%s\n' "$allowed" | sed -n "s/^$room://p")
  printf '%s\n' "$allowed" | grep -q "^$room:" || { echo "$file: no such room in the plan"; bad=1; }
  for target in $(sed -n 's/^ *# *include *"\([a-z_]*\)\/.*/\1/p' "$file"); do
    [ "$target" = "$room" ] && continue
    case " $may " in *" $target "*) ;; *) echo "$file includes $target/: $room may only include: $may"; bad=1 ;; esac
  done
done

json=$(grep -lE '# *include *[<"](cjson/)?cJSON\.h' src/*/*.[ch] || true)
[ "$json" = src/wire/json.c ] || { echo "cJSON is included by: $json"; bad=1; }
curl=$(grep -lE '# *include *<curl/' src/*/*.[ch] | grep -v '^src/transport/' || true)
[ -z "$curl" ] || { echo "libcurl outside its room: $curl"; bad=1; }
pure=$(grep -nE '# *include *<(sys/socket|netinet|pthread|time|unistd|fcntl|curl|stdatomic|signal)' \
  src/wire/*.[ch] src/token/*.[ch] src/call/*.[ch] || true)
[ -z "$pure" ] || { echo "I/O, clocks or threads in a pure room: $pure"; bad=1; }
[ "$bad" -eq 0 ] && echo "includes: $files files, every arrow points down"
exit "$bad"
