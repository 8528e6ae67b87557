#!/bin/sh
# Fuzzes formats for FUZZ_SECONDS each (600 if not said), FUZZ_JOBS at a time: all of the registry and the recognition, or those
# that are named. Needs `cargo install cargo-fuzz`; stable Rust will do.
#
#     FUZZ_SECONDS=60 FUZZ_JOBS=2 sh fuzz/run.sh [FORMAT…]
#
# FUZZ_SEEDS names other folders of logs to begin with than sample_logs/.
#
# Prints a line a format: executions, or where the input lies that broke it. Ends with 1 if one broke.
set -eu
cd "$(dirname "$0")"
seconds=${FUZZ_SECONDS:-600}
jobs=${FUZZ_JOBS:-2}
cargo run --quiet --release --example seeds -- ${FUZZ_SEEDS:-}
cargo fuzz build --sanitizer none 2>&1 | tail -n 1
bin=target/$(rustc -vV | sed -n 's/^host: //p')/release
if [ $# -eq 0 ]; then
    set -- recognise $(ls corpus | grep -v '^recognise$')
fi
run() {
    target=format
    [ "$1" = recognise ] && target=recognise
    mkdir -p "artifacts/$1"
    log=artifacts/$1.log
    if FORMAT=$1 "$bin/$target" "corpus/$1" -artifact_prefix="artifacts/$1/" -max_total_time="$seconds" \
        -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 >"$log" 2>&1; then
        echo "$1: $(sed -n 's/^Done \([0-9]*\) runs in \([0-9]*\).*/\1 executions in \2 s/p' "$log")"
    else
        echo "$1: BROKEN, see fuzz/$log"
        return 1
    fi
}
ended=0
running=0
for name in "$@"; do
    rm -f "artifacts/$name.log"
done
for name in "$@"; do
    run "$name" &
    running=$((running + 1))
    if [ "$running" -ge "$jobs" ]; then
        wait
        running=0
    fi
done
wait
for name in "$@"; do
    grep -q "^Done " "artifacts/$name.log" || ended=1
done
exit "$ended"
