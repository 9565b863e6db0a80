"""One case with CT and MR: fused as a volume, scored slice by slice, its lesion found again in the fused picture."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from ....core.case import Case
from ....core.errors import input_error
from ....core.staging import staged
from ....io.image_files import SUFFIXES
from ....io.nrrd import provenance_header, write_nrrd
from ....metrics.fusion import TRIVIAL, score_volume
from ....preprocessing.fusion_sources import mr_of
from ....preprocessing.load import load_whole
from ....preprocessing.rois import MODEL, SCORING, Rois, automatic_rois
from .. import Fuser, FusionCase
from .conditions import Condition
from .inputs import masks_of, misplaced, of_series
from .lesions import lesion_scores

Progress = Callable[[float], None]


def case_folders(folder: Path, series: list[str] | None = None) -> list[Path]:
    """The folder itself where it holds image files, else the folders in it, or those of these names.

    Raises InputError for a folder that is not there, that holds nothing, or a name that it does not have.
    """
    if not folder.is_dir():
        raise input_error(f"'{folder.name}' that is no folder", "a folder of pairs or cases", "correct the path")
    there = sorted(folder.iterdir())
    if any(p.is_file() and p.name.lower().endswith(SUFFIXES) for p in there):
        cases = [folder]
    else:
        cases = [p for p in there if p.is_dir() and not p.name.startswith(".")]
    if not cases:
        wanted = "MRI/ beside CT/, PET/ or SPECT/, a case, or a folder of cases"
        raise input_error(f"the folder {folder.name} with neither pairs nor cases", wanted, "correct the path")
    names = of_series([p.resolve().name for p in cases], series)
    return [p for p in cases if p.resolve().name in names]


class CaseSubject:
    """The CT and the first MR of a case folder."""

    kind = "CT-MR cases"

    def __init__(self, folder: Path, load: Callable[[Path], Case] = load_whole) -> None:
        self.folder, self.load = folder, load
        self.name = self.series = self.trained_as = folder.resolve().name

    def count_of(self, few: int) -> int:
        """The first case, of which as many slices are fused."""
        return 1

    def prepare(self, fuser: Fuser, condition: Condition) -> None:
        """Read and open it; raises InputError for a case without CT or MR."""
        case = self.load(self.folder)
        case = case.only(["CT", mr_of(case)])
        mask = case.reference_mask
        self.lesion = None if mask is None else mask.array > 0
        self.opened = fuser.open(case, automatic_rois(case, thresholds=MODEL), condition.settings)
        scoring = automatic_rois(case, thresholds=SCORING)
        # soft tissue beyond the MR's field of view has no MR to be like
        self.scoring = replace(scoring, soft=scoring.soft & self.opened.masks[3])

    def rows(self, fuser: Fuser, condition: Condition, few: int, progress: Progress) -> dict[str, dict[str, float]]:
        """Scores by method, "fused" first; a condition for few pictures sees that many axial slices."""
        sources, scoring, lesion = self.opened, self.scoring, self.lesion
        if condition.few:
            sources, scoring, lesion = _cut(self._middle(few), sources, scoring, lesion)
        given = self._given(sources, scoring, lesion, condition)
        began = time.monotonic()
        self.fused = fuser.volume(given, condition.settings, lambda share, _: progress(share)).image
        seconds = time.monotonic() - began
        others = {n: fuse(given.ct, given.mri, given.rois) for n, fuse in TRIVIAL.items() if condition.trivial}
        secondary = condition.part == "main"
        rows = score_volume(self.fused, sources.ct, sources.mri, scoring, others=others, secondary=secondary)
        for name, volume in {"fused": self.fused, **others}.items():
            rows[name] |= lesion_scores(fuser, volume, lesion, sources.grid.spacing_kji_mm)
        rows["fused"]["seconds"] = seconds
        return rows

    def save(self, folder: Path) -> None:
        """The last fused volume as folder/NAME.nrrd."""
        header = provenance_header({"case": self.name})
        with staged(folder) as place:
            write_nrrd(self.fused, self.opened.grid, place / f"{self.name}.nrrd", header)

    def close(self) -> None:
        for name in ("opened", "scoring", "lesion", "fused"):
            self.__dict__.pop(name, None)

    def _given(self, sources: FusionCase, scoring: Rois, lesion: np.ndarray | None, condition: Condition) -> FusionCase:
        """What the fusion is given: the sources, with the MR misplaced and the masks replaced."""
        place = lambda x: misplaced(x, condition, self.name, sources.spacing_mm("axial"))  # noqa: E731
        rois = masks_of(condition, sources.rois, scoring, lesion)
        masks = np.stack([rois.soft, rois.bone, rois.lesion, place(sources.masks[3])])
        return replace(sources, mri=place(sources.mri), masks=masks, rois=rois, components=OrderedDict())

    def _middle(self, count: int) -> slice:
        """The axial slices around the largest of the lesion, else of the bone and soft tissue."""
        where = self.scoring.soft | self.scoring.bone if self.lesion is None else self.lesion
        start = int(where.sum(axis=(1, 2)).argmax()) - count // 2
        start = max(0, min(start, len(where) - count))
        return slice(start, min(start + count, len(where)))


def _cut(
    where: slice, case: FusionCase, scoring: Rois, lesion: np.ndarray | None
) -> tuple[FusionCase, Rois, np.ndarray | None]:
    _, rows, columns = case.ct.shape
    grid = case.grid.cropped((where.start, 0, 0), (where.stop, rows, columns))
    cut = FusionCase(grid, case.ct[where], case.mri[where], case.masks[:, where], case.rois.at(where))
    return cut, scoring.at(where), None if lesion is None else lesion[where]
