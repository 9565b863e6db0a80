"""`diffufusemed run`: one case from its folder to its results, or each case of a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.presets import DEFAULT_PRESET
from ..core.suv_units import DEFAULT as DEFAULT_SUV
from .console import out_console, progress
from .exports import ExportOption, SeriesOption, export_kinds
from .inputs import check_folder, listed, modality_names
from .one_case import Asked, Tools, run_case, say
from .options import (
    DEFAULT_MODEL,
    BiasOption,
    CaseArgument,
    ClusterOption,
    CohortOption,
    CoresOption,
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
    from ..core.probed import ProbeRecord


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
    preset: PresetOption = DEFAULT_PRESET,
    mr: MrOption = None,
    export: ExportOption = None,
    dicom_series: SeriesOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    probe: Annotated[
        Path | None, typer.Option(help="A probe.json of this case and model, for a section of the report.")
    ] = None,
    cohort: CohortOption = False,
    cluster: ClusterOption = None,
    cores: CoresOption = 4,
) -> None:
    """Segment and fuse one case: segmentation, probability, uncertainty, fused image, their records, report.html.

    With --cohort or --cluster each case of a folder, its results in OUT/NAME.
    """
    from ..core.presets import find_preset
    from ..core.result_names import REPORT
    from ..core.suv_units import check_suv_unit

    wanted = listed(modalities)
    asked = Asked(
        model,
        tuple(wanted) if wanted else None,
        tuple(modality_names(told).items()),
        reference,
        register,
        n4,
        samples,
        suv,
        not no_fusion,
        draw_border,
        find_preset(preset or DEFAULT_PRESET),
        mr,
        tuple(export_kinds(export)),
        dicom_series,
        device,
        seed,
        _record_of(probe, cohort or cluster is not None),
    )
    check_suv_unit(suv)
    check_folder(out)
    if cohort or cluster:
        from .cohort import run_cohort

        run_cohort(case, out, asked, cluster, cores)
        return
    with progress() as step:
        step(0.0, "loading the model")
        ran = run_case(case, out, asked, Tools(asked), step)
    say(ran)
    out_console.print(f"{ran.count} files in {out}; open {out / REPORT}", soft_wrap=True)


def _record_of(probe: Path | None, many: bool) -> ProbeRecord | None:
    """Raises InputError for a file that is none, and for the one of a case where there are many."""
    from ..core.errors import input_error
    from ..io.probe_record import read_probe_record

    if probe is not None and many:
        raise input_error("--probe for many cases", "one case, since a probe is of one", "run that case by itself")
    return None if probe is None else read_probe_record(probe)
