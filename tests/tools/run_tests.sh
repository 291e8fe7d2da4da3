#!/bin/sh
# Runs every test program of a build folder, and the test scripts of the tools, and counts: a program that executes
# fewer tests than it has fails the run. Options: --only PATTERN (programs whose name matches), --wrap "COMMAND" (put
# in front of each program, for valgrind), --no-scripts.
set -u

build=$1
shift
only=
wrap=
scripts=yes
while [ $# -gt 0 ]; do
  case $1 in
  --only) only=$2; shift ;;
  --wrap) wrap=$2; shift ;;
  --no-scripts) scripts=no ;;
  *) echo "run_tests.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

passed=0
failed=0
logs=$(mktemp -d)
log=$logs/program
trap 'rm -rf "$logs"' EXIT
export CMOCKA_MESSAGE_OUTPUT=STDOUT

count_lines() { grep -c "$1" "$log"; }

run_program() {
  program=$1
  has=$("$program" --count) || has=0
  # shellcheck disable=SC2086 # the wrapper is a command with its options
  $wrap "$program" >"$log" 2>&1
  status=$?
  ok=$(count_lines '^\[       OK \]')
  bad=$((has - ok))
  [ "$has" -gt 0 ] || bad=1
  passed=$((passed + ok))
  if [ "$status" -eq 0 ] && [ "$bad" -eq 0 ]; then
    printf '  %-34s %3d of %3d\n' "${program##*/}" "$ok" "$has"
    return
  fi
  [ "$bad" -gt 0 ] || bad=1
  failed=$((failed + bad))
  printf '  %-34s %3d of %3d  FAILED (exit %d)\n' "${program##*/}" "$ok" "$has" "$status"
  grep -vE '^\[( RUN      |       OK )\]' "$log" | sed 's/^/      /'
}

# Scripts end with "N passed, N failed". They run beside the programs, each with a log of its own.
begin_script() {
  name=$1
  shift
  ("$@" >"$logs/$name.log" 2>&1; echo $? >"$logs/$name.status") &
}

end_script() {
  name=$1
  while [ ! -s "$logs/$name.status" ]; do sleep 0.1; done
  status=$(cat "$logs/$name.status")
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$logs/$name.log" | tail -n 1)
  ok=$(printf '%s' "$line" | sed -n 's/ passed.*//p')
  bad=$(printf '%s' "$line" | sed -n 's/.*, \([0-9]*\) failed/\1/p')
  : "${ok:=0}" "${bad:=1}"
  [ "$ok" -gt 0 ] || bad=$((bad + 1))
  [ "$status" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  passed=$((passed + ok))
  failed=$((failed + bad))
  printf '  %-34s %3d of %3d%s\n' "$name" "$ok" "$((ok + bad))" "$([ "$bad" -eq 0 ] || echo "  FAILED (exit $status)")"
  [ "$bad" -eq 0 ] || tail -n 60 "$logs/$name.log" | sed 's/^/      /'
}

[ -z "$only" ] || scripts=no
if [ "$scripts" = yes ]; then
  begin_script stand-in-service bash tests/sandbox_test/run.sh "$build/identity-sandbox"
fi

for kind in unit e2e; do
  echo "$kind tests"
  for program in "$build/tests/$kind"/test_*; do
    case $program in *.d | *.o | *'*') continue ;; esac
    case ${program##*/} in *"$only"*) run_program "$program" ;; esac
  done
done

if [ "$scripts" = yes ]; then
  echo "scripts"
  end_script stand-in-service
  begin_script command-line-client bash tests/cli/journey.sh "$build"
  end_script command-line-client
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
