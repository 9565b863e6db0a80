"""A reader study: real and synthetic tumors in one blinded sheet with a form, and the key that a reader never gets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..core.case import Case
from ..core.errors import input_error
from ..core.modalities import title_of
from ..core.staging import staged
from ..core.triples import triple
from ..core.whole_file import write_whole
from . import figures
from .content import data_uri
from .page import filled
from .planes import AXIAL
from .scene import Scene, box_around, center_of, turn
from .window_level import windows_of

SHEET, KEY = "sheet.html", "key.json"
WIDTH_IN = 3.0
REAL, SYNTHETIC = "real", "synthetic"


@dataclass(frozen=True)
class StudyItem:
    """case: with a drawn tumor, whose largest axial cut is shown without its outline; source: for the key alone."""

    case: Case
    synthetic: bool
    source: str


def write_reader_study(items: Sequence[StudyItem], out: Path, seed: int = 0) -> dict[str, dict[str, str]]:
    """Write out/sheet.html, for readers, and out/key.json, which says what each item is; the key.

    Items come in an order that the seed draws, under numbers that say nothing. Raises InputError for items of one kind
    alone, for a case without a drawn tumor, and when the folder cannot be written.
    """
    if len({item.synthetic for item in items}) < 2:
        given = f"{len(items)} cases of one kind"
        raise input_error(given, "real and synthetic ones", "name a folder of each")
    order = np.random.default_rng(seed).permutation(len(items))
    shown = [items[int(n)] for n in order]
    pages = [{"number": n, "pictures": _pictures(item)} for n, item in enumerate(shown, 1)]
    key = {str(n): {"truth": _truth(item), "source": item.source} for n, item in enumerate(shown, 1)}
    page = filled("reader_study.html.j2", {"items": pages, "study": f"{len(items)} cases, order {seed}"})
    with staged(out) as folder:
        write_whole(folder / SHEET, page)
        write_whole(folder / KEY, json.dumps(key, indent=2, ensure_ascii=False) + "\n")
    return key


def _truth(item: StudyItem) -> str:
    return SYNTHETIC if item.synthetic else REAL


def _pictures(item: StudyItem) -> list[dict[str, str]]:
    """One of each modality, through the tumor's largest cut: where it lies is shown, its outline is not."""
    case = item.case
    if case.reference_mask is None or not case.reference_mask.array.any():
        raise input_error(f"the case {case.name} without a drawn tumor", "a mask of it", "leave the case out")
    scene = _scene(case, case.reference_mask.array > 0)
    return [
        {"title": title_of(m), "window": scene.windows[m].caption, "src": data_uri(_panel(scene, m))}
        for m in scene.images
    ]


def _scene(case: Case, tumor: np.ndarray) -> Scene:
    box = box_around(tumor, case.grid)
    grid = case.grid.cropped(triple(s.start for s in box), triple(s.stop for s in box))
    lesion, lps = turn(tumor[box], grid)
    images = {m: v.array for m, v in case.volumes.items()}
    return Scene(
        grid=lps,
        reference=case.reference,
        images={m: turn(a[box], grid)[0] for m, a in images.items()},
        valid={m: turn(case.valid[m][box], grid)[0] for m in images},
        masks={},
        uncertainty={},
        center_kji=center_of(lesion, lesion),
        windows=windows_of(case, images),
    )


def _panel(scene: Scene, modality: str) -> bytes:
    index = scene.center_kji[AXIAL.axis]
    gray = scene.windows[modality].gray(AXIAL.cut(scene.images[modality], index))
    rgb = np.repeat(gray[..., None], 3, axis=-1)
    rgb[~AXIAL.cut(scene.valid[modality], index)] = figures.OUTSIDE
    return figures.slice_panel(scene, AXIAL, index, rgb, (), WIDTH_IN)


def read_answers(path: Path, key: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """By item what a reader said: truth, and how sure from 1 to 3. Raises InputError for a file that is no answers to
    this sheet; an item that was left open is left out."""
    try:
        answers = json.loads(path.read_text(encoding="utf-8"))["answers"]
        found = {n: {"said": str(a["said"]), "sure": int(a["sure"])} for n, a in answers.items() if a.get("said")}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise input_error(f"the answers {path.name}", "a file that the sheet saved", "save them again") from error
    strange = [n for n, a in found.items() if n not in key or a["said"] not in (REAL, SYNTHETIC)]
    if strange or not found:
        given = f"the answers {path.name}" + (f" to an item {strange[0]}" if strange else " without a single one")
        raise input_error(given, f"answers to the {len(key)} items of this key", "name the key of the same sheet")
    return found
