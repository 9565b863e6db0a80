"""One registered pair of 8-bit pictures: fused, scored, saved. A pixel counts as 1 mm: the files do not say."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

import numpy as np

from ....io.picture_pairs import PictureFiles, PicturePair, list_pairs, read_pair, recolored, write_picture
from ....metrics.fusion import TRIVIAL, score_pair, score_tracer_pair
from ....preprocessing.rois import MODEL, SCORING, SCORING_UPTAKE, Rois, picture_rois, tracer_rois
from .. import Fuser
from .conditions import Condition
from .inputs import masks_of, misplaced, of_series

SPACING_MM = (1.0, 1.0)
COLOR = "color"  # where --save puts recolored pictures
Progress = Callable[[float], None]


def picture_subjects(folder: Path, series: list[str] | None = None) -> list[PictureSubject]:
    """Every pair of the folder, or of these series. Raises InputError as data.pairs does."""
    pairs = list_pairs(folder)
    wanted = of_series([pair.series for pair in pairs], series)
    several = len({pair.kind for pair in pairs}) > 1
    return [PictureSubject(pair, f"{pair.kind}/" if several else "") for pair in pairs if pair.series in wanted]


class PictureSubject:
    """place: what stands before the name of a saved picture, with several kinds of pairs in one folder."""

    def __init__(self, files: PictureFiles, place: str = "") -> None:
        self.files, self.place = files, place
        self.name, self.series, self.kind = files.name, files.series, f"{files.kind}-MRI"
        self.trained_as = f"{self.kind} {self.series}"

    @cached_property
    def pair(self) -> PicturePair:
        return read_pair(self.files)

    @cached_property
    def scoring(self) -> Rois:
        if self.files.tracer:
            return tracer_rois(self.pair.other, self.pair.mri, SCORING_UPTAKE)
        return picture_rois(self.pair.other, self.pair.mri, SCORING)

    def count_of(self, few: int) -> int:
        return few

    def prepare(self, fuser: Fuser, condition: Condition) -> None:
        """Read it; raises InputError for what cannot be scored."""
        _ = self.scoring

    def rows(self, fuser: Fuser, condition: Condition, few: int, progress: Progress) -> dict[str, dict[str, float]]:
        """Scores by method, "fused" first."""
        other = self.pair.other
        mri = misplaced(self.pair.mri, condition, self.name, SPACING_MM)
        rois = masks_of(condition, self._model_rois(mri), self.scoring)
        began = time.monotonic()
        fused = fuser.picture(other, mri, rois, condition.settings, self.files.tracer).image
        seconds = time.monotonic() - began
        pictures = {"fused": fused}
        if condition.trivial:
            pictures |= {name: fuse(other, mri, rois) for name, fuse in TRIVIAL.items()}
        rows = {name: self._scores(picture) for name, picture in pictures.items()}
        rows["fused"]["seconds"] = seconds
        self.fused = fused
        return rows

    def save(self, folder: Path) -> None:
        """The last picture as folder/NAME.png, gray; a color tracer's chroma over it as folder/color/NAME.png."""
        write_picture(self.fused, folder / f"{self.place}{self.name}.png")
        if self.files.tracer and self.pair.color is not None:
            colored = recolored(self.fused, self.pair.color)
            write_picture(colored, folder / COLOR / f"{self.place}{self.name}.png")

    def close(self) -> None:
        """Forget the pictures: a folder may hold thousands."""
        for name in ("pair", "scoring", "fused"):
            self.__dict__.pop(name, None)

    def _model_rois(self, mri: np.ndarray) -> Rois:
        return tracer_rois(self.pair.other, mri) if self.files.tracer else picture_rois(self.pair.other, mri, MODEL)

    def _scores(self, fused: np.ndarray) -> dict[str, float]:
        score = score_tracer_pair if self.files.tracer else score_pair
        gray, other, mri = (255.0 * np.clip(x, 0, 1) for x in (fused, self.pair.other, self.pair.mri))
        return score(gray, other, mri, self.scoring)
