# shellcheck shell=bash
# The test layers: layer_NAME each, a function whose first failing command is its end.
#
#   run_layer NAME    runs it into build/log/NAME.log, adds its counts to `passed` and `failed`
#   begin_layer NAME  begins it beside the others, which come first; run_layer then waits for its end
#
# REQUIRES: common.sh, pghome.sh, cluster.sh, kafka.sh, build.sh; CLUSTER is the folder of the tests' own
# cluster.

# Libraries of the distribution are not built for ThreadSanitizer, which cannot see their locks: only
# what our code does is judged.
SANITIZER_OPTIONS=(ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1
  UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1 TSAN_OPTIONS=halt_on_error=1:ignore_noninstrumented_modules=1)

declare -A BEGUN=()

begin_layer() {
  local name=$1 log=build/log/$1.log
  mkdir -p build/log
  rm -f "$log.status"
  # shellcheck disable=SC2016
  setsid nice -n 19 bash -c 'begun=$SECONDS; status=0; script/test --run "$0" || status=$?
    echo "$((SECONDS - begun)) s"; echo $status >"build/log/$0.log.status"' "$name" >"$log" 2>&1 &
  BEGUN[$name]=$!
  at_exit "kill -- -$! 2>/dev/null || true"
}

await_layer() {
  local log=build/log/$1.log
  until [ -f "$log.status" ]; do
    kill -0 "$2" || return 1
    sleep 0.5
  done
  cat "$log"
  return "$(cat "$log.status")"
}

run_layer() {
  local name=$1 log=build/log/$1.log good bad status=0
  if [ -n "${BEGUN[$name]:-}" ]; then
    log=build/log/$1.end.log
    step "$log" "$(printf '%-11s' "$name")" -- await_layer "$name" "${BEGUN[$name]}" || status=$?
  else
    step "$log" "$(printf '%-11s' "$name")" -- script/test --run "$name" || status=$?
  fi
  read -r good bad < <(count_results "$log")
  # Something broke that no test could count, or nothing ran at all: that is a failure too.
  if [ $status != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
  if [ "$good" = 0 ] && [ "$bad" = 0 ]; then
    say "${RED}layer $name ran nothing${PLAIN}"
    bad=1
  fi
  say "            $good passed, $bad failed"
  passed=$((passed + good))
  failed=$((failed + bad))
}

# Adds up what pg_regress, prove, ctest, pytest and our own scripts report in LOG.
count_results() {
  awk '
    /^(ok|not ok) +[0-9]+ +[-+] / { if ($1 == "ok") good++; else bad++; next }     # pg_regress 16 and later
    /^test [^ ]+ +\.\.\. ok/ { good++ }                                            # pg_regress 15
    /^ +[^ ]+ +\.\.\. ok +[0-9]+ ms/ { good++ }
    /^(test| ) *[^ ]+ +\.\.\. FAILED/ { bad++ }
    /^Files=[0-9]+, Tests=[0-9]+/ { split($2, t, /[=,]/); good += t[2] }           # prove
    /^  Failed tests?: / { bad++; good-- }
    /tests passed, [0-9]+ tests failed out of/ { bad += $4; good += $NF - $4 }     # ctest
    /^=+ .*(passed|failed|error).* in [0-9.]+s/ {                                  # pytest
      for (i = 2; i <= NF; i++) {
        if ($i ~ /^passed/) good += $(i - 1)
        if ($i ~ /^(failed|error)/) bad += $(i - 1)
      }
    }
    /^[0-9]+ passed, [0-9]+ failed$/ { good += $1; bad += $3 }                     # ours
    END { print good + 0, bad + 0 }' "$1"
}

layer_lint() { script/lint; }

layer_build() {
  build_extension
  build_cmake cmake
  echo '1 passed, 0 failed'
}

# A fresh cluster of the tests' own, with the extension in it as just built.
test_cluster() {
  cluster_init "$CLUSTER"
  cluster_start "$CLUSTER" "$@"
}

layer_regress() {
  test_cluster
  pg_make installcheck ISOLATION= || { cat regression.diffs; return 1; }
}

# The same outputs when the library is preloaded.
layer_preload() {
  test_cluster -c shared_preload_libraries=auren
  pg_make installcheck ISOLATION= || { cat regression.diffs; return 1; }
}

layer_isolation() {
  test_cluster -c shared_preload_libraries=auren
  pg_make installcheck REGRESS= || { cat output_iso/regression.diffs; return 1; }
}

# Crash, restart, standby, the global order. `tap TEST...` runs some, `tap` all. These tests start servers of
# their own, which root may not, and the server's user may not be able to read the clone: they run on a copy.
tap() {
  local copy
  copy=$(place)/tap
  as_server rm -rf "$copy" 2>/dev/null || true
  rm -rf "$copy"
  mkdir -p "$copy"
  git -c safe.directory='*' ls-files -z -- Makefile extension tests sql expected docs |
    xargs -0 cp --parents -t "$copy"
  cp extension/auren--*.sql "$copy/extension/"
  if [ "$(id -u)" = 0 ]; then chown -R "$(server_user)" "$copy"; fi
  as_server make -C "$copy" --no-print-directory PG_CONFIG="$(pg_bin)/pg_config" tapcheck \
    ${1:+TAP_TESTS_OURS="$*"}
}

layer_tap() { tap; }

layer_unit() { ctest --test-dir build/cmake --output-on-failure -j"$(jobs)"; }

# AddressSanitizer and UndefinedBehaviorSanitizer over the unit tests, and the worker under them through
# the system tests that throw bad bytes at it.
layer_sanitizers() {
  build_cmake asan -DAUREN_SANITIZE=address,undefined -DCMAKE_BUILD_TYPE=Debug
  env "${SANITIZER_OPTIONS[@]}" ctest --test-dir build/asan --output-on-failure -j"$(jobs)"
  env "${SANITIZER_OPTIONS[@]}" AUREN_WORKER="$AUREN_ROOT/build/asan/auren-worker" \
    "$PYTHON" -m pytest -p no:cacheprovider tests/system/test_bad_input.py tests/system/test_payloads.py
}

layer_system() {
  kafka_fetch
  # Most of their time they wait: each of several has a server and a broker of its own.
  "$PYTHON" -m pytest -p no:cacheprovider -ra -n 3 --dist loadfile tests/system
}

# kill -9 under load, and the Kafka bridge under fire; in the long form also minutes of the global order, of
# which the tap layer has seconds.
layer_fault() {
  kafka_fetch
  "$PYTHON" -m pytest -p no:cacheprovider -ra -s tests/fault
  if [ "${AUREN_FAULT_FIRE_SECONDS:-0}" = 0 ]; then return; fi
  export AUREN_FIRE_SECONDS=$AUREN_FAULT_FIRE_SECONDS AUREN_FIRE_SEED=${AUREN_FAULT_SEED:-}
  tap tests/tap/004_global_order.pl tests/tap/012_standby_reads.pl
}

layer_demo() {
  script/demo --once
  script/demo --kafka --once
  echo '2 passed, 0 failed'
}

layer_tsan() {
  build_cmake tsan -DAUREN_SANITIZE=thread -DCMAKE_BUILD_TYPE=Debug
  env "${SANITIZER_OPTIONS[@]}" ctest --test-dir build/tsan --output-on-failure
  env "${SANITIZER_OPTIONS[@]}" AUREN_WORKER="$AUREN_ROOT/build/tsan/auren-worker" \
    "$PYTHON" -m pytest -p no:cacheprovider tests/fault
}

# Lines of core and worker that unit and system tests run together.
layer_coverage() {
  build_cmake coverage -DAUREN_COVERAGE=ON -DCMAKE_BUILD_TYPE=Debug
  find build/coverage -name '*.gcda' -delete
  ctest --test-dir build/coverage --output-on-failure -j"$(jobs)"
  AUREN_WORKER="$AUREN_ROOT/build/coverage/auren-worker" \
    "$PYTHON" -m pytest -p no:cacheprovider tests/system
  gcovr --root . --filter extension/src/core/ --filter worker/src/ --object-directory build/coverage \
    --exclude-throw-branches --print-summary --fail-under-line "$MINIMUM_COVERAGE" build/coverage
  echo '1 passed, 0 failed'
}
