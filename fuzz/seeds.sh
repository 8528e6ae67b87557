#!/bin/sh
# Fills the corpora with the beginnings of the sample logs. Run from the repository's root.
set -eu
for target in scope jsonl csv tfevents recognise; do
    mkdir -p "fuzz/corpus/$target"
done
seed() { # target file
    head -c 3000 "$2" > "fuzz/corpus/$1/$(echo "$2" | tr / _)"
    cp "fuzz/corpus/$1/$(echo "$2" | tr / _)" fuzz/corpus/recognise/
}
find sample_logs -name '*.scope.jsonl' | while read -r file; do seed scope "$file"; done
find sample_logs -name 'metrics.jsonl' | while read -r file; do seed jsonl "$file"; done
find sample_logs -name '*.csv' | while read -r file; do seed csv "$file"; done
find sample_logs -name '*tfevents*' | while read -r file; do seed tfevents "$file"; done
sed -n '/^```jsonl$/,/^```$/p' docs/NATIVE_LOG.md | grep '^{' | split -l 1 - fuzz/corpus/scope/example.
