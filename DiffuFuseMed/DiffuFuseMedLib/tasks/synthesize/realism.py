"""How much synthetic tumors look like real ones, beside what costs nothing: another patient's pasted in, one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import wasserstein_distance

from ...core.case import Case
from ...core.errors import InputError
from ...core.resampling import resample_smoothly
from ...core.triples import triple
from ...core.volume import Volume
from ...metrics.tumor_appearance import Appearance, appearance
from ...models.zoo import Model
from ...systems.diff4mmlits.inpainter_slices import body_of
from ...systems.diff4mmlits.tumor_mask import TumorMask
from .synthesize import SynthesisSettings, Synthesizer

SYNTHETIC, PASTED, CONSTANT, OTHERS = "synthetic", "another patient's, pasted", "one value", "real, training patients"
JOINT = "joint"
Step = Callable[[float, str], None]


@dataclass(frozen=True)
class Looks:
    """Appearances by method, and those of the real tumors they are held against; notes: which case had no room."""

    real: list[Appearance]
    made: dict[str, list[Appearance]]
    notes: tuple[str, ...] = ()


def look_of(case: Case) -> Appearance:
    """Of the drawn lesion, which has to be there."""
    assert case.reference_mask is not None
    arrays = {m: v.array for m, v in case.volumes.items()}
    spacing = case.grid.spacing_kji_mm
    return appearance(arrays, case.valid, case.reference_mask.array > 0, body_of(case), spacing)


def looks(
    cases: Sequence[Case],
    donors: Sequence[Case],
    model: Model,
    count: int,
    settings: SynthesisSettings | None = None,
    step: Step = lambda share, what: None,
) -> Looks:
    """`count` tumors in each case by every method, at the same places; donors: patients the model was trained on."""
    settings = settings or SynthesisSettings()
    real, others = [look_of(case) for case in cases], [look_of(donor) for donor in donors]
    values = _typical(donors)
    notes: list[str] = []
    made: dict[str, list[Appearance]] = {SYNTHETIC: [], PASTED: [], CONSTANT: [], OTHERS: others}
    for number, case in enumerate(cases):
        synthesizer = Synthesizer(case, model)
        for turn in range(count):
            step((number + turn / count) / len(cases), f"case {number + 1}")
            seed = settings.seed + number * count + turn
            try:
                at = synthesizer.place(seed)
            except InputError as error:
                notes.append(f"{case.name}: {error}")
                break
            tumor = synthesizer.tumor(SynthesisSettings(seed, settings.steps, settings.anchored), at=at)
            made[SYNTHETIC].append(Appearance(**tumor.measured))
            made[CONSTANT].append(_seen(filled(case, at.mask, values), at.mask, synthesizer))
            pasted = paste(case, donors[seed % len(donors)], at, synthesizer.room.soft)
            if pasted is not None:
                made[PASTED].append(_seen(pasted[0], pasted[1], synthesizer))
    return Looks(real, made, tuple(notes))


def distances(found: Looks) -> dict[str, dict[str, float]]:
    """By method and measure: the Wasserstein distance to the real tumors in their standard deviations; JOINT: the
    energy distance of all measures together (Szekely and Rizzo 2013), each in these standard deviations."""
    real = np.stack([x.values() for x in found.real])
    spread = np.maximum(real.std(axis=0, ddof=1), 1e-9)
    table = {}
    for method, made in found.made.items():
        rows = np.stack([x.values() for x in made])
        of = dict(zip(Appearance.names(), _marginals(rows / spread, real / spread), strict=True))
        table[method] = {**of, JOINT: _energy(rows / spread, real / spread)}
    return table


def better(table: Mapping[str, Mapping[str, float]]) -> dict[str, list[str]]:
    """The measures, JOINT left out, in which the synthetic tumors are nearer to the real ones than each trivial row."""
    own = table[SYNTHETIC]
    return {t: [n for n in Appearance.names() if own[n] < table[t][n]] for t in (PASTED, CONSTANT)}


def _marginals(rows: np.ndarray, real: np.ndarray) -> list[float]:
    return [_wasserstein(rows[:, i], real[:, i]) for i in range(real.shape[1])]


def _wasserstein(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one[np.isfinite(one)], other[np.isfinite(other)]
    return float(wasserstein_distance(one, other)) if one.size and other.size else np.nan


def _energy(rows: np.ndarray, real: np.ndarray) -> float:
    rows, real = (x[np.isfinite(x).all(axis=1)] for x in (rows, real))
    if not len(rows) or not len(real):
        return np.nan
    return float(2 * cdist(rows, real).mean() - cdist(rows, rows).mean() - cdist(real, real).mean())


def _typical(donors: Sequence[Case]) -> dict[str, float]:
    """By modality: the mean over the donors of their tumors' means."""
    means: dict[str, list[float]] = {}
    for donor in donors:
        assert donor.reference_mask is not None
        tumor = donor.reference_mask.array > 0
        for m, volume in donor.volumes.items():
            means.setdefault(m, []).append(float(volume.array[tumor & donor.valid[m]].mean()))
    return {m: float(np.mean(values)) for m, values in means.items()}


def filled(case: Case, mask: np.ndarray, values: Mapping[str, float]) -> Case:
    """The case with one value a modality in the mask, bool [k, j, i]."""
    arrays = {m: np.where(mask, np.float32(values[m]), v.array) for m, v in case.volumes.items() if m in values}
    return _with(case, arrays)


def paste(case: Case, donor: Case, at: TumorMask, soft: np.ndarray) -> tuple[Case, np.ndarray] | None:
    """(case, mask): the donor's tumor as it was imaged, moved to that place; only what falls into soft tissue, bool
    [k, j, i], is pasted. None where nothing does."""
    assert donor.reference_mask is not None
    tumor = donor.reference_mask.array
    middle = np.argwhere(tumor > 0).mean(axis=0)
    shift = donor.grid.to_physical(middle[::-1]) - case.grid.to_physical(np.array(at.center_kji[::-1], dtype=float))
    origin = np.array(case.grid.origin) + shift
    moved = replace(case.grid, origin=triple(float(x) for x in origin))
    mask = (resample_smoothly(tumor > 0, donor.grid, moved) > 0.5) & soft
    if not mask.any():
        return None
    there = {
        m: resample_smoothly(donor.volumes[m].array, donor.grid, moved) for m in case.volumes if m in donor.volumes
    }
    return _with(case, {m: np.where(mask, x, case.volumes[m].array) for m, x in there.items()}), mask


def _with(case: Case, arrays: Mapping[str, np.ndarray]) -> Case:
    volumes: dict[str, Volume] = {m: case.volumes[m].with_array(a.astype(np.float32)) for m, a in arrays.items()}
    return Case(case.name, case.grid, case.reference, {**case.volumes, **volumes}, case.valid)


def _seen(case: Case, mask: np.ndarray, synthesizer: Synthesizer) -> Appearance:
    arrays = {m: v.array for m, v in case.volumes.items()}
    return appearance(arrays, case.valid, mask, synthesizer.body, case.grid.spacing_kji_mm)
