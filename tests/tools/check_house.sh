#!/bin/sh
# What the library must not call, and how long its files and functions may be.
set -eu
bad=0
calls=$(grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|alloca|abort|exit|printf|puts|fprintf|signal|setenv|putenv|setlocale|pthread_create|atexit|system|popen|rand|realloc|strerror_r)\(' \
  src/*/*.[ch] | grep -vE ':[0-9]+: *(/?\*|//)' || true)
[ -z "$calls" ] || { echo "calls the library must not make:"; echo "$calls"; bad=1; }
marks=$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' -r src include examples || true)
[ -z "$marks" ] || { echo "unfinished:"; echo "$marks"; bad=1; }
for file in src/*/*.[ch]; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 450 ] || { echo "$file has $lines lines"; bad=1; }
done
# A function begins at column 0 with a '{' at the end of a line and ends with a '}' at column 0.
long=$(awk 'FNR==1{start=0} /^[a-z].*\{$/ && !/^(typedef|struct|enum|static const|const|union)/{start=FNR;name=$0}
  /^}/ && start{if(FNR-start>62)print FILENAME":"start": "FNR-start" lines: "name;start=0}' src/*/*.c)
[ -z "$long" ] || { echo "functions past 60 lines:"; echo "$long"; bad=1; }
utils=$(find src examples tests -name '*util*' || true)
[ -z "$utils" ] || { echo "a room has a name: $utils"; bad=1; }
top=$(git ls-files 2>/dev/null | cut -d/ -f1 | sort -u | grep -vxE \
  'Makefile|include|src|examples|tests|pkgconfig|README\.md|LICENSE|\..*' || true)
[ -z "$top" ] || { echo "more at the top level than agreed: $top"; bad=1; }
[ "$bad" -eq 0 ] && echo "house: in order"
exit "$bad"
