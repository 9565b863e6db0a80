"""What `diffufusemed run` does with one case, from its folder to its results, with models that are loaded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import InputError
from ..core.suv_units import DEFAULT as DEFAULT_SUV
from .agreement import say_agreement
from .console import err_console, out_console, say_domain, say_doubts
from .exports import series_for, write_exports
from .fuse import say_fused
from .inputs import load_model
from .options import DEFAULT_MODEL

if TYPE_CHECKING:
    from ..core.agreement import Agreement
    from ..core.case import Case
    from ..core.fusion import Fusion
    from ..core.prediction import Prediction
    from ..core.presets import Preset
    from ..core.probed import ProbeRecord
    from ..core.suv_units import SuvScale
    from ..models.zoo import Model
    from ..tasks.fuse import Fuser
    from ..tasks.fuse.predict import Progress

Scores = dict[str, float]
UNSEEN = "the lesion that the model found and no reader has accepted"


@dataclass(frozen=True)
class Asked:
    """What a user asked of each case, checked as far as that goes without one; names as those of the options."""

    model: str = DEFAULT_MODEL
    modalities: tuple[str, ...] | None = None
    names: tuple[tuple[str, str], ...] = ()
    reference: str | None = None
    register: str = "auto"
    n4: bool = False
    samples: int = 8
    suv: str = DEFAULT_SUV
    fused: bool = True
    draw_border: bool = False
    preset: Preset | None = None
    mr: str | None = None
    exports: tuple[str, ...] = ()
    dicom_series: Path | None = None
    device: str = "auto"
    seed: int = 0
    probe: ProbeRecord | None = None


class Tools:
    """The models of a run, each loaded once, the fusion's when a case first wants it. Raises InputError for a model
    that is none."""

    def __init__(self, asked: Asked) -> None:
        self.model: Model = load_model(asked.model, asked.device)
        self._device = asked.device

    @cached_property
    def fuser(self) -> Fuser:
        from ..models.devices import choose
        from ..tasks.fuse import Fuser

        return Fuser.shipped(choose(self._device))


@dataclass(frozen=True)
class Ran:
    """What came of one case; count: of the files."""

    prediction: Prediction
    scores: Scores | None
    annotators: Agreement | None
    fusion: Fusion | None
    count: int


def run_case(case: Path, out: Path, asked: Asked, tools: Tools, step: Progress = lambda share, what: None) -> Ran:
    """Segment and fuse the case of a folder and put all its files into `out`, or none. Raises InputError."""
    from ..core.probed import ModelName, check_of
    from ..core.result_names import result_names
    from ..core.staging import staged
    from ..core.suv_units import suv_scale
    from ..preprocessing.load import load_case
    from ..preprocessing.misfit import with_misfits
    from ..tasks.segment.predict import predict
    from ..tasks.segment.settings import Settings

    step(0.05, "reading the case")
    wanted = list(asked.modalities) if asked.modalities else None
    loaded = with_misfits(load_case(case, dict(asked.names), asked.reference, asked.register, asked.n4, only=wanted))
    kinds = list(asked.exports)
    series, scale = series_for(kinds, loaded, asked.dicom_series), suv_scale(loaded, asked.suv)
    say_doubts(loaded)
    say_domain(loaded, tools.model.record)
    if asked.probe:
        record, known = tools.model.record, tools.model.modalities
        check_of(asked.probe, loaded, ModelName(record.id, record.sha256), [m for m in known if m in loaded.volumes])
    fuse = _fusing(loaded, asked, tools) if asked.fused else None
    settings = Settings(asked.samples, asked.seed, progress=lambda share, what: step(0.1 + 0.5 * share, what))
    prediction = predict(loaded, tools.model, settings)
    fusion = fuse(prediction, lambda share, what: step(0.6 + 0.3 * share, what)) if fuse else None
    step(0.9, "writing")
    with staged(out, replacing=result_names()) as folder:
        scores, annotators = _write(prediction, loaded, fusion, folder, scale, asked.probe)
        write_exports(kinds, prediction, series, asked.dicom_series is not None, folder)
        count = len(list(folder.iterdir()))
    step(1.0, "done")
    return Ran(prediction, scores, annotators, fusion, count)


def _fusing(case: Case, asked: Asked, tools: Tools) -> Callable[[Prediction, Progress], Fusion] | None:
    """A function of prediction and progress that gives the Fusion; None, and one line why, where there can be none."""
    from ..preprocessing.fusion_sources import mr_of, why_no_fusion
    from ..tasks.fuse.predict import Wanted, fuse_case, settings_of

    if lacks := why_no_fusion(case):
        err_console.print(f"No fusion: {lacks}.")
        return None
    # a border in the gray values would look like a finding, and this one nobody has looked at
    sliders = {"seed": asked.seed, "gamma": None if asked.draw_border else 0.0}
    settings, mri = settings_of(asked.preset, sliders), mr_of(case, asked.mr)
    try:
        fuser = tools.fuser
    except InputError as error:  # not installed, or damaged: the segmentation does not need it
        err_console.print(f"No fusion: {error}", markup=False, soft_wrap=True)
        return None
    return lambda found, step: fuse_case(
        case, fuser, Wanted(settings, asked.preset, mri, lesion=found.labels == 1, whose=UNSEEN), step
    )


def _write(
    prediction: Prediction, case: Case, fusion: Fusion | None, out: Path, suv: SuvScale, probe: ProbeRecord | None
) -> tuple[Scores | None, Agreement | None]:
    """Every file of the run; returns the scores against the case's reference mask and the annotators' agreement, each
    None without."""
    from ..api import sentences
    from ..core.lesion import quantify
    from ..core.result_names import REPORT
    from ..io.export.fusion import write_fusion
    from ..io.export.outputs import write_outputs
    from ..metrics import score_case, score_set
    from ..report import write_report

    scores = score_case(prediction, case) if case.reference_mask is not None else None
    quality = sentences(case, prediction)
    annotators = score_set(prediction, case)
    write_outputs(prediction, case, out, quality, scores, suv, annotators)
    if fusion:
        write_fusion(fusion, case, out)
    measures = quantify(prediction.labels > 0, case, suv)
    others: dict[str, Any] = {"suv": suv, "annotators": annotators, "probe": probe}
    write_report(prediction, case, out / REPORT, quality, measures, scores, fusion, **others)
    return scores, annotators


def say(ran: Ran) -> None:
    """The lesion, its scores and those of the fusion, to standard output."""
    volume = ran.prediction.volume_ml
    reach = f" ({100 * volume.level:g} %: {volume.ends[0]:.0f} to {volume.ends[1]:.0f} mL)" if volume.ends else ""
    out_console.print(f"Lesion {volume.value:.0f} mL{reach}.")
    if volume.withheld:
        out_console.print(volume.withheld, markup=False, soft_wrap=True)
    if scores := ran.scores:
        whom = "majority of the annotators" if ran.annotators else "reference"
        out_console.print(f"Against the {whom}: Dice {scores['dice']:.3f}, HD95 {scores['hd95_mm']:.1f} mm.")
    if ran.annotators:
        say_agreement(ran.annotators)
    if ran.fusion:
        say_fused(ran.fusion)
