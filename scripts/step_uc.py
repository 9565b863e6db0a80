"""What keeps CalDiff's Step-UC from collapse: the divergence (14) of right and wrong masks, by the anchor's weight.

Usage: python scripts/step_uc.py CASES [STEPS]. CASES: of scripts/lidc_cases.py. The two nets alone are trained on
windows of the recipe lidc-caldiff, the mask that is predicted being a reader's, shifted by up to two pixels; printed is
how far the readers' normals are from those of a mask, in nats, finest level first. 2,000 steps take 75 s a weight.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from DiffuFuseMedLib.io.split import read_split
from DiffuFuseMedLib.losses import Batch, kl_of_normals, readers_of
from DiffuFuseMedLib.networks.inputs import stacked
from DiffuFuseMedLib.systems import build
from DiffuFuseMedLib.systems.caldiff.network import CalDiff
from DiffuFuseMedLib.systems.caldiff.pyramid import Normals, anchor, hierarchical_kl, of_all_readers
from DiffuFuseMedLib.systems.caldiff.recipe import LIDC
from DiffuFuseMedLib.tasks.segment.train import stage_of, training_cases
from torch import Tensor

WEIGHTS, BATCHES, LARGEST_SHIFT, FAR = (0.0, 1.0, 10.0, 100.0), 40, 2, 6


def of_masks(network: CalDiff, batch: Batch) -> list[Normals]:
    """The Modeling Net's, of every reader by itself."""
    masks = readers_of(batch).masks
    shown = stacked(batch.images, network.config.modalities).repeat_interleave(masks.shape[1], dim=0)
    return network.modeling(readers_of(batch).each(), shown)


def train(network: CalDiff, batches: list[Batch], steps: int, weight: float) -> None:
    generator = torch.Generator().manual_seed(0)
    nets = (network.modeling, network.calibrating, network.masks_told)
    optimizer = torch.optim.AdamW([p for net in nets for p in net.parameters()], LIDC.learning_rate, weight_decay=0)
    for step in range(steps):
        batch = batches[step % len(batches)]
        readers, own = readers_of(batch), of_masks(network, batch)
        shift = int(torch.randint(-LARGEST_SHIFT, LARGEST_SHIFT + 1, (1,), generator=generator))
        seen = stacked(batch.images, network.config.modalities)
        prior = network.calibrating(torch.roll(readers.one(generator), shift, -1), seen)
        told = network.masks_told([level.sample(generator) for level in own])
        loss = hierarchical_kl(of_all_readers(own, readers.counted), prior)
        loss = loss + weight * anchor(told, readers.each(), readers.counted, network.config.pyramid_stride)
        optimizer.zero_grad()
        (LIDC.config.gamma * loss).backward()
        optimizer.step()


@torch.no_grad()
def apart(network: CalDiff, batch: Batch, mask: Tensor) -> str:
    """D_KL of each level, summed over its positions."""
    posterior = of_all_readers(of_masks(network, batch), readers_of(batch).counted)
    prior = network.calibrating(mask, stacked(batch.images, network.config.modalities))
    found = [
        kl_of_normals(m.mean, 2 * m.log_deviation, c.mean, 2 * c.log_deviation).flatten(1).sum(1).mean().item()
        for m, c in zip(posterior, prior, strict=True)
    ]
    return ", ".join(f"{nats:.2f}" for nats in found)


def main() -> None:
    folder, steps = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    cases = training_cases(LIDC, folder, read_split(folder / "split.json"))
    sampler = stage_of(LIDC, build(LIDC.system, LIDC.config), cases).sampler
    generator = torch.Generator().manual_seed(0)
    batches, last = [sampler(generator) for _ in range(BATCHES)], sampler(torch.Generator().manual_seed(5))
    one = readers_of(last).masks[:, :1]
    shown = {"a reader's": one, "empty": 0 * one, "shifted": one.roll(FAR, -1), "another nodule's": one.roll(1, 0)}
    _tell(["anchor", *shown])
    for weight in WEIGHTS:
        torch.manual_seed(0)
        network = build(LIDC.system, LIDC.config)
        train(network, batches, steps, weight)
        _tell([f"{weight:g}", *(apart(network, last, mask) for mask in shown.values())])


def _tell(cells: list[str]) -> None:
    sys.stdout.write(" | ".join(cells) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
