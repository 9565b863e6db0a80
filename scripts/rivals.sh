#!/usr/bin/env bash
# CalDiff's Tables I and II on one collection: CalDiff, what is left of it without its parts, and what it is compared
# with, each trained from scratch for the same minutes of one core, then scored by 16 samples on fold 0.
# Usage: scripts/rivals.sh lidc|sts CASES OUT [MINUTES [AT_ONCE]]. What is done is not done again. sts: simulated readers.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

collection=$1 cases=$2 out=$3 minutes=${4:-10} at_once=${5:-2}
export OMP_NUM_THREADS=1
readers=()
[ "$collection" = lidc ] || readers=(--simulated-readers 4)

train() {
    local recipe=$collection-$1 into=$out/$2
    [ ! -e "$into/$recipe.trained" ] || return 0
    .venv/bin/diffufusemed train "$cases" --recipe "$recipe" --minutes "$minutes" --out "$into" --device cpu &&
        touch "$into/$recipe.trained"  # xargs' shells do not stop at an error by themselves
}

export -f train
export collection cases out minutes
{
    echo caldiff ours
    for rival in caldiff-plain prob-unet phiseg dropout ensemble diffufusemed; do echo "$rival" others; done
    for part in no-step-uc no-seq-uc s3 s4; do echo "caldiff-$part" others; done
} | xargs -P "$at_once" -L 1 bash -c 'train "$0" "$1"'

.venv/bin/diffufusemed evaluate "$cases" --fold 0 --raters "${readers[@]}" --samples 16 --device cpu \
    --model "$out/ours/$collection-caldiff" --ablations "$out/others" \
    --csv "$out/raters.csv" --markdown "$out/raters.md"
