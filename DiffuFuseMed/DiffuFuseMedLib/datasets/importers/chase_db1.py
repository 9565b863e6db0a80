"""CHASE_DB1: the vessels of 28 retinas of 14 children, drawn by two observers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from .pictures import read_pictures
from .plan import Planned, PublicSet

EYE = re.compile(r"Image_(\d{2})[LR]")
OBSERVERS = {"GTV_observer1": "1stHO", "GTV_observer2": "2ndHO"}


def plan(folder: Path) -> Iterator[Planned]:
    """Image_01L.jpg, Image_01L_1stHO.png and Image_01L_2ndHO.png; both eyes are of one child."""
    for path in sorted(folder.rglob("Image_*.jpg")):
        if found := EYE.fullmatch(path.stem):
            drawn = {name: path.with_name(f"{path.stem}_{who}.png") for name, who in OBSERVERS.items()}
            yield Planned(f"CHASE_{path.stem}", f"CHASE_{found[1]}", read=partial(read_pictures, path, drawn))


CHASE_DB1 = PublicSet(
    "chase-db1",
    "vessels of the retina of two observers on pictures in color",
    "CC BY 4.0",
    "Fraz MM et al. (2012). An ensemble classification-based approach applied to retinal blood vessel segmentation. "
    "IEEE TBME 59(9):2538-2548, https://doi.org/10.1109/TBME.2012.2205687",
    "https://researchdata.kingston.ac.uk/96/",
    plan,
)
