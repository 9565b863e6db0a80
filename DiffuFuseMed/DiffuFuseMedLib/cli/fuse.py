"""`diffufusemed fuse`: CT and MR of one case become one image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import input_error
from ..core.presets import DEFAULT_PRESET
from .console import out_console, progress, say_doubts
from .inputs import check_folder, listed, modality_names
from .options import (
    BiasOption,
    CaseArgument,
    DeviceOption,
    ModalitiesOption,
    MrOption,
    OutOption,
    PresetOption,
    ReferenceOption,
    RegisterOption,
    SeedOption,
    ToldOption,
)

if TYPE_CHECKING:
    from ..core.fusion import Fusion


def fuse(
    case: CaseArgument,
    out: OutOption,
    preset: PresetOption = DEFAULT_PRESET,
    alpha: Annotated[float | None, typer.Option(help="Soft tissue like MRI, 0 to 1; overrides the preset's.")] = None,
    beta: Annotated[float | None, typer.Option(help="Bone like CT, 0 to 1; overrides the preset's.")] = None,
    gamma: Annotated[float | None, typer.Option(help="Lesion border, 0 to 1; overrides the preset's.")] = None,
    lambda1: Annotated[float | None, typer.Option(help="Weight of Dice in the lesion term.")] = None,
    lambda2: Annotated[float | None, typer.Option(help="Weight of NSD in the lesion term.")] = None,
    lambda3: Annotated[float | None, typer.Option(help="Weight of HD95 in the lesion term.")] = None,
    tau: Annotated[float | None, typer.Option(help="Tolerance of the lesion's border in mm.")] = None,
    lesion: Annotated[Path | None, typer.Option(help="A mask file: the lesion whose border gamma draws.")] = None,
    soft: Annotated[Path | None, typer.Option(help="A mask file instead of the automatic soft tissue.")] = None,
    bone: Annotated[Path | None, typer.Option(help="A mask file instead of the automatic bone.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, max=4, help="Steps of the few-step student.")] = None,
    guided: Annotated[bool, typer.Option("--guided", help="The guided teacher instead: minutes, not seconds.")] = False,
    samples: Annotated[int | None, typer.Option(min=1, max=64, help="Samples behind the uncertainty.")] = None,
    mr: MrOption = None,
    modalities: ModalitiesOption = None,
    told: ToldOption = None,
    reference: ReferenceOption = None,
    register: RegisterOption = "auto",
    n4: BiasOption = False,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Fuse CT and MR of one case: fused.nrrd, fusion_uncertainty.nrrd, fusion.json and report.html."""
    from ..core.presets import find_preset
    from ..models.devices import choose
    from ..preprocessing.load import load_case
    from ..preprocessing.misfit import with_misfits
    from ..report.fused_case import write_fused_case
    from ..tasks.fuse import Fuser
    from ..tasks.fuse.predict import Wanted, fuse_case, settings_of

    if guided and steps is not None:
        raise input_error("--steps and --guided", "one of them", "--steps is for the student, so leave one out")
    chosen = find_preset(preset or DEFAULT_PRESET)
    values = {"alpha": alpha, "beta": beta, "gamma": gamma, "tau_mm": tau, "steps": steps, "samples": samples}
    lambdas = {"lambda1": lambda1, "lambda2": lambda2, "lambda3": lambda3}
    settings = settings_of(chosen, {**values, **lambdas, "guided": guided, "seed": seed})
    files = {name: file for name, file in {"lesion": lesion, "soft": soft, "bone": bone}.items() if file}
    wanted_modalities, names = listed(modalities), modality_names(told)
    check_folder(out)
    with progress() as step:
        step(0.0, "loading the models")
        fuser = Fuser.shipped(choose(device))
        step(0.05, "reading the case")
        loaded = with_misfits(load_case(case, names, reference, register, n4, only=wanted_modalities))
        say_doubts(loaded)
        wanted = Wanted(settings, chosen, mr, files)
        fusion = fuse_case(loaded, fuser, wanted, lambda share, what: step(0.1 + 0.8 * share, what))
        step(0.9, "writing")
        written = write_fused_case(fusion, loaded, out)
        step(1.0, "done")
    say_fused(fusion)
    out_console.print(f"{len(written)} files in {out}; open {written['report']}", soft_wrap=True)


def say_fused(fusion: Fusion) -> None:
    """What was fused and with which sliders, and a line for each thing that a reader should know of it."""
    settings, regions = fusion.settings, fusion.roi_ml
    sliders = f"alpha {settings.alpha:g}, beta {settings.beta:g}, gamma {settings.gamma:g}"
    volumes = ", ".join(f"{name} {ml:.0f} mL" for name, ml in regions.items())
    out_console.print(f"Fused CT and {fusion.mri} with {sliders}: {volumes}.", soft_wrap=True)
    for note in fusion.notes:
        out_console.print(note, markup=False, soft_wrap=True)
