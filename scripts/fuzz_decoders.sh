#!/usr/bin/env bash
# Runs libFuzzer over every decoder (or those named after the seconds): fuzz_decoders.sh SECONDS [decoder ...]
# What it finds that is new to the coverage goes to .build/fuzz/corpus, what ends it to .build/fuzz/crash-*.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-30}
shift || true
scratch=${FUZZ_SCRATCH:-.build/fuzz}
flags=(-c release --sanitize fuzzer --scratch-path "$scratch")
scripts/quietly.sh "decoders with coverage" swift build "${flags[@]}" --target FuzzDecoders
bin=$(swift build "${flags[@]}" --show-bin-path)
# All that was built for the decoders, without the package's executables, should they be there.
objects=()
while IFS= read -r object; do objects+=("$object"); done < <(
    find "$bin" -name '*.o' -path '*.build/*' -not -path '*-tool.build/*' -not -path "$bin/octant*.build/*" \
        -not -path "$bin/*Tests.build/*" -not -path "$bin/BenchSupport.build/*")
# The C modules behind what the decoders import: those that the build writes module maps for, and those that have their own.
modules=()
for map in "$bin"/*.build/module.modulemap; do modules+=(-Xcc "-fmodule-map-file=$map"); done
while IFS= read -r map; do modules+=(-I "$(dirname "$map")"); done < <(
    find Sources "$scratch/checkouts" -name module.modulemap -not -path '*/Tests/*' \
        \( -path '*/include/*' -o -path 'Sources/*' \))
swiftc -O -sanitize=fuzzer -parse-as-library -module-name FuzzDriver -I "$bin/Modules" "${modules[@]}" \
    Fuzz/Driver.swift "${objects[@]}" -lstdc++ -o "$scratch/fuzz-decoders"
decoders=("$@")
[ ${#decoders[@]} -gt 0 ] || while IFS= read -r name; do decoders+=("$name"); done < <(ls Fuzz/corpus)
failed=0
for decoder in "${decoders[@]}"; do
    mkdir -p "$scratch/corpus/$decoder"
    # Without this the handler for traps ends the process before libFuzzer can write the input down.
    if OCTANT_DECODER=$decoder SWIFT_BACKTRACE=enable=no "$scratch/fuzz-decoders" -max_total_time="$seconds" \
        -rss_limit_mb=512 -timeout=5 -max_len=65536 -print_final_stats=1 -verbosity=0 \
        -artifact_prefix="$scratch/crash-$decoder-" "$scratch/corpus/$decoder" "Fuzz/corpus/$decoder" \
        > "$scratch/$decoder.log" 2>&1; then
        echo "$decoder: $(grep -o 'number_of_executed_units: *[0-9]*' "$scratch/$decoder.log" | grep -o '[0-9]*$') runs"
    else
        failed=1
        echo "$decoder: FAILED, see $scratch/$decoder.log"
        tail -20 "$scratch/$decoder.log"
    fi
done
exit $failed
