"""`diffufusemed models`: what is installed, and whether it is intact."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from .console import out_console, print_table

models_app = typer.Typer(no_args_is_help=True, help="The installed models.")


@models_app.command("list")
def models_list() -> None:
    """The installed models."""
    from ..models.registry import models, models_folder

    records = models()
    if not records:
        out_console.print(f"No model is installed in {models_folder()}.", soft_wrap=True)
        return
    table = Table("id", "system", "modalities", "trained on", "sha256")
    for record in records:
        modalities, count = ", ".join(record.modalities), len(record.patients)
        told = f"{count} cases" if count else "not told"
        table.add_row(record.id, record.system, modalities, told, record.sha256[:12])
    print_table(table)


@models_app.command("verify")
def models_verify(model_id: Annotated[str | None, typer.Argument(help="One model; all by default.")] = None) -> None:
    """Check that model.json is as it was written, and the weights those that it was written for."""
    from ..models.registry import models
    from ..models.zoo import verify

    for name in [model_id] if model_id else [record.id for record in models()]:
        verify(name)
        out_console.print(f"{name}: the weights are intact.")


@models_app.command("panel")
def models_panel(
    panel_id: Annotated[str, typer.Argument(help="The new model's id.")],
    members: Annotated[list[str], typer.Argument(help="Installed segmenters; the lesion is the first one's.")],
    deciding: Annotated[int, typer.Option(help="So many of them, the first ones, decide on the lesion together.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder of the models; where they are installed by default.")] = None,
) -> None:
    """Make a panel: segmenters that read a case side by side, so that where they differ is shown as doubt."""
    from ..models.panel import make_panel
    from ..models.registry import models_folder

    folder = out or models_folder()
    record = make_panel(panel_id, members, folder, deciding)
    told = "Fit its calibration with `diffufusemed calibrate` on patients that none of its members was trained on."
    out_console.print(f"{folder / record.id} was written. {told}", soft_wrap=True)


@models_app.command("compress")
def models_compress(
    model_id: Annotated[str, typer.Argument(help="An installed model, or the path of its folder.")],
    out: Annotated[Path, typer.Option(help="Folder that gets <model id>/; of a panel also its members.")],
) -> None:
    """Write a model with its weights in eight bits: half as large, and very nearly the same answers."""
    from ..models.compress import compress
    from ..models.registry import model_folder, weights_bytes_in

    record = compress(model_id, out)
    before, after = (weights_bytes_in(path, record) for path in (model_folder(model_id), out / record.id))
    told = "Score it beside the one it was made from: `diffufusemed evaluate`."
    out_console.print(
        f"{out / record.id}: {before / 1e6:.1f} MB before, {after / 1e6:.1f} MB now. {told}", soft_wrap=True
    )
