"""DRGO of MedFusion-TransNet (3.4): its settings, and its losses on the logits of any segmenter.

Equations are numbered in their order of appearance in docs/systems/medfusion-transnet.md, which records how each was
read. Logits and targets are (B, C, *space), in two and three dimensions; one channel is lesion against the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import log

import torch
from monai.transforms.utils import distance_transform_edt
from torch import Tensor
from torch.nn import functional as F

from ..core.errors import input_error
from .batch import Batch
from .readers import readers_of
from .regions import by_region

SHARES = ("memory", "gamma")
WEIGHTS = ("frequency", "boundary", "confidence", "floor", "adaptive", "refined", "smoothing", "edge", "near_voxels")


@dataclass(frozen=True)
class Drgo:
    """Settings of Dynamic Region-Guided Optimization; raises InputError for those that make no sense.

    region: voxels along each axis of a region. sampling: whether windows follow importance; frequency, boundary,
    confidence: alpha, beta, gamma of (25), each of a factor whose mean over all regions is 1; floor: what every region
    weighs beside them; memory: share of a region's last uncertainty that the next prediction leaves. adaptive, refined:
    alpha and beta of (35). gamma: of (28), while the network knows nothing. smoothing: phi of (34); edge: weight of
    (37); near_voxels: how far from the border a pair of voxels may lie.
    """

    region: int = 8
    sampling: bool = True
    frequency: float = 1.0
    boundary: float = 1.0
    confidence: float = 1.0
    floor: float = 0.1
    memory: float = 0.5
    adaptive: float = 1.0
    gamma: float = 0.5
    refined: float = 0.5
    smoothing: float = 0.05
    edge: float = 1.0
    near_voxels: float = 3.0

    def __post_init__(self) -> None:
        wrong = [n for n in SHARES if not 0 <= getattr(self, n) <= 1] + [n for n in WEIGHTS if getattr(self, n) < 0]
        wrong += ["region"] if self.region < 1 else []
        if wrong:
            given = ", ".join(f"{name} = {getattr(self, name)}" for name in wrong)
            raise input_error(f"{given} of DRGO", "shares of 0..1, weights from 0 and regions from 1", "correct them")
        if self.sampling and self.frequency + self.boundary + self.confidence + self.floor == 0:
            raise input_error("DRGO's sampling where no region weighs anything", "one weight above 0", "set one")


def drgo(logits: Tensor, batch: Batch, settings: Drgo, gamma: float) -> dict[str, Tensor]:
    """The weighted terms that (35) adds to a segmentation loss, scalars by name; one that weighs nothing is left out.

    logits: (B, C, *space); gamma: of (28) as it stands.
    """
    logits, target = logits.float(), expected_target(batch)
    parts = {}
    if settings.adaptive:
        parts["drgo_adaptive"] = settings.adaptive * adaptive(logits, target, settings.region, gamma)
    if settings.refined:
        distance = border_distance(target)
        refinement = {
            "drgo_pairs": pairs(logits, target, distance, settings.near_voxels),
            "drgo_smooth": settings.smoothing * smoothness(logits, distance, settings.near_voxels),
            "drgo_edge": settings.edge * edge_consistency(logits, target),
        }
        parts |= {name: settings.refined * value for name, value in refinement.items()}
    return parts


def expected_target(batch: Batch) -> Tensor:
    """(B, C, *space): the target; of several annotators the mean of their masks, (B, 1, *space)."""
    if batch.references is None:
        return batch.target
    readers = readers_of(batch)
    counted = readers.counted.view(*readers.counted.shape, *[1] * (readers.masks.ndim - 2))
    return ((readers.masks * counted).sum(dim=1) / counted.sum(dim=1))[:, None]


def undecided(logits: Tensor) -> Tensor:
    """Mean entropy as a share of the most there can be, 0..1, a scalar; logits: (B, C, *space)."""
    return entropy(logits).mean() / log(max(logits.shape[1], 2))


# Adaptive loss weighting, 3.4.2


def adaptive(logits: Tensor, target: Tensor, region: int, gamma: float) -> Tensor:
    """(27): sum over regions of lambda_i L(R_i), as a mean, a scalar; L is the mean cross-entropy of a region's voxels.
    logits, target: (B, C, *space)."""
    if logits.shape[1] == 1:
        wrong = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    else:
        wrong = -(target * logits.log_softmax(dim=1)).sum(dim=1, keepdim=True)
    return (region_weights(logits, target, region, gamma) * by_region(wrong, region)).mean()


def region_weights(logits: Tensor, target: Tensor, region: int, gamma: float) -> Tensor:
    """lambda_i of (28), (B, 1, *regions), normalised by (31) to a mean of 1 over all regions of the batch. They weigh
    the loss and are not descended themselves. logits, target: (B, C, *space)."""
    uncertainty = by_region(entropy(logits.detach()), region)
    weight = gamma * uncertainty + (1 - gamma) * class_imbalance(target, region)
    return weight / weight.mean().clamp(min=1e-8)


def entropy(logits: Tensor) -> Tensor:
    """The inner sum of (24) and (29), in nats, (B, 1, *space); of one channel that of lesion and rest."""
    if logits.shape[1] == 1:
        logits = torch.cat([logits, torch.zeros_like(logits)], dim=1)
    told = logits.float().log_softmax(dim=1)
    return -(told.exp() * told).sum(dim=1, keepdim=True)


def class_imbalance(target: Tensor, region: int) -> Tensor:
    """(30): 1 / max_c f_c(R_i), (B, 1, *regions); from 1 in a region of one class to the number of classes.
    target: (B, C, *space)."""
    classes = torch.cat([target, 1 - target], dim=1) if target.shape[1] == 1 else target
    return 1 / by_region(classes, region).amax(dim=1, keepdim=True).clamp(min=1e-8)


# Boundary refinement, 3.4.3


def pairs(logits: Tensor, target: Tensor, distance: Tensor, near: float) -> Tensor:
    """(32) over neighbouring voxels near the border: mean of w_ij ((y_i - y_j) - (l_i - l_j))^2, a scalar, 0 without a
    border. w_ij = 1 / (1 + d), (33), d of the voxel of the pair that is nearer to the border.

    logits, target: (B, C, *space); distance: (B, 1, *space) in voxels.
    """
    apart, weights = logits.new_zeros(()), logits.new_zeros(())
    probability = probabilities(logits)
    for axis in range(2, logits.ndim):
        steps = [_step(x, axis) for x in (probability, target)]
        weight = _pair_weight(distance, axis, near)
        apart = apart + (weight * (steps[0] - steps[1]) ** 2).sum() / logits.shape[1]
        weights = weights + weight.sum()
    return apart / weights.clamp(min=1e-6)


def smoothness(logits: Tensor, distance: Tensor, near: float) -> Tensor:
    """(34) without phi: mean squared step of the prediction between neighbours near the border, a scalar.
    logits: (B, C, *space); distance: (B, 1, *space) in voxels."""
    steep, count = logits.new_zeros(()), logits.new_zeros(())
    probability = probabilities(logits)
    for axis in range(2, logits.ndim):
        counted = (_pair_weight(distance, axis, near) > 0).to(logits.dtype)
        steep = steep + (counted * _step(probability, axis) ** 2).sum() / logits.shape[1]
        count = count + counted.sum()
    return steep / count.clamp(min=1)


def edge_consistency(logits: Tensor, target: Tensor) -> Tensor:
    """(37): mean squared difference of the predicted edge map and that of the reference, (36), a scalar.
    logits, target: (B, C, *space)."""
    return ((edge_map(probabilities(logits)) - edge_map((target > 0.5).float())) ** 2).mean()


def edge_map(x: Tensor) -> Tensor:
    """(36): the largest step to a neighbour along any axis, (B, 1, *space): of a label map 1 on both sides of every
    border and 0 elsewhere. x: (B, C, *space) of 0..1."""
    found = []
    for axis in range(2, x.ndim):
        step = _step(x, axis).abs()
        nothing = torch.zeros_like(x.narrow(axis, 0, 1))
        found += [torch.cat(ends, dim=axis) for ends in ((step, nothing), (nothing, step))]
    return torch.stack(found).amax(dim=(0, 2))[:, None]


@torch.no_grad()
def border_distance(target: Tensor) -> Tensor:
    """dist of (33) and (38), (B, 1, *space): how many voxels each lies from the nearest of the reference's edge map;
    infinite in a window without one. target: (B, C, *space). A batch's own distance ends where the scan does."""
    border = edge_map((target > 0.5).float())[:, 0] > 0
    far = torch.as_tensor(distance_transform_edt((~border).float())).to(target)
    there = border.flatten(1).any(dim=1).view(-1, *[1] * (border.ndim - 1))
    return torch.where(there, far, torch.inf)[:, None]


def label_continuity(logits: Tensor) -> Tensor:
    """R_s of (5): mean over all pairs of neighbours of (p_i - p_j)^2, a scalar; logits: (B, C, *space)."""
    probability = probabilities(logits.float())
    steps = [_step(probability, axis) ** 2 for axis in range(2, logits.ndim)]
    return torch.stack([s.sum() for s in steps]).sum() / max(1, sum(s.numel() for s in steps))


def gradient_size(logits: Tensor) -> Tensor:
    """|grad S_hat| of (23), (B, 1, *space): of the step to the next voxel along each axis the length, of channels the
    largest. logits: (B, C, *space)."""
    probability = probabilities(logits.float())
    squares: Iterator[Tensor] = (_padded_step(probability, axis) ** 2 for axis in range(2, logits.ndim))
    return torch.stack(list(squares)).sum(dim=0).sqrt().amax(dim=1, keepdim=True)


def probabilities(logits: Tensor) -> Tensor:
    """(B, C, *space) of logits (B, C, *space)."""
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)


def _step(x: Tensor, axis: int) -> Tensor:
    """From each voxel to the next along an axis; one fewer than there are."""
    return x.narrow(axis, 1, x.shape[axis] - 1) - x.narrow(axis, 0, x.shape[axis] - 1)


def _padded_step(x: Tensor, axis: int) -> Tensor:
    return torch.cat([_step(x, axis), torch.zeros_like(x.narrow(axis, 0, 1))], dim=axis)


def _pair_weight(distance: Tensor, axis: int, near: float) -> Tensor:
    """(33) of each pair along an axis, 0 for one that lies further from the border than `near`."""
    count = distance.shape[axis] - 1
    nearer = torch.minimum(distance.narrow(axis, 0, count), distance.narrow(axis, 1, count))
    return torch.where(nearer <= near, 1 / (1 + nearer), 0.0)
