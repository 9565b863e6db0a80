"""`diffufusemed synthesize`: a case again and again, each time with another synthetic tumor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .console import err_console, out_console, progress, say_doubts
from .inputs import check_folder, modality_names
from .options import (
    CaseArgument,
    DeviceOption,
    OutOption,
    ReferenceOption,
    RegisterOption,
    SeedOption,
    ToldOption,
)

if TYPE_CHECKING:
    from ..core.case import Case
    from ..models.zoo import Model

SYNTHESIZER, INPAINTER = "sts-tumor-synthesizer", "sts-inpainter"


def synthesize(
    case: CaseArgument,
    out: OutOption,
    n: Annotated[int, typer.Option("--n", min=1, max=1000, help="How many; each gets a folder of its own.")] = 4,
    model: Annotated[str, typer.Option(help="A synthesizer's id, or the path of its folder.")] = SYNTHESIZER,
    inpainter: Annotated[
        str, typer.Option(help="What takes the case's own lesion out first, where one is drawn.")
    ] = INPAINTER,
    keep_lesion: Annotated[
        bool, typer.Option("--keep-lesion", help="Leave the case's own lesion in; the synthetic ones lie elsewhere.")
    ] = False,
    told: ToldOption = None,
    reference: ReferenceOption = None,
    register: RegisterOption = "auto",
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Draw synthetic tumors into a case, aligned in all modalities: OUT/synthetic_01 and so on, images, mask, record.

    For development and teaching, never for diagnosis: every file says that it is synthetic.
    """
    from ..core.synthetic import WARNING, WORD
    from ..io.export.synthetic import write_synthetic
    from ..models.devices import choose
    from ..preprocessing.load import load_case
    from ..tasks.synthesize.contract import check_synthesizes
    from ..tasks.synthesize.synthesize import SynthesisSettings, Synthesizer

    check_folder(out)
    loaded_model = load_synthesizer(model, choose(device))
    check_synthesizes(loaded_model.network, loaded_model.record.system)
    with progress() as step:
        step(0.0, "reading the case")
        loaded = load_case(case, modality_names(told), reference, register)
        say_doubts(loaded)
        ready = without_lesion(loaded, inpainter, keep_lesion, choose(device))
        synthesizer = Synthesizer(ready, loaded_model)
        rows = []
        for number in range(n):
            told_share = lambda share, what, done=number: step((done + share) / n, what)  # noqa: E731
            made = synthesizer.tumor(SynthesisSettings(seed + number), told_share)
            folder = out / f"{WORD}_{number + 1:02d}"
            write_synthetic(made, ready, folder)
            rows.append((folder, made.provenance["volume_ml"], made.measured))
        step(1.0, "done")
    for folder, volume_ml, seen in rows:
        peak = f", SUVmax {seen['suv_max']:.1f}" if seen["suv_max"] == seen["suv_max"] else ""
        out_console.print(f"{folder}: {volume_ml:.0f} mL{peak}.", markup=False, soft_wrap=True)
    _say_others(out, [folder for folder, *_ in rows])
    out_console.print(WARNING, soft_wrap=True)


def _say_others(out: Path, written: Sequence[Path]) -> None:
    """Whoever takes all of the folder should know that an earlier run had more."""
    from ..core.synthetic import WORD

    others = sorted(path.name for path in out.glob(f"{WORD}_*") if path not in written)
    if others:
        names = others[0] if len(others) == 1 else f"{others[0]} to {others[-1]}"
        sentence = f"In {out.name} there is {names} of an earlier run too; nothing of that was changed."
        err_console.print(sentence, markup=False, soft_wrap=True)


def load_synthesizer(model: str, device: str) -> Model:
    """A synthesizer by its id or the path of its folder. Raises InputError where none is installed or named."""
    from ..core.errors import input_error
    from ..models import zoo
    from ..models.registry import models_folder

    if model == SYNTHESIZER and not (models_folder() / model).is_dir():
        given = f"no {SYNTHESIZER} among the installed models"
        wanted = "it, or one that was trained (`train --recipe sts-tumor-synthesizer`)"
        raise input_error(given, wanted, "install the models again, or name its folder")
    return zoo.load(model, device)


def without_lesion(case: Case, inpainter: str, keep_lesion: bool, device: str) -> Case:
    """The case as tumors are drawn into it, after one line that says which it is."""
    from ..models import zoo
    from ..tasks.synthesize.without_lesion import without_lesion as taken_out

    ready = taken_out(case, None if keep_lesion else lambda: zoo.load(inpainter, device))
    err_console.print(ready.notes[-1], markup=False, soft_wrap=True)
    return ready
