#!/bin/sh
# Runs every test program of a build folder, and the test scripts of the tools, and counts: a program that executes
# fewer tests than it has fails the run. Much of a test's time is waiting, so several run side by side.
#   run_tests.sh BUILD [--only PATTERN] [--wrap "COMMAND"] [--jobs N] [--no-scripts] [--kinds "KIND ..."]
# --only: programs whose name matches; --wrap: put in front of each program, for valgrind; --kinds: folders of tests/.
set -u

# One program or script, for the workers below: its output, status and time go into files.
if [ "$1" = --one ]; then
  logs=$2
  name=$3
  shift 3
  begun=$(date +%s)
  "$@" >"$logs/$name.log" 2>&1
  echo "$? $(($(date +%s) - begun))" >"$logs/$name.status"
  exit 0
fi

build=$1
shift
only=
wrap=
jobs=6
scripts=yes
kinds="faults e2e unit"
while [ $# -gt 0 ]; do
  case $1 in
  --only) only=$2; scripts=no; shift ;;
  --wrap) wrap=$2; shift ;;
  --jobs) jobs=$2; shift ;;
  --no-scripts) scripts=no ;;
  --kinds) kinds=$2; shift ;;
  *) echo "run_tests.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

passed=0
failed=0
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
export CMOCKA_MESSAGE_OUTPUT=STDOUT

list_programs() {
  for program in "$build/tests/$1"/test_*; do
    case ${program##*/} in '*' | test_\*) continue ;; *"$only"*) printf '%s\n' "$program" ;; esac
  done
}

# The longest first, then the rest: one line a job, name and command.
list_jobs() {
  if [ "$scripts" = yes ]; then
    echo "stand-in-service bash tests/sandbox_test/run.sh $build/identity-sandbox"
    echo "command-line-client bash tests/cli/journey.sh $build"
    echo "event-loops bash tests/loops/run.sh $build --quick"
  fi
  for kind in $kinds; do
    list_programs $kind | while IFS= read -r program; do echo "${program##*/} $wrap $program"; done
  done
}

# How it ended and what it says; a program has its count, a script ends with "N passed, N failed".
report() {
  name=$1
  ok=$2
  has=$3
  status=
  read -r status seconds <"$logs/$name.status" || true
  bad=$((has - ok))
  [ "$has" -gt 0 ] || bad=1
  [ "${status:-1}" -eq 0 ] || [ "$bad" -gt 0 ] || bad=1
  passed=$((passed + ok))
  failed=$((failed + bad))
  printf '  %-34s %4d of %4d %4s s%s\n' "$name" "$ok" "$has" "${seconds:-?}" \
    "$([ "$bad" -eq 0 ] || echo "  FAILED (exit ${status:-none})")"
  [ "$bad" -eq 0 ] || {
    grep -E '^\[ +(ERROR|LINE|FAILED) +\]|^ERROR|^not ok' "$logs/$name.log"
    grep -vE '^\[.*\]|^ok |^ERROR|^not ok' "$logs/$name.log" | tail -n 60
  } | sed 's/^/      /'
}

report_program() {
  has=$("$1" --count) || has=0
  report "${1##*/}" "$(grep -c '^\[       OK \]' "$logs/${1##*/}.log")" "$has"
}

report_script() {
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$logs/$1.log" | tail -n 1)
  ok=${line%% *}
  bad=$(printf '%s' "$line" | sed -n 's/.*, \([0-9]*\) failed/\1/p')
  report "$1" "${ok:-0}" "$((${ok:-0} + ${bad:-0}))"
}

list_jobs | xargs -r -P "$jobs" -L 1 sh "$0" --one "$logs"
for kind in $kinds; do
  echo "$kind tests"
  for program in $(list_programs $kind); do report_program "$program"; done
done
if [ "$scripts" = yes ]; then
  echo "scripts"
  report_script stand-in-service
  report_script command-line-client
  report_script event-loops
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
