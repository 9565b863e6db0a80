"""`diffufusemed run`: one case from its folder to its results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import InputError
from ..core.suv_units import DEFAULT as DEFAULT_SUV
from .agreement import say_agreement
from .console import err_console, out_console, progress, say_domain, say_doubts
from .exports import ExportOption, SeriesOption, export_kinds, series_for, write_exports
from .fuse import say_fused
from .inputs import check_folder, listed, load_model, modality_names
from .options import (
    DEFAULT_MODEL,
    BiasOption,
    CaseArgument,
    DeviceOption,
    ModalitiesOption,
    ModelOption,
    MrOption,
    OutOption,
    PresetOption,
    ReferenceOption,
    RegisterOption,
    SamplesOption,
    SeedOption,
    SuvOption,
    ToldOption,
)

if TYPE_CHECKING:
    from ..core.agreement import Agreement
    from ..core.case import Case
    from ..core.fusion import Fusion
    from ..core.prediction import Prediction
    from ..core.presets import Preset
    from ..core.suv_units import SuvScale
    from ..tasks.fuse.predict import Progress

Scores = dict[str, float]
UNSEEN = "the lesion that the model found and no reader has accepted"


def run(
    case: CaseArgument,
    out: OutOption,
    model: ModelOption = DEFAULT_MODEL,
    modalities: ModalitiesOption = None,
    told: ToldOption = None,
    reference: ReferenceOption = None,
    register: RegisterOption = "auto",
    n4: BiasOption = False,
    samples: SamplesOption = 8,
    suv: SuvOption = DEFAULT_SUV,
    no_fusion: Annotated[bool, typer.Option("--no-fusion", help="Segment only.")] = False,
    draw_border: Annotated[
        bool,
        typer.Option(
            "--draw-border",
            help="Draw the found lesion's border into the fused image (gamma), though no reader has accepted it.",
        ),
    ] = False,
    preset: PresetOption = None,
    mr: MrOption = None,
    export: ExportOption = None,
    dicom_series: SeriesOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Segment and fuse one case: segmentation, probability, uncertainty, fused image, their records, report.html."""
    from ..core.presets import find_preset
    from ..core.result_names import REPORT, result_names
    from ..core.staging import staged
    from ..core.suv_units import check_suv_unit, suv_scale
    from ..preprocessing.load import load_case
    from ..preprocessing.misfit import with_misfits
    from ..tasks.segment.predict import predict
    from ..tasks.segment.settings import Settings

    wanted, names, chosen = listed(modalities), modality_names(told), find_preset(preset) if preset else None
    kinds = export_kinds(export)
    check_suv_unit(suv)
    check_folder(out)
    with progress() as step:
        step(0.0, "loading the model")
        ready = load_model(model, device)
        step(0.05, "reading the case")
        loaded = with_misfits(load_case(case, names, reference, register, n4, only=wanted))
        series, scale = series_for(kinds, loaded, dicom_series), suv_scale(loaded, suv)
        say_doubts(loaded)
        say_domain(loaded, ready.record)
        fuse = None if no_fusion else _fusing(loaded, device, chosen, mr, seed, draw_border)
        settings = Settings(samples, seed, progress=lambda share, what: step(0.1 + 0.5 * share, what))
        prediction = predict(loaded, ready, settings)
        fusion = fuse(prediction, lambda share, what: step(0.6 + 0.3 * share, what)) if fuse else None
        step(0.9, "writing")
        with staged(out, replacing=result_names()) as folder:
            scores, annotators = _write(prediction, loaded, fusion, folder, scale)
            write_exports(kinds, prediction, series, dicom_series is not None, folder)
            count = len(list(folder.iterdir()))
        step(1.0, "done")
    _say(prediction, scores, annotators)
    if fusion:
        say_fused(fusion)
    out_console.print(f"{count} files in {out}; open {out / REPORT}", soft_wrap=True)


def _fusing(
    case: Case, device: str, preset: Preset | None, mr: str | None, seed: int, draw_border: bool
) -> Callable[[Prediction, Progress], Fusion] | None:
    """A function of prediction and progress that gives the Fusion; None, and one line why, where there can be none."""
    from ..models.devices import choose
    from ..preprocessing.fusion_sources import mr_of, why_no_fusion
    from ..tasks.fuse import Fuser
    from ..tasks.fuse.predict import Wanted, fuse_case, settings_of

    if lacks := why_no_fusion(case):
        err_console.print(f"No fusion: {lacks}.")
        return None
    # a border in the gray values would look like a finding, and this one nobody has looked at
    settings, mri = settings_of(preset, {"seed": seed, "gamma": None if draw_border else 0.0}), mr_of(case, mr)
    try:
        fuser = Fuser.shipped(choose(device))
    except InputError as error:  # not installed, or damaged: the segmentation does not need it
        err_console.print(f"No fusion: {error}", markup=False, soft_wrap=True)
        return None
    return lambda found, step: fuse_case(
        case, fuser, Wanted(settings, preset, mri, lesion=found.labels == 1, whose=UNSEEN), step
    )


def _write(
    prediction: Prediction, case: Case, fusion: Fusion | None, out: Path, suv: SuvScale
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
    write_report(prediction, case, out / REPORT, quality, measures, scores, fusion, suv=suv, annotators=annotators)
    return scores, annotators


def _say(prediction: Prediction, scores: Scores | None, annotators: Agreement | None) -> None:
    volume = prediction.volume_ml
    reach = f" ({100 * volume.level:g} %: {volume.ends[0]:.0f} to {volume.ends[1]:.0f} mL)" if volume.ends else ""
    out_console.print(f"Lesion {volume.value:.0f} mL{reach}.")
    if volume.withheld:
        out_console.print(volume.withheld, markup=False, soft_wrap=True)
    if scores:
        whom = "majority of the annotators" if annotators else "reference"
        out_console.print(f"Against the {whom}: Dice {scores['dice']:.3f}, HD95 {scores['hd95_mm']:.1f} mm.")
    if annotators:
        say_agreement(annotators)
