#!/usr/bin/env bash
# Table 2 of the paper at a small budget: the network, what is left of it without one part, and the plain SegResNet,
# each trained from scratch for the same minutes with each of two seeds, then evaluated on fold 0.
# Usage: scripts/ablations.sh CASES OUT [MINUTES]; one CPU core each, two networks at a time. What is done is not done again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cases=$1 out=$2 minutes=${3:-10}
export OMP_NUM_THREADS=1
variants="sts-diffufusemed-whole sts-diffufusemed-no-diffusion sts-segresnet sts-diffufusemed-no-gating
    sts-diffufusemed-no-time sts-diffufusemed-no-alignment"

train() {
    local variant=$1 seed=$2 into=$out/seed-$2
    [ ! -e "$into/$variant.trained" ] || return 0
    .venv/bin/diffufusemed train "$cases" --recipe "$variant" --seed "$seed" --minutes "$minutes" --out "$into" --device cpu &&
        touch "$into/$variant.trained"  # xargs' shells do not stop at an error by themselves
}

export -f train
export cases out minutes
for variant in $variants; do
    for seed in 0 1; do echo "$variant $seed"; done
done | xargs -P 2 -L 1 bash -c 'train "$0" "$1"'

for seed in 0 1; do
    .venv/bin/diffufusemed evaluate "$cases" --fold 0 --ablations "$out/seed-$seed" --samples 4 --device cpu \
        --csv "$out/seed-$seed.csv" --markdown "$out/seed-$seed.md"
done
