#!/bin/sh
# Draws the pictures in docs/screens from the logs in this repository: sh tools/screens.sh [PROGRAM]
set -eu
cd "$(dirname "$0")/.."
program=${1:-target/release/epochscope}
draw() { # view, flags
    view=$1
    shift
    for size in 120x36 80x24 40x12; do
        "$program" frame sample_logs --no-config --now 2026-11-26T12:00:00Z --view "$view" --size "$size" --format svg \
            -o "docs/screens/$view-$size.svg" "$@"
    done
}
draw runs
draw curves --run torch-tensorboard/overfit
draw layers --run inside/healthy
draw units --run inside/nan-in-layer
draw classes --run inside/shape-groups
draw cockpit --run inside/healthy
draw alerts
draw files
