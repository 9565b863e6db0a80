"""Planned cases to case folders, each whole or not at all, and the split that they are trained by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import SimpleITK as sitk

from ...core.errors import InputError, input_error
from ...core.grid import Grid
from ...core.staging import staged
from ...core.volume import Volume
from ...core.whole_file import not_whole
from ...io.export.nifti import write_nifti_mask
from ...io.image_files import read_volume
from ...io.label_map import read_labels
from ...io.split import read_split
from .plan import Content, Drawn, Planned, PublicSet

FOLDS = 4
SPLIT = "split.json"
ONE_BESIDE = 1.0  # voxel
THERE = "its folder is there already"


@dataclass(frozen=True)
class Row:
    """What became of a case. left out: it holds no lesion, or its folder is there already; failed: a file is missing or
    wrong. Both have their reason; imported has one where something was chosen."""

    planned: Planned
    state: Literal["imported", "left out", "failed"]
    reason: str = ""


def import_set(chosen: PublicSet, folder: Path, out: Path, target: str | None = None) -> Iterator[Row]:
    """Make out/<case>/ of every case of a downloaded set, one after the other. What is there stays as it is.

    target: what the masks show, of a set that has targets. Raises InputError for a folder that is missing, or in which
    there is nothing of the set, for a target as PublicSet.labels_of(), and for an `out` that is the set itself or whose
    split cannot be read.
    """
    labels = chosen.labels_of(target)
    if not folder.is_dir():
        raise input_error(f"no folder {folder.name}", f"the downloaded set {chosen.name}", "check the path")
    if out.resolve() == folder.resolve():
        raise input_error("CASES that is the downloaded set itself", "a folder of its own", "choose another CASES")
    _folds(out / SPLIT)
    planned = list(chosen.plan(folder))
    if not planned:
        remedy = f"name the folder that was downloaded; its layout: {chosen.layout}"
        raise input_error(f"folder {folder.name} with no case of {chosen.name}", "its files by their own names", remedy)
    for case in planned:
        yield _row(_aimed(case, labels), out)


def write_split(rows: Iterable[Row], out: Path) -> None:
    """out/split.json with the imported cases in four folds, no patient in two of them: a patient of whom any case is in
    a fold already stays there, and new ones go to the smallest. A case that is there already and in no fold, as one is
    whose import was killed before this, gets into one. Raises InputError for a split that cannot be read."""
    path, patients, imported = out / SPLIT, dict[str, list[str]](), set[str]()
    folds = _folds(path)
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    for row in rows:
        patients.setdefault(row.planned.patient, []).append(row.planned.name)
        imported |= {row.planned.name} if row.state == "imported" or row.reason == THERE else set()
    for _, names in sorted(patients.items()):
        home = next((fold for fold in folds if set(fold) & set(names)), None) or min(folds, key=len)
        home += [name for name in names if name in imported and name not in home]
    with staged(out) as folder:
        (folder / SPLIT).write_text(json.dumps({**content, "folds": folds}, indent=1), encoding="utf-8")


def _folds(path: Path) -> list[list[str]]:
    folds = [list(fold) for fold in read_split(path).folds] if path.is_file() else []
    return folds or [[] for _ in range(FOLDS)]


def _row(case: Planned, out: Path) -> Row:
    if any((out / case.name).glob("[!.]*")):  # a hidden folder is what an interrupted import left
        return Row(case, "left out", THERE)
    try:
        content = case.read() if case.read else _of_files(case)
        if not any(mask.array.any() for mask in content.masks.values()):
            return Row(case, "left out", "no lesion is drawn in it")
        notes = [*content.notes, *_placed(content)]
        _write(content.images, content.masks, out / case.name)
    except InputError as error:
        return Row(case, "failed", str(error))
    return Row(case, "imported", " ".join(notes))


def _placed(content: Content) -> list[str]:
    """Notes on masks that are on the grid of no image. Raises InputError for one that marks what no image shows."""
    notes = []
    for name, mask in content.masks.items():
        drawn = mask.grid.to_physical(np.argwhere(mask.array)[:, ::-1])
        if not any(_shows(image.grid, drawn) for image in content.images.values()):
            given = f"the mask {name}, parts of which lie outside of {' and '.join(content.images)}"
            raise input_error(given, "a mask of these images", "look at both headers, or download the case again")
        if not any(mask.grid.same_as(image.grid) for image in content.images.values()):
            notes.append(f"{name} is on another grid than the images: look at where it lies.")
    return notes


def _shows(grid: Grid, points: np.ndarray) -> bool:
    """Whether LPS points, (n, 3), are all in the image's voxels, or at most one beside them."""
    index = grid.to_index(points)
    return bool(((index >= -ONE_BESIDE) & (index <= np.asarray(grid.size) - 1 + ONE_BESIDE)).all())


def _aimed(case: Planned, labels: tuple[int, ...]) -> Planned:
    """The case whose masks show these labels; as it is for ()."""
    masks = {name: replace(drawn, labels=labels) for name, drawn in case.masks.items()}
    return replace(case, masks=masks) if labels else case


def _of_files(case: Planned) -> Content:
    """Without the images where nothing is drawn: nobody needs them."""
    masks = {name: _mask(drawn) for name, drawn in case.masks.items()}
    is_drawn = any(mask.array.any() for mask in masks.values())
    return Content({key: read_volume(path, key) for key, path in case.images.items()} if is_drawn else {}, masks)


def _mask(drawn: Drawn) -> Volume:
    """Of its labels; an empty one too."""
    if not drawn.file.is_file():
        raise input_error(f"file '{drawn.file.name}' that is not there", "the set as it is downloaded", "add it")
    labels = read_labels(drawn.file)
    inside = np.isin(labels.array, drawn.labels) if drawn.labels else labels.array > 0
    return labels.with_array(inside)


def _write(images: dict[str, Volume], masks: dict[str, Volume], folder: Path) -> None:
    with staged(folder) as place:
        for key, volume in images.items():
            path = place / f"{key}.nii.gz"
            try:
                sitk.WriteImage(volume.to_sitk(), str(path), useCompression=True)
            except RuntimeError as cause:
                raise not_whole(path) from cause
        for name, mask in masks.items():
            write_nifti_mask(mask.array, mask.grid, place / f"{name}.nii.gz")
