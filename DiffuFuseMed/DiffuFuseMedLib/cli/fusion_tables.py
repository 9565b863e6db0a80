"""The means of evaluate-fusion as tables, and the sentences below them."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from rich.table import Table

from ..tasks.fuse.evaluate import AIMS, Group, Mean, aims

PRIMARY = (
    "soft_ssim_mri", "soft_fsim_mri", "bone_psnr_ct", "bone_ssim_ct", "ct_in_soft", "tracer_in_soft",
    "tracer_given_mri_in_soft", "seam", "seam_excess", "Qabf", "SCD", "lesion_dice", "lesion_nsd_2mm",
    "lesion_hd95_mm",
)  # fmt: skip
PARTS = {"main": "as registered", "sweep": "misregistration", "ablations": "ablations"}
DIFFERENT = "The masks that score are made with other thresholds than those given to the model."
NOTES = {
    "CT-MR cases": "The lesion columns score S-hat, the lesion head that never guided a picture, against the case's "
    "reference mask on its axial slices; the model itself is given that mask only with --give-lesion or where the "
    "condition says so.",
    "sweep": "The MRI is moved into a random direction before the fusion and the picture is scored against the sources "
    "as they were; 0 mm is the row as registered; for pairs of pictures 1 px counts as 1 mm, as files say none.",
    "ablations": "Corrected masks: nobody has drawn any, so those made for scoring stand in and flatter that row.",
}


def tables_of(found: Sequence[Group]) -> list[Table]:
    """Per kind and part the primary columns; for what is as registered the other columns in a second table."""
    tables = []
    for kind in dict.fromkeys(group.kind for group in found):
        for part in PARTS:
            some = [g for g in found if g.kind == kind and g.part == part]
            if part == "sweep" and some:
                some = [g for g in found if g.kind == kind and g.part in ("main", part)]
            if some:
                tables.append(_table(f"{kind}, {PARTS[part]}", some, [c for c in PRIMARY if _known(some, c)]))
            if part == "main" and some:
                others = [c for c in some[0].means if c not in PRIMARY]
                tables.append(_table(f"{kind}, {PARTS[part]}: secondary", some, others))
    return tables


def notes_on(found: Sequence[Group], seen: Sequence[str], count: int) -> list[str]:
    """What a reader must know before believing the tables."""
    there = {group.kind for group in found} | {group.part for group in found}
    notes = [DIFFERENT, *(words for key, words in NOTES.items() if key in there)]
    if seen:
        notes.insert(0, f"{len(seen)} of these {count} series were in the training: {', '.join(seen)}.")
    return notes


def verdicts(found: Sequence[Group]) -> list[str]:
    """For every kind with a CT a line on each aim, and what is missed."""
    lines = []
    for group in found:
        if group.part != "main" or group.method != "fused" or not group.kind.startswith("CT"):
            continue
        reached = aims(group.means)
        lines += [f"{group.kind}: {_verdict(column, *three)}" for column, three in reached.items()]
        missed = [column for column, (_, _, met) in reached.items() if not met]
        told = f"missed {', '.join(missed)}" if missed else "every aim is met"
        lines.append(f"{group.kind}: {told}.")
    return lines


def _table(title: str, found: Sequence[Group], columns: Sequence[str]) -> Table:
    table = Table("condition", "method", *(_head(c) for c in columns), title=title)
    for group in found:
        table.add_row(group.condition, group.method, *(_cell(group.means.get(c)) for c in columns))
    return table


def _head(column: str) -> str:
    return f"{column} (aim > {AIMS[column]:g})" if column in AIMS else column


def _cell(mean: Mean | None) -> str:
    if mean is None or not isfinite(mean.mean):
        return ""
    interval = f" [{mean.low:.3f}, {mean.high:.3f}]" if isfinite(mean.low) else ""
    return f"{mean.mean:.3f}{interval}"


def _known(found: Sequence[Group], column: str) -> bool:
    return any(column in group.means for group in found)


def _verdict(column: str, value: float, aim: float, met: bool) -> str:
    shown = f"{value:.3f}" if isfinite(value) else "not defined here"
    return f"{column} {shown}, aim > {aim:g}: {'met' if met else 'missed'}"
