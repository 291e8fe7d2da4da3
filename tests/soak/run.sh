#!/usr/bin/env bash
# No viewer is signed out who should not be: run.sh BUILD. A soak without a grace period at the service, one with a grace
# period longer than any outage, then bugs on purpose that a short soak must notice. SOAK_SEED and SOAK_HOURS choose.
set -euo pipefail
build=$1
seed=${SOAK_SEED:-$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')}
hours=${SOAK_HOURS:-24}
work=$(mktemp -d "${TMPDIR:-/tmp}/identity-soak-XXXXXX")

soak() { # WORKER NAME OPTION...
  local worker=$1 directory=$work/$2
  shift 2
  mkdir -p "$directory"
  "$build/soak/harness" "$build/identity-sandbox" "$build/soak/$worker" "$directory" "$@"
}

failed() {
  echo "soak: FAILED: $1; again with SOAK_SEED=$seed; what is left of it: $work" >&2
  exit 1
}

# The counts that must be 0, and one of them is not. A soak that ended otherwise has noticed nothing.
has_noticed() {
  grep -qE '^  SPURIOUS SIGN-OUTS [1-9]|overlapping refreshes [1-9]' "$1"
}

# A bug may need a while to show itself.
must_notice() { # BUG
  local try status
  for try in 1 2 3; do
    status=0
    SOAK_BUG=$1 soak planted "$1-$try" --hours 4 --seed $((seed + try)) >"$work/$1-$try.log" 2>&1 || status=$?
    if [ "$status" -eq 1 ] && has_noticed "$work/$1-$try.log"; then
      echo "  $1: noticed, $(grep -E 'SPURIOUS SIGN-OUTS' "$work/$1-$try.log" | tr -d '\n'),$(
        grep -oE ' overlapping refreshes [0-9]+' "$work/$1-$try.log")"
      return
    fi
    [ "$status" -le 1 ] || { cat "$work/$1-$try.log" >&2; failed "$1 gave no result"; }
  done
  failed "the bug $1 was not noticed"
}

echo "soak: $hours virtual hours, SOAK_SEED=$seed, 15-minute tokens, no grace period"
soak worker plain --hours "$hours" --seed "$seed" || failed "without a grace period"
echo "soak: the same with a grace period of 12 hours: nobody may be signed out at all"
soak worker grace --hours "$hours" --seed "$seed" --grace 43200 || failed "with a grace period"
echo "soak: bugs on purpose"
for bug in 5xx-refuses no-lease not-stored; do must_notice "$bug"; done
rm -rf "$work"
echo "soak: no viewer was signed out who should not be"
