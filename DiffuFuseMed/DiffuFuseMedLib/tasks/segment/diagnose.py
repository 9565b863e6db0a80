"""What a segmenter does and does not do, measured: the table that says where to push.

A part that changes nothing, samples that are one sample, a map of uncertainty that says no more than "near the border":
a Dice does not tell them. Each function takes what predict() or draw() gave for one case with a drawn lesion and
returns a row by name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ...core.case import Case
from ...core.prediction import Prediction
from ...core.triples import triple
from ...metrics.calibration import BAND_MM, band, calibration_scores
from ...metrics.detection import auroc, s_ncc
from ...metrics.overlap import overlap_scores
from ...metrics.sets import mean_pairwise_dice
from ...models.zoo import Model
from ...networks.precision import mixed_precision
from ...training.dataset import training_case
from ...training.windows import WindowSettings, draw_batch
from ...uncertainty import uncertainty_maps
from ...uncertainty.platt import apply, fit, to_logit
from .calibrate import drawn_by_hand, on_network
from .contract import options_of
from .corruptions import corrupt
from .drawn import Drawn
from .evaluate import GATING
from .fitted import calibration_for
from .predict import assemble, draw, labels_and_uncertainty, predict
from .settings import Settings

Row = dict[str, float]
STILL = WindowSettings(
    whole_scan=0.0, zoom=(1.0, 1.0), overview=0.0, rotation_degrees=(0.0, 0.0, 0.0), gain=0.0, shift=0.0, noise=0.0,
    corrupt=0.0, drop_one=0.0, drop_two=0.0,
)  # fmt: skip
SPOILT = ("gaussian noise 0.5", "motion blur strong")


@runtime_checkable
class MeasuresDenoising(Protocol):
    """A segmenter that diffuses latents and can say how well it denoises them."""

    def denoising(self, images: dict[str, Tensor], generator: torch.Generator) -> dict[str, float]:
        """By name, such as "level 0": the denoiser's squared error at prediction's first time as a share of the best
        scalar's; "level 0, without PET": that of an absent modality's latents as a share of their variance."""


def diagnose_case(case: Case, model: Model, settings: Settings) -> tuple[Row, Prediction]:
    """Everything that one case says of the model, and its prediction."""
    drawn, fitted = draw(case, model, settings), calibration_for(model.record, case.name, case.modalities)
    prediction = assemble(case, drawn, fitted)
    row = {**overlap(prediction.labels > 0, case), **doubted(prediction)}
    row |= {**spread(drawn, case), **found_errors(prediction, drawn, case)}
    alike = draw(case, model, replace(settings, looks=False))
    one_look = {**overlap(labels_and_uncertainty(case, alike)[0], case), **spread(alike, case)}
    row |= {f"{name}, one look": value for name, value in one_look.items()}
    row |= calibration(drawn, case, fitted)
    return row | denoising(case, model, settings.seed), prediction


def overlap(mask: np.ndarray, case: Case) -> Row:
    """Dice and HD95 of a mask, bool [k, j, i]."""
    scores = overlap_scores(mask, drawn_by_hand(case), case.grid.spacing_kji_mm)
    return {"Dice": scores["dice"], "HD95, mm": scores["hd95_mm"]}


def doubted(prediction: Prediction) -> Row:
    """The share of the mask whose calibrated probability is under one half."""
    mask = prediction.labels > 0
    return {"mask under p 0.5": float((prediction.probability[mask] < 0.5).mean()) if mask.any() else float("nan")}


def spread(drawn: Drawn, case: Case) -> Row:
    """Whether samples differ, in the 20 mm around the drawn border: the share of mutual information in the entropy,
    their pairwise Dice, and S_NCC (CalDiff eq. 20)."""
    reference = on_network(case, drawn.grid)
    near = band(reference, drawn.grid.spacing_kji_mm, BAND_MM)
    maps = uncertainty_maps(drawn.samples)
    entropy = float(maps["predictive_entropy"][near].sum())
    return {
        "mutual information / entropy": float(maps["mutual_information"][near].sum()) / entropy if entropy else np.nan,
        "pairwise Dice of samples": mean_pairwise_dice(list(drawn.samples > 0.5)),
        "S_NCC": s_ncc(drawn.samples, [reference], near),
    }


def found_errors(prediction: Prediction, drawn: Drawn, case: Case) -> Row:
    """AUROC of the mask's wrong voxels in the 20 mm around the drawn border, by what might tell them."""
    reference, spacing = drawn_by_hand(case), case.grid.spacing_kji_mm
    mask, near = prediction.labels > 0, band(reference, spacing, BAND_MM)
    if not mask.any() or mask.all():
        return {}
    to_border = np.maximum(*[distance_transform_edt(x, sampling=spacing) for x in (mask, ~mask)])
    tells = {
        "entropy": prediction.uncertainty["predictive_entropy"],
        "mutual information": prediction.uncertainty["mutual_information"],
        "expected error": np.abs(mask - prediction.probability),
        "raw logit": -np.abs(to_logit(prediction.probability)),
        "distance to border": -to_border,
    }
    wrong = (mask != reference)[near]
    return {f"error AUROC, {name}": auroc(np.asarray(score)[near], wrong) for name, score in tells.items()}


def calibration(drawn: Drawn, case: Case, fitted: dict[str, Any]) -> Row:
    """ECE in the band: of the samples' mean, as calibrated on other patients, and on this one itself."""
    reference = on_network(case, drawn.grid)
    near = band(reference, drawn.grid.spacing_kji_mm, BAND_MM)
    kinds = {"raw": (1.0, 0.0), "calibrated on others": (fitted["scale"], fitted["offset"])}
    kinds["calibrated on itself"] = fit([drawn.samples[:, near]], [reference[near]])
    return {
        f"ECE, {name}": calibration_scores(apply(drawn.samples, *line).mean(axis=0), reference, near)["ece"]
        for name, line in kinds.items()
    }


def denoising(case: Case, model: Model, seed: int) -> Row:
    """denoising() of the network on one window over the lesion, {} of a network that diffuses no latents; of a panel
    the first member's."""
    model = model.members[0] if model.members else model
    network = model.network
    if not isinstance(network, MeasuresDenoising):
        return {}
    window = model.record.window
    settings = replace(STILL, shape=triple(window["shape"]), spacing_kji_mm=triple(window["spacing_kji_mm"]))
    generator = torch.Generator().manual_seed(seed)
    batch = draw_batch([training_case(case, model.modalities)], 1, settings, generator)
    images = {m: x.to(model.device) for m, x in batch.images.items()}
    with torch.inference_mode(), mixed_precision(model.device):
        return {f"denoising, {name}": value for name, value in network.denoising(images, generator).items()}


def gating_gain(case: Case, model: Model, settings: Settings) -> Row:
    """Dice with gates less Dice without, one modality spoilt at a time; {} of a model without gates."""
    if GATING not in options_of(model.network):
        return {}
    made: Row = {}
    for modality in [m for m in model.modalities if m in case.volumes]:
        for kind in SPOILT:
            spoilt = corrupt(case, kind, settings.seed, [modality])
            on, off = (_dice(spoilt, case, model, replace(settings, options={GATING: x})) for x in (True, False))
            made[f"gating, {kind} in {modality}"] = on - off
    return made


def _dice(spoilt: Case, case: Case, model: Model, settings: Settings) -> float:
    mask = predict(spoilt, model, settings).labels > 0
    return overlap_scores(mask, drawn_by_hand(case), case.grid.spacing_kji_mm)["dice"]
