"""`diffufusemed probe`: which synthetic tumors a segmenter finds in a case of one's own scanner."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from ..core.errors import input_error
from .console import out_console, print_table, progress, say_doubts
from .inputs import check_folder, load_model, modality_names
from .options import (
    DEFAULT_MODEL,
    CaseArgument,
    DeviceOption,
    ModelOption,
    OutOption,
    ReferenceOption,
    RegisterOption,
    SeedOption,
    ToldOption,
)
from .synthesize import INPAINTER, SYNTHESIZER, load_synthesizer, without_lesion

if TYPE_CHECKING:
    from ..core.case import Case
    from ..core.probed import ProbeRecord
    from ..models.zoo import Model
    from ..tasks.synthesize.probe import Probe
    from ..tasks.synthesize.trial import Segment


def probe(
    case: CaseArgument,
    out: OutOption,
    model: ModelOption = DEFAULT_MODEL,
    diameters: Annotated[str, typer.Option(help="In mm, of a ball as large as the tumor.")] = "15,30,60",
    contrasts: Annotated[str, typer.Option(help="Shares of the uptake and T1 contrast of patients' tumors.")] = "1,0.5",
    n: Annotated[int, typer.Option("--n", min=1, max=200, help="Tumors of each size and contrast.")] = 4,
    samples: Annotated[int, typer.Option(min=1, max=64, help="The segmenter's samples.")] = 2,
    synthesizer: Annotated[
        str, typer.Option(help="What draws the tumors: an id, or the path of a folder.")
    ] = SYNTHESIZER,
    inpainter: Annotated[str, typer.Option(help="What takes the case's own lesion out first.")] = INPAINTER,
    told: ToldOption = None,
    reference: ReferenceOption = None,
    register: RegisterOption = "auto",
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
) -> None:
    """Put synthetic tumors of several sizes and contrasts into a case, one at a time, and tell which a segmenter finds:
    probe.html with the curve, probe.json with every tumor."""
    from ..core.probed import sensitivities
    from ..core.staging import staged
    from ..io.probe_record import write_probe_record
    from ..models.devices import choose
    from ..preprocessing.load import load_case
    from ..report.probe import write_probe
    from ..tasks.synthesize.probe import Plan
    from ..tasks.synthesize.probe import probe as tried
    from ..tasks.synthesize.synthesize import Synthesizer

    plan = Plan(numbers(diameters, "--diameters"), numbers(contrasts, "--contrasts"), n, seed)
    check_folder(out)
    drawer, segmenter = load_synthesizer(synthesizer, choose(device)), load_model(model, device)
    with progress() as step:
        step(0.0, "reading the case")
        loaded = load_case(case, modality_names(told), reference, register)
        say_doubts(loaded)
        ready = Synthesizer(without_lesion(loaded, inpainter, False, choose(device)), drawer)
        found = tried(ready, _segment(segmenter, samples, seed), plan, step)
    misfits = _misfits(found)
    record = _record(found, ready.case, segmenter, drawer, misfits)
    write_probe(record, out / "probe.html")
    with staged(out) as folder:
        write_probe_record(record, folder / "probe.json")
    table = Table("diameter, mm", "contrast", "found")
    for diameter_mm, contrast, hits, count in sensitivities(record.tumors):
        table.add_row(f"{diameter_mm:g}", f"{contrast:g}", f"{hits} of {count}")
    print_table(table)
    for sentence in misfits:
        out_console.print(sentence, soft_wrap=True)
    out_console.print(f"Where there is no tumor {found.false_ml:.1f} mL are called lesion. See {out / 'probe.html'}")


def numbers(text: str, option: str) -> tuple[float, ...]:
    """15,30 -> its numbers, each once; raises InputError for what is none."""
    try:
        return tuple(dict.fromkeys(float(part) for part in text.split(",")))
    except ValueError as error:
        raise input_error(f"{option} {text[:40]!r}", "numbers such as 15,30,60", "correct it") from error


def _segment(model: Model, samples: int, seed: int) -> Segment:
    from ..tasks.segment.predict import predict
    from ..tasks.segment.settings import Settings

    return lambda case: predict(case, model, Settings(samples, seed)).labels > 0


def _misfits(found: Probe) -> list[str]:
    return [
        f"{count} of {diameter_mm:g} mm and contrast {contrast:g} found no room in the case."
        for (diameter_mm, contrast), count in found.misfits.items()
    ]


def _record(found: Probe, case: Case, segmenter: Model, drawer: Model, misfits: list[str]) -> ProbeRecord:
    from ..core.probed import ModelName, ProbeRecord

    looked, drew = (ModelName(model.record.id, model.record.sha256) for model in (segmenter, drawer))
    notes = (*case.notes, *misfits)
    seen = tuple(key for key in segmenter.modalities if key in case.volumes)
    return ProbeRecord(case.name, case.grid, looked, drew, seen, tuple(found.tumors), notes, found.false_ml)
