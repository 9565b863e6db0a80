"""`diffufusemed domain`: which cases a model is for, fitted on cases like those that it was trained on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from .console import out_console, progress
from .options import DEFAULT_MODEL, ModelOption, SplitOption

PARTS = "arm,leg,limb,pelvis"


def domain(
    cases: Annotated[Path, typer.Argument(help="The folder that holds the case folders.")],
    model: ModelOption = DEFAULT_MODEL,
    split: SplitOption = None,
    body_parts: Annotated[str, typer.Option(help="Where in the body the training's images are of.")] = PARTS,
) -> None:
    """Fit which cases a model is for (fields of view, lesion sizes, what images look like) into its model.json."""
    from ..io.split import read_split
    from ..models.registry import model_folder, read_record, write_record
    from ..tasks.segment.domain import fit_domain

    folder, plan = model_folder(model), read_split(split or cases / "split.json")
    record = read_record(folder)
    with progress() as step:
        fitted, alarms = fit_domain(record, cases, plan, body_parts.split(","), step)
    write_record(replace(record, domain=fitted), folder)
    for key, share in alarms.items():
        out_console.print(f"{key}: {100 * share:.0f} % of held-out patients would be called unlike the others.")
    for key in record.modalities:
        if key not in alarms:
            out_console.print(
                f"{key}: some images show too little body to measure, so what it looks like is not checked."
            )
