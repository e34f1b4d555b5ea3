#!/usr/bin/env bash
# Unit tests under a sanitizer: sanitize.sh address|thread [filter ...]
# address: AddressSanitizer, LeakSanitizer, and UndefinedBehaviorSanitizer for the C sources. thread: ThreadSanitizer.
# Reports and the tests' output go to .build/asan or .build/tsan (SANITIZER_SCRATCH); any report fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?usage: sanitize.sh address|thread [filter ...]}
shift
# Optimised, for it is many times as fast; with what tests of internals need.
flags=(-c release -Xswiftc -enable-testing --build-tests --disable-default-traits)
case $kind in
    address) short=asan flags+=(--sanitize address -Xcc -fsanitize=undefined -Xcc -fno-sanitize-recover=undefined) ;;
    thread) short=tsan flags+=(--sanitize thread) ;;
    *) echo "sanitize.sh: address or thread, not $kind" >&2 && exit 2 ;;
esac
scratch=${SANITIZER_SCRATCH:-.build/$short}
flags+=(--scratch-path "$scratch")
[ $# -gt 0 ] || set -- Octant
filters=()
for name in "$@"; do filters+=(--filter "$name"); done
symbolizer=$(dirname "$(readlink -f "$(command -v swift)")")/llvm-symbolizer
symbolize=
[ ! -x "$symbolizer" ] || symbolize=":external_symbolizer_path=$symbolizer"
# Without this the runtime's handler of traps comes before the sanitizer's.
export SWIFT_BACKTRACE=enable=no

# First that it sees what it should see, and no more: a sanitizer that is blind finds nothing either.
mkdir -p "$scratch"
clang -fsanitize="$kind" -D_GNU_SOURCE -O1 -c Sources/COctantKernels/thread_sanitizer.c -o "$scratch/runtime.o"
scripts/quietly.sh "probe of the $kind sanitizer" swiftc -O -sanitize="$kind" scripts/sanitizers/Probe.swift "$scratch/runtime.o" -o "$scratch/probe"
"$scratch/probe" clean
case $kind in address) faults=(freed leak) ;; thread) faults=(race) ;; esac
for fault in "${faults[@]}"; do
    if "$scratch/probe" "$fault" >"$scratch/probe.log" 2>&1 || ! grep -q "Sanitizer" "$scratch/probe.log"; then
        echo "The $kind sanitizer does not see \`$fault\` in scripts/sanitizers/Probe.swift" >&2
        exit 1
    fi
done

scripts/quietly.sh "tests with the $kind sanitizer" swift build "${flags[@]}"
tests=$(swift build "${flags[@]}" --show-bin-path)/octantPackageTests.xctest

# What runs long by its counts alone runs fewer rounds, unless it is told how many: the code is the same in each.
export OCTANT_MODEL_OPERATIONS=${OCTANT_MODEL_OPERATIONS:-3000} OCTANT_SIM_SEEDS=${OCTANT_SIM_SEEDS:-6}
export OCTANT_BITROT=${OCTANT_BITROT:-60} OCTANT_FUZZ_RUNS=${OCTANT_FUZZ_RUNS:-5}
export OCTANT_FAIL_STRIDE=${OCTANT_FAIL_STRIDE:-1000}
case $scratch in /*) ;; *) scratch=$PWD/$scratch ;; esac
common="log_path=$scratch/report$symbolize"
suppressions=$PWD/scripts/sanitizers
export ASAN_OPTIONS="$common:detect_leaks=1:strict_string_checks=1:check_initialization_order=1:${ASAN_OPTIONS:-}"
export LSAN_OPTIONS="suppressions=$suppressions/leak.txt:print_suppressions=0:${LSAN_OPTIONS:-}"
export UBSAN_OPTIONS="print_stacktrace=1:${UBSAN_OPTIONS:-}"
export TSAN_OPTIONS="$common:suppressions=$suppressions/thread.txt:history_size=4:second_deadlock_stack=1:${TSAN_OPTIONS:-}"
rm -f "$scratch"/report.*
started=$SECONDS
status=0
"$tests" --testing-library swift-testing "${filters[@]}" >"$scratch/tests.log" 2>&1 || status=$?
grep -E '^. Test run with' "$scratch/tests.log" || tail -5 "$scratch/tests.log"
reports=$(cat "$scratch"/report.* 2>/dev/null | grep -cE '^SUMMARY: .*Sanitizer' || true)
echo "$kind sanitizer: $reports reports in $((SECONDS - started)) s"
if [ "$status" != 0 ] || [ "$reports" != 0 ]; then
    cat "$scratch"/report.* 2>/dev/null | grep -E '^SUMMARY' | sort | uniq -c | sort -rn | head -40 || true
    grep -E '^. Test .* (recorded an issue|failed)' "$scratch/tests.log" | head -20 || true
    echo "FAILED (status $status); see $scratch/report.* and $scratch/tests.log"
    exit 1
fi
