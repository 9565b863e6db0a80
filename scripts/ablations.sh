#!/usr/bin/env bash
# Table 2 of the paper at a small budget: the network, what is left of it without one part, and the plain SegResNet,
# each trained from scratch for the same minutes with each of two seeds, then evaluated on fold 0.
# Usage: scripts/ablations.sh CASES OUT [MINUTES]; one CPU core each, two networks at a time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

cases=$1 out=$2 minutes=${3:-10}
export OMP_NUM_THREADS=1
variants="sts-diffufusemed-whole sts-diffufusemed-no-diffusion sts-diffufusemed-no-gating sts-diffufusemed-no-alignment
    sts-diffufusemed-no-time sts-segresnet"

train() {
    .venv/bin/diffufusemed train "$cases" --recipe "$2" --seed "$1" --minutes "$minutes" --out "$out/seed-$1" --device cpu
}

export -f train
export cases out minutes
for seed in 0 1; do
    for variant in $variants; do echo "$seed $variant"; done
done | xargs -P 2 -L 1 bash -c 'train "$0" "$1"'

for seed in 0 1; do
    .venv/bin/diffufusemed evaluate "$cases" --fold 0 --ablations "$out/seed-$seed" --samples 4 --device cpu \
        --csv "$out/seed-$seed.csv" --markdown "$out/seed-$seed.md"
done
