# shellcheck shell=bash
# What every script begins with: where the repository is, how a script speaks, what it cleans up.
#
#   say WORDS        a line of progress, on stderr
#   die WORDS        the same, then exit 1
#   at_exit COMMAND  runs COMMAND when the script ends, however it ends; last given runs first
#   step LOG WORDS -- COMMAND...   runs COMMAND with its output in LOG, a dot every two seconds; on
#                    failure shows the end of LOG and returns COMMAND's status
#
# REQUIRES: bash, sourced by a script of this repository.
set -euo pipefail

# shellcheck disable=SC2034
AUREN_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
# Debian's own: the tests' modules are installed for it, not for whatever is first on the PATH.
# shellcheck disable=SC2034
PYTHON=/usr/bin/python3

# shellcheck disable=SC2034
if [ -t 2 ]; then
  BOLD=$'\e[1m' DIM=$'\e[2m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
else
  BOLD='' DIM='' RED='' GREEN='' YELLOW='' PLAIN=''
fi
say() { printf '%s\n' "$*" >&2; }

die() {
  say "${RED}error:${PLAIN} $*"
  exit 1
}

AT_EXIT=()

at_exit() {
  AT_EXIT=("$*" "${AT_EXIT[@]}")
  trap run_at_exit EXIT
  # A signal becomes an orderly exit, so that the EXIT trap runs once and only once.
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

run_at_exit() {
  local status=$? command
  trap '' INT TERM HUP
  set +e
  for command in "${AT_EXIT[@]}"; do eval "$command"; done
  exit "$status"
}

step() {
  local log=$1 words=$2 pid status=0 begun=$SECONDS dotted=$SECONDS
  shift 3
  mkdir -p "$(dirname "$log")"
  printf '%s ' "$words" >&2
  "$@" >"$log" 2>&1 &
  pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - dotted >= 2)); then
      printf '.' >&2
      dotted=$SECONDS
    fi
  done
  wait "$pid" || status=$?
  if [ "$status" = 0 ]; then
    say " ${GREEN}ok${PLAIN} ${DIM}$((SECONDS - begun)) s${PLAIN}"
  else
    say " ${RED}failed${PLAIN} ${DIM}($log)${PLAIN}"
    tail -n 60 "$log" >&2
  fi
  return "$status"
}
