"""Exports: what leaves the session as a file of its own, each with its provenance.

What a file needs is taken off scene and view state at once, on the host's thread; it is written on any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..core.agreement import Agreement
from ..core.errors import input_error
from ..core.fused import FusedVolume
from ..core.fusion import Fusion, Judgement, border_words
from ..core.fusion_settings import FusionSettings
from ..core.prediction import Prediction
from ..core.presets import Preset
from ..core.probed import ProbeRecord
from ..core.staging import staged
from ..engine.client.engine import EngineError
from ..io.dicom.drawn_by import DrawnBy
from ..io.dicom.rtstruct_writer import write_rtstruct
from ..io.dicom.seg_writer import write_dicom_seg
from ..io.dicom.source_series import SourceSeries, files_of
from ..io.export.fusion import flat
from ..io.export.nifti import write_nifti_mask
from ..io.nrrd import PREFIX, provenance_header, write_nrrd
from ..io.seg_nrrd import LESION, write_segments
from ..mrml import volumes
from ..mrml.nodes import provenance
from ..preprocessing.fusion_sources import mr_of, why_no_fusion
from ..preprocessing.quality import quality_report
from ..review import Review
from .annotators import Annotators
from .context import SessionContext
from .lesion import Lesion
from .numbers import quantified
from .review import ReviewLogic

Write = Callable[[], None]  # touches neither scene nor view state, so any thread may call it
TIMINGS = "timings_s"
UNFINISHED = "The fused image was not finished when this report was made, so it is not in it."


class Exports:
    """preset(): the one that the sliders are at, None where a hand moved them; probed(prediction): the synthetic tumors
    that its model was tried on, None for none."""

    def __init__(
        self,
        context: SessionContext,
        lesion: Lesion,
        review: ReviewLogic,
        preset: Callable[[], Preset | None],
        annotators: Annotators,
        probed: Callable[[Prediction], ProbeRecord | None],
    ) -> None:
        self._context, self._lesion, self._review, self._preset = context, lesion, review, preset
        self._annotators, self._probed = annotators, probed

    def writer(self, kind: str, path: Path) -> Write:
        """What writes one file of a kind. Raises InputError where this case has nothing of that kind."""
        takers = {
            "seg.nrrd": self._seg_nrrd,
            "nii.gz": self._nifti,
            "seg.dcm": lambda path: self._dicom(write_dicom_seg, path),
            "rtstruct.dcm": lambda path: self._dicom(write_rtstruct, path),
            "fused.nrrd": self._fused,
            "report.html": self._report_page,
        }
        return takers[kind](path)

    def _mask(self) -> np.ndarray:
        mask = self._lesion.mask()
        if mask is None:
            raise input_error("a case without a segmentation", "a lesion to export", "run the segmentation first")
        return mask

    def _seg_nrrd(self, path: Path) -> Write:
        context, lesion = self._context, self._mask()
        header = {**provenance_header(flat(self._lesion.provenance())), PREFIX + "source": context.opened.reference}
        grid = context.opened.grid
        return _staged(path, lambda there: write_segments({LESION: lesion}, grid, there, header))

    def _nifti(self, path: Path) -> Write:
        lesion, grid = self._mask(), self._context.opened.grid
        return _staged(path, lambda there: write_nifti_mask(lesion, grid, there))

    def _dicom(self, writer: Callable[[np.ndarray, SourceSeries, Path, DrawnBy], None], path: Path) -> Write:
        """Beside the series that the case's grid is of."""
        lesion, case = self._mask(), self._context.opened
        files, drawn_by = files_of(case), DrawnBy.of(self._lesion.provenance(), self._lesion.origin == "corrected")

        def write(there: Path) -> None:
            series = SourceSeries.read(files)
            writer(series.mask(lesion, case.grid), series, there, drawn_by)

        return _staged(path, write)

    def _fused(self, path: Path) -> Write:
        context = self._context
        if "fused" not in context.nodes or context.view_state.fusion != "ready":
            raise input_error("a fused volume that is not finished", "one of the present settings", "wait a moment")
        node, grid = context.nodes["fused"], context.opened.grid
        header, array = provenance_header(flat(provenance(node))), volumes.array_of(node).copy()
        return _staged(path, lambda there: write_nrrd(array, grid, there, header))

    # The report

    def _report_page(self, path: Path) -> Write:
        context, lesion, report = self._context, self._mask(), _report()
        case, shown, reviewed = context.opened, self._as_drawn(lesion), self._reviewed(report, lesion)
        fusion, suv, compared = self._fusion(), context.suv, self._annotators.compared()
        probed = self._probed(context.predicted)

        def write() -> None:
            numbers, (fused, notes), (agree, why_not) = quantified(lesion, case, suv), fusion(), _agreement(compared)
            quality = [*quality_report(case), *notes, *why_not]
            told = {"fusion": fused, "review": reviewed, "annotators": agree, "probe": probed}
            report.write_report(shown, case, path, quality, numbers, suv=suv, **told)

        return write

    def _reviewed(self, report: Any, lesion: np.ndarray) -> Any:
        """The report's ReviewSection, None without a worklist."""
        self._review.finish()
        context, review = self._context, self._review.current
        if review is None:
            return None
        fused = volumes.array_of(context.nodes["fused"]).copy() if context.view_state.fusion == "ready" else None
        review = Review(review.worklist, review.decisions)  # which are others while it is being written
        return report.ReviewSection(review, lesion, context.predicted.labels == 1, fused)

    def _as_drawn(self, lesion: np.ndarray) -> Prediction:
        """The prediction with the lesion as the reader left it."""
        prediction = self._context.predicted
        notes = [*prediction.provenance.get("notes", ())]
        if self._lesion.origin == "corrected":
            notes.append("The lesion was corrected by hand after the prediction; its interval is the prediction's.")
        return replace(prediction, labels=lesion.astype(np.uint8), provenance={**prediction.provenance, "notes": notes})

    def _fusion(self) -> Callable[[], tuple[Fusion | None, list[str]]]:
        """What waits for the engine's judgement of the fused image and gives the report's Fusion; None, and a sentence
        on why where there is something to say, for a report without one."""
        context = self._context
        if why_no_fusion(context.opened) or "fused" not in context.nodes:
            return lambda: (None, [])
        if context.view_state.fusion != "ready":
            return lambda: (None, [UNFINISHED])
        fused, described = self._fused_volume(), self._described()
        judged = self._judged(fused.image)

        def wait() -> tuple[Fusion | None, list[str]]:
            try:
                return described(fused, judged.result()), []
            except EngineError as error:
                return None, [f"The fused image is not in this report. {error}"]

        return wait

    def _fused_volume(self) -> FusedVolume:
        """What is on screen, with what made it."""
        nodes = self._context.nodes
        image, uncertainty = (volumes.array_of(nodes[role]).copy() for role in ("fused", "fusion_uncertainty"))
        made = provenance(nodes["fused"])
        timings = made.pop(TIMINGS, {})
        return FusedVolume(image, uncertainty, {}, made, timings)

    def _judged(self, image: np.ndarray) -> Future:
        context, chosen = self._context, self._context.parameters
        try:
            asked = context.engine.judge_fusion(
                context.opened_id, image, chosen.fusion_settings(), chosen.device, chosen.mri or None
            )
        except EngineError as error:
            failed: Future = Future()
            failed.set_exception(error)
            return failed
        return asked.future

    def _described(self) -> Callable[[FusedVolume, Judgement], Fusion]:
        """What puts the two together, by the present parameters."""
        case, chosen, preset = self._context.opened, self._context.parameters, self._preset()
        settings, mri = FusionSettings(**chosen.fusion_settings()), mr_of(case, chosen.mri or None)
        by = "the model's segmentation" + (", corrected by a reader" if self._lesion.origin == "corrected" else "")
        why_none = self._why_no_border()

        def described(fused: FusedVolume, found: Judgement) -> Fusion:
            source = {**found.rois.source, "lesion": by if found.rois.lesion.any() else why_none}
            whole, rois = replace(fused, flicker=found.flicker), replace(found.rois, source=source)
            is_drawn = bool(found.rois.lesion.any())
            drawn = border_words(settings.gamma, is_drawn, "the lesion that a reader accepted", why_none)
            return Fusion(case.grid, mri, whole, rois, settings, preset, found.metrics, (drawn, *found.notes))

        return described

    def _why_no_border(self) -> str:
        """Why gamma has no lesion to draw, where it has none, within a sentence."""
        if self._lesion.node is None:
            return "there is none yet"
        accepted = self._context.view_state.accepted
        return "its border is not protected" if accepted else "no reader has accepted the one there is"


def _agreement(compared: Future | None) -> tuple[Agreement | None, list[str]]:
    """What the engine said of several annotators, or a sentence on why it is not in the report."""
    try:
        return (None if compared is None else compared.result()), []
    except EngineError as error:
        return None, [f"How far the annotators agree is not in this report. {error}"]


def _staged(path: Path, write: Callable[[Path], None]) -> Write:
    """write(there) to a place beside the path, and from there into it."""

    def whole() -> None:
        with staged(path.parent) as folder:
            write(folder / path.name)

    return whole


def _report() -> Any:
    """Asked for only when a report is: Slicer's own Python has neither jinja2 nor matplotlib."""
    try:
        from .. import report
    except ImportError as error:
        given = f"a Python without the package {error.name or 'jinja2'}"
        remedy = "install both, or export the other files"
        raise input_error(given, "jinja2 and matplotlib for a report", remedy) from error
    return report
