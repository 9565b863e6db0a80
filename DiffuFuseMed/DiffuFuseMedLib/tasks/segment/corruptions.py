"""The corruptions of DiffuFuseMed's Table 3, on a Case in its own units.

The paper names them (Gaussian noise 0.1 / 0.3 / 0.5, motion blur mild / strong, intensity drift +/- 20 %, MR bias
field) and gives no more; what each one is here is written at its function. Three rules hold for all: voxels outside
a modality's field of view stay as they are; nothing falls below the modality's physical floor (PET, SPECT and MR 0,
CT -1024 HU) or the case's own minimum where that is lower; one seed draws the same for a modality whichever others
are present, and the same pattern at every severity.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from scipy.signal import fftconvolve

from ...core.case import Case
from ...core.errors import input_error
from ...core.modalities import MODALITIES, is_mr

BODY_HU = -500.0
BLUR_MM = {"mild": 6.0, "strong": 15.0}
DRIFT = 0.2
BIAS_GAIN = 1.5
BIAS_DEGREE = 3

Corruption = Callable[[Case, np.random.Generator], Case]


def corrupt(case: Case, name: str, seed: int = 0, modalities: Sequence[str] | None = None) -> Case:
    """The case with the corruption `name` of CORRUPTIONS on the given modalities (all when None).

    Deterministic in the seed. Each changed Volume says so in meta["corruption"] and the case in its notes.
    Raises InputError for a name or a modality that is not there, and for pictures in color.
    """
    if pictures := [m for m, volume in case.volumes.items() if volume.in_color]:
        given, wanted = f"{pictures[0]}, a picture in color, to corrupt as a scan", "gray images"
        raise input_error(given, wanted, "leave out --corruptions")
    if name not in CORRUPTIONS:
        raise input_error(f"the corruption {name!r}", f"one of {', '.join(CORRUPTIONS)}", "choose one of these")
    chosen = case.modalities if modalities is None else tuple(modalities)
    if absent := [m for m in chosen if m not in case.volumes]:
        raise input_error(f"modalities {', '.join(absent)}", f"some of {', '.join(case.modalities)}", "choose of these")
    changed = CORRUPTIONS[name](case, np.random.default_rng(seed)).volumes
    touched = [m for m in chosen if changed[m] is not case.volumes[m]]
    marked = {m: changed[m].with_array(changed[m].array, corruption=f"{name}, seed {seed}") for m in touched}
    notes = (*case.notes, f"{name} added to {', '.join(touched) or 'nothing'} with seed {seed}.")
    return replace(case, volumes={**case.volumes, **marked}, notes=notes)


def gaussian_noise(case: Case, rng: np.random.Generator, sigma: float) -> Case:
    """White noise of `sigma` standard deviations of the modality inside the body (CT > -500 HU, where there is CT)."""
    body = _body(case)

    def noisy(modality: str, array: np.ndarray, own: np.random.Generator) -> np.ndarray:
        inside = case.valid[modality] & body
        spread = float(array[inside].std()) if inside.any() else 0.0
        return array + sigma * spread * own.standard_normal(array.shape, dtype=np.float32)

    return _changed(case, rng, noisy)


def motion_blur(case: Case, rng: np.random.Generator, length_mm: float) -> Case:
    """Mean along a straight in-plane (j, i) line of length_mm, its angle drawn once per modality.

    Mild is 6 mm (one PET voxel), strong 15 mm. Only voxels in view enter the mean.
    """
    spacing_ji_mm = case.grid.spacing_kji_mm[1:]

    def blurred(modality: str, array: np.ndarray, own: np.random.Generator) -> np.ndarray:
        kernel = line_kernel(length_mm, own.uniform(0, np.pi), spacing_ji_mm)[None]
        valid = case.valid[modality]
        total = fftconvolve(np.where(valid, array, 0).astype(np.float64), kernel, mode="same", axes=(1, 2))
        weight = fftconvolve(valid.astype(np.float64), kernel, mode="same", axes=(1, 2))
        return total / np.where(valid, weight, 1)

    return _changed(case, rng, blurred)


def intensity_drift(case: Case, rng: np.random.Generator, amount: float = DRIFT) -> Case:
    """Times a linear ramp from 1 - amount to 1 + amount across the volume, along a direction drawn per modality.

    HU are scaled as they stand, so water stays at 0: what a wrong effective energy does to the scale.
    """

    def drifted(modality: str, array: np.ndarray, own: np.random.Generator) -> np.ndarray:
        ramp = sum(d * x for d, x in zip(own.standard_normal(3), _axes(array.shape), strict=True))
        return array * (1 + amount * ramp / np.abs(ramp).max())

    return _changed(case, rng, drifted)


def bias_field(case: Case, rng: np.random.Generator, gain: float = BIAS_GAIN) -> Case:
    """MR times exp of a random Legendre polynomial of total degree 3 (no constant) that reaches gain or 1 / gain."""
    total = np.indices((BIAS_DEGREE + 1,) * 3).sum(axis=0)

    def biased(modality: str, array: np.ndarray, own: np.random.Generator) -> np.ndarray:
        coefficients = own.uniform(-1, 1, total.shape) * ((total > 0) & (total <= BIAS_DEGREE))
        k, j, i = (along.ravel() for along in _axes(array.shape))
        field = np.polynomial.legendre.leggrid3d(k, j, i, coefficients)
        return array * np.exp(np.log(gain) * field / np.abs(field).max())

    return _changed(case, rng, biased, only=is_mr)


CORRUPTIONS: dict[str, Corruption] = {
    "gaussian noise 0.1": partial(gaussian_noise, sigma=0.1),
    "gaussian noise 0.3": partial(gaussian_noise, sigma=0.3),
    "gaussian noise 0.5": partial(gaussian_noise, sigma=0.5),
    "motion blur mild": partial(motion_blur, length_mm=BLUR_MM["mild"]),
    "motion blur strong": partial(motion_blur, length_mm=BLUR_MM["strong"]),
    "intensity drift 20 %": intensity_drift,
    "bias field (MR)": bias_field,
}


def line_kernel(length_mm: float, angle_rad: float, spacing_ji_mm: tuple[float, float]) -> np.ndarray:
    """Weights [j, i], summing to one, of a centered line at angle_rad from the i axis, spread over nearest voxels."""
    steps_mm = np.linspace(-length_mm / 2, length_mm / 2, 201)
    line = np.stack([steps_mm * np.sin(angle_rad) / spacing_ji_mm[0], steps_mm * np.cos(angle_rad) / spacing_ji_mm[1]])
    half = np.ceil(length_mm / 2 / np.asarray(spacing_ji_mm)).astype(int)
    # Floor of x + 0.5, not round: half-way points would all go to even voxels.
    cell = np.clip(np.floor(line + 0.5).astype(int) + half[:, None], 0, 2 * half[:, None])
    kernel = np.zeros(2 * half + 1)
    np.add.at(kernel, tuple(cell), 1 / steps_mm.size)
    return kernel


def _changed(case: Case, rng: np.random.Generator, change: Callable, only: Callable[[str], bool] | None = None) -> Case:
    """The case with change(modality, array, rng) inside view, for the modalities of which `only` is true, else all."""
    seeds = dict(zip(MODALITIES, rng.integers(2**63, size=len(MODALITIES)), strict=True))
    volumes = dict(case.volumes)
    for modality, volume in case.volumes.items():
        if only is None or only(modality):
            array = change(modality, volume.array, np.random.default_rng(seeds[modality]))
            array = np.maximum(array, _floor(modality, volume.array)).astype(np.float32)
            volumes[modality] = volume.with_array(np.where(case.valid[modality], array, volume.array))
    return replace(case, volumes=volumes)


def _floor(modality: str, array: np.ndarray) -> float:
    return min(MODALITIES[modality].lowest, float(array.min()))


def _body(case: Case) -> np.ndarray:
    if "CT" not in case.volumes:
        return np.ones(case.grid.shape, bool)
    return case.valid["CT"] & (case.volumes["CT"].array > BODY_HU)


def _axes(shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    """Coordinates from -1 to 1 along each axis, broadcastable."""
    return np.meshgrid(*[np.linspace(-1, 1, n) for n in shape], indexing="ij", sparse=True)
