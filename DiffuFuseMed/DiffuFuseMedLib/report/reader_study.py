"""A reader study: real and synthetic tumors in one blinded sheet with a form, and the key that a reader never gets."""

from __future__ import annotations

import json
import secrets
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
from .planes import AXIAL
from .scene import Scene, box_around, center_of, turn
from .templates import filled
from .window_level import windows_of

SHEET, KEY = "sheet.html", "key.json"
WIDTH_IN = 3.0
TRUTHS = REAL, SYNTHETIC = "real", "synthetic"
Key = dict[str, Any]  # study, seed, and items: by number what each is


@dataclass(frozen=True)
class StudyItem:
    """case: with a drawn tumor, whose largest axial cut is shown without its outline; source: for the key alone."""

    case: Case
    synthetic: bool
    source: str


def write_reader_study(items: Sequence[StudyItem], out: Path, seed: int | None = None) -> Key:
    """Write out/sheet.html, for readers, and out/key.json, which says what each item is; the key.

    Items come in an order that the seed draws, a secret one by default, under numbers that say nothing. Raises
    InputError for items of one kind alone, for a case without a drawn tumor, for a folder that holds a key already, and
    when the folder cannot be written.
    """
    check_no_key(out)
    if len({item.synthetic for item in items}) < 2:
        given = f"{len(items)} cases of one kind"
        raise input_error(given, "real and synthetic ones", "name a folder of each")
    seed = secrets.randbelow(2**31) if seed is None else seed
    order = np.random.default_rng(seed).permutation(len(items))
    shown = [items[int(n)] for n in order]
    pages = [{"number": n, "pictures": _pictures(item)} for n, item in enumerate(shown, 1)]
    known = {str(n): {"truth": _truth(item), "source": item.source} for n, item in enumerate(shown, 1)}
    key: Key = {"study": secrets.token_hex(8), "seed": seed, "items": known}
    page = filled("reader_study.html.j2", {"items": pages, "study": key["study"]})
    with staged(out) as folder:
        write_whole(folder / SHEET, page)
        write_whole(folder / KEY, json.dumps(key, indent=2, ensure_ascii=False) + "\n")
    return key


def check_no_key(out: Path) -> None:
    """Raises InputError for a folder that holds the key of another study."""
    if (out / KEY).exists():
        given = f"the folder {out.name}, which holds the {KEY} of another study"
        raise input_error(given, "a folder of its own, or its answers would be lost", "choose another --out")


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


def read_key(path: Path) -> Key:
    """key.json as write_reader_study() wrote it. Raises InputError for any other file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["items"] and all(item["truth"] in TRUTHS for item in found["items"].values()) and found["study"]:
            return found
    except FileNotFoundError:
        raise input_error(f"the key {path.name}, which is not there", f"a {KEY}", "correct the path") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    raise input_error(f"the key {path.name}", f"a {KEY} as `reader-study sheet` wrote it", "name that file")


def read_answers(path: Path, key: Key) -> tuple[str, dict[str, dict[str, Any]]]:
    """A reader's name, and by item what was said: truth, and how sure from 1 to 3. Raises InputError for a file that is
    no answers to this key's sheet; an item that was left open is left out."""
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        answers, study, reader = read["answers"], read["study"], str(read.get("reader") or path.stem)
        answered = {n: a for n, a in answers.items() if a.get("said")}
        found: dict[str, dict[str, Any]] = {
            n: {"said": str(a["said"]), "sure": int(a["sure"])} for n, a in answered.items()
        }
    except FileNotFoundError:
        given = f"the answers {path.name}, which are not there"
        raise input_error(given, "a file that the sheet saved", "correct the path") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise input_error(f"the answers {path.name}", "a file that the sheet saved", "save them again") from error
    if study != key["study"] or set(found) - set(key["items"]):
        raise input_error(
            f"the answers {path.name} to another sheet", "those to this key's", "name the key of that sheet"
        )
    if strange := [n for n, a in found.items() if a["said"] not in TRUTHS or not 1 <= a["sure"] <= 3]:
        given = f"the answers {path.name} with {str(found[strange[0]])[:60]} for item {strange[0]}"
        raise input_error(given, "real or synthetic, and how sure from 1 to 3", "save them again")
    if not found:
        raise input_error(f"the answers {path.name} without a single one", "answered items", "save them again")
    return reader, found
