"""Fit on patients that were not trained on what makes a model's numbers honest: Platt, contour width, volume errors.

Each patient's own calibration is fitted without it ("without" in model.json): predict() uses that one for it, so
coverage and calibration printed for these patients are not numbers of their own fit. With fewer modalities a model errs
otherwise: each choice of them has a calibration of its own ("given").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.errors import input_error
from ...core.grid import Grid
from ...core.modalities import title_of
from ...core.resampling import resample_smoothly
from ...metrics.calibration import BAND_MM, band
from ...models.zoo import Model, ModelRecord
from ...uncertainty import critical_widths, log_ratio_errors, smallest_width
from ...uncertainty.platt import fit
from .cross_fitted import CrossFitted
from .drawn import Drawn
from .fitted import key_of, subsets_of
from .levels import level_outlines, volume_spread
from .predict import LEVEL, draw, labels_and_uncertainty
from .settings import Settings
from .uptake_intervals import Measured, measured, uptake_errors

FEWEST = 3  # patients: each is left out once
LEAST_SCALE = 0.01  # of Platt's line, below which a network with fewer modalities tells nothing
# Of a patient's band, that Platt's line is fitted to: with 35 patients all of them take seven minutes.
MOST_VOXELS = 5000


@dataclass(frozen=True)
class Evidence:
    """What one validation patient contributes: samples (k, n) and reference (n,) of voxels of its band on the network's
    grid, the critical contour widths of its reference surface, its predicted and its drawn volume, how far that one
    reaches between two levels of the probability, and the same of its numbers in PET."""

    name: str
    samples_in_band: np.ndarray
    reference_in_band: np.ndarray
    critical: np.ndarray
    volume_ml: float
    reference_ml: float
    spread: float = 0.0
    uptake: Measured = field(default_factory=dict)


def calibrate(
    model: Model,
    cases: Sequence[Case],
    settings: Settings,
    progress: Callable[[float, str], None] | None = None,
    others: Sequence[Model] = (),
    subsets: bool = False,
) -> ModelRecord:
    """The model's record with its calibration fitted on these cases; others: networks of its recipe, each trained
    without other patients. A case is asked of the first, the model before the others, that was not trained on it.
    A case that lacks a modality takes no part, but for subsets: once more with each choice of fewer modalities, for
    cases with no others, where the network tells something by them alone.

    Raises InputError for fewer than three cases with all modalities (each is left out once, and one alone has no
    spread), for one that all were trained on, and for one without a drawn lesion or a border of it.
    """
    check_patients(len(cases))
    check_cases(cases, model.modalities)
    fitted_on = CrossFitted(model, tuple(others))
    asked = fitted_on.asked(case.name for case in cases)  # refused before minutes of drawing
    choices = [model.modalities, *(subsets_of(model.modalities) if subsets else ())]
    evidence: dict[tuple[str, ...], list[Evidence]] = {some: [] for some in choices}
    for index, case in enumerate(cases):
        for n, some in enumerate(choices):
            if progress:
                progress((index + n / len(choices)) / len(cases), f"case {index + 1} of {len(cases)}")
            if seen := _with(case, some):
                evidence[some].append(gather(seen, draw(seen, fitted_on.of(case.name), settings)))
    whole, *fewer = map(_each, evidence.values())
    given = {key_of(some): fit for some, fit in zip(choices[1:], fewer, strict=True) if _tells(fit)}
    fitted = {
        "level": LEVEL,
        "samples": settings.samples,
        **({"asked": asked} if others else {}),
        **whole,
        **({"given": given} if given else {}),
    }
    return replace(model.record, calibration=fitted)


def _with(case: Case, some: Sequence[str]) -> Case | None:
    """The case with these modalities and no others, None where it lacks one."""
    return case.only(list(some)) if set(some) <= set(case.modalities) else None


def _tells(fitted: dict[str, Any]) -> bool:
    """Whether the network's probability rises with the lesion's, with all patients and without each of them."""
    return all(fit["scale"] > LEAST_SCALE for fit in (fitted["all"], *fitted["without"].values()))


def _each(evidence: Sequence[Evidence]) -> dict[str, Any]:
    """What was fitted on all of the patients, and for each one without it what cannot be told from that."""
    return {
        "patients": [item.name for item in evidence],
        "all": fit_all(evidence),
        "without": {item.name: _probabilities([e for e in evidence if e is not item]) for item in evidence},
    }


def check_patients(count: int) -> None:
    """Raises InputError for fewer patients than a calibration, each without itself, can be fitted to."""
    if count < FEWEST:
        raise input_error(f"{count} patients", f"at least {FEWEST}", "choose a fold with more")


def check_cases(cases: Iterable[Case], modalities: Sequence[str] = ()) -> None:
    """Raises InputError for a case that cannot be calibrated on, and where fewer than can be have all the modalities;
    cases may be read one after the other."""
    whole = 0
    for case in cases:
        whole += set(modalities) <= set(case.modalities)
        check_drawn([case])
        if drawn_by_hand(case).all():
            given = f"the case {case.name} whose drawn lesion fills its image, so that it has no border"
            raise input_error(given, "one with background beside it", "correct its GTV file or leave it out")
    if whole < FEWEST:
        given = f"{whole} patients with all of {', '.join(map(title_of, modalities))}"
        raise input_error(given, f"at least {FEWEST}", "choose a fold with more of them")


def check_drawn(cases: Sequence[Case]) -> None:
    """Raises InputError for a case in which nobody drew a lesion."""
    for case in cases:
        if case.reference_mask is None or not case.reference_mask.array.any():
            raise input_error(
                f"the case {case.name} without a drawn lesion", "one to compare with", "add a GTV file or leave it out"
            )


def gather(case: Case, drawn: Drawn) -> Evidence:
    """What the samples of one patient say, within 20 mm of the reference border, at some voxels, and at it."""
    reference = on_network(case, drawn.grid)
    near = _some(band(reference, drawn.grid.spacing_kji_mm, BAND_MM))
    by_hand = drawn_by_hand(case)
    labels, uncertainty_map = labels_and_uncertainty(case, drawn)
    voxel_ml = case.grid.voxel_mm3 / 1000
    volume_ml, at_levels = float(np.count_nonzero(labels)) * voxel_ml, level_outlines(drawn, case.grid)
    return Evidence(
        case.name,
        drawn.samples[:, near],
        reference[near],
        critical_widths(by_hand, labels, uncertainty_map),
        volume_ml,
        float(np.count_nonzero(by_hand)) * voxel_ml,
        volume_spread(volume_ml, at_levels, case.grid),
        measured(case, labels, by_hand, at_levels),
    )


def _some(mask: np.ndarray) -> np.ndarray:
    """The mask, bool, with MOST_VOXELS of its voxels at most, drawn from it; the same of the same mask."""
    at = np.flatnonzero(mask)
    if at.size <= MOST_VOXELS:
        return mask
    kept = np.zeros(mask.shape, dtype=bool)
    kept.flat[np.random.default_rng(0).choice(at, MOST_VOXELS, replace=False)] = True
    return kept


def on_network(case: Case, grid: Grid) -> np.ndarray:
    """The reference lesion on the network's grid, bool."""
    return resample_smoothly(drawn_by_hand(case), case.grid, grid) > 0.5


def drawn_by_hand(case: Case) -> np.ndarray:
    """The reference lesion of a case that check_drawn() let pass, bool [k, j, i]."""
    assert case.reference_mask is not None, "a case without one was refused"
    return case.reference_mask.array > 0


def fit_all(evidence: Sequence[Evidence]) -> dict[str, Any]:
    """scale and offset (Platt), contour_width, and log-ratio errors of the volume and of the numbers in PET."""
    volumes, drawn = [e.volume_ml for e in evidence], [e.reference_ml for e in evidence]
    return {
        **_probabilities(evidence),
        "volume": log_ratio_errors(drawn, volumes, [e.spread for e in evidence]),
        "uptake": uptake_errors([e.uptake for e in evidence]),
    }


def _probabilities(evidence: Sequence[Evidence]) -> dict[str, float]:
    scale, offset = fit([e.samples_in_band for e in evidence], [e.reference_in_band for e in evidence])
    return {"scale": scale, "offset": offset, "contour_width": smallest_width([e.critical for e in evidence], LEVEL)}
