"""Probed: one synthetic tumor that a segmenter was tried on; ProbeRecord: all of a case, who drew and who looked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .case import Case
from .errors import InputError, input_error
from .grid import Grid

FOUND_IOU = 0.1  # of a tumor with what is called lesion on it, as in nnDetection (Baumgartner et al., MICCAI 2021)
MOSTLY = 0.5
DIAMETER_MM, CONTRAST = (5.0, 300.0), (0.05, 3.0)


@dataclass(frozen=True)
class Probed:
    """What was planned, volume and mean uptake (None without PET), and what the segmenter made of it.

    diameter_mm: of a ball as large as the tumor; contrast: 1 is that of a training patient's tumor, 0.5 has half of its
    uptake and half of the logarithm of its T1 contrast; iou: with the connected pieces called lesion that touch it;
    recall: the share of it that is called lesion; before: the share of its place that is called so without it.
    """

    diameter_mm: float
    contrast: float
    volume_ml: float
    suv_mean: float | None
    iou: float
    recall: float
    before: float
    seed: int

    @property
    def found(self) -> bool:
        return self.iou >= FOUND_IOU

    @property
    def says_little(self) -> bool:
        """Whether most of its place is called lesion without it too."""
        return self.before >= MOSTLY


@dataclass(frozen=True)
class ModelName:
    """Which model, to the bit."""

    id: str
    sha256: str


@dataclass(frozen=True)
class ProbeRecord:
    """modalities: those that the segmenter looked at; false_ml: what it calls lesion where there is no tumor, None
    where nobody looked; notes: sentences on what the tumors were drawn into, and on those that found no room."""

    case: str
    grid: Grid
    segmenter: ModelName
    synthesizer: ModelName
    modalities: tuple[str, ...]
    tumors: tuple[Probed, ...]
    notes: tuple[str, ...] = ()
    false_ml: float | None = None


def check_of(record: ProbeRecord, case: Case, by: ModelName, modalities: Sequence[str]) -> None:
    """Raises InputError for a record of another case, segmenter or other modalities than these."""
    if (record.case, record.segmenter.id) != (case.name, by.id):
        raise _another(f"{record.segmenter.id} in the case {record.case}", f"{by.id} in the case {case.name}")
    if record.segmenter != by:
        raise _another(f"other weights of {by.id}", "those that are installed")
    if set(record.modalities) != set(modalities):
        raise _another(" and ".join(record.modalities), f"{' and '.join(modalities)}, as here")
    if not record.grid.same_as(case.grid):
        raise _another("images on another grid", "the case as it was read here")


def _another(given: str, wanted: str) -> InputError:
    return input_error(f"a probe of {given}", wanted, "run diffufusemed probe as this was run")


def sensitivities(tumors: Sequence[Probed]) -> list[tuple[float, float, int, int]]:
    """(diameter, contrast, found, tried) of each kind, in the order in which they were tried."""
    kinds = dict.fromkeys((t.diameter_mm, t.contrast) for t in tumors)
    rows = []
    for diameter_mm, contrast in kinds:
        own = [t for t in tumors if (t.diameter_mm, t.contrast) == (diameter_mm, contrast)]
        rows.append((diameter_mm, contrast, sum(t.found for t in own), len(own)))
    return rows
