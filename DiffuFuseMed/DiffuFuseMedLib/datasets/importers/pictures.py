"""A picture in color and what is drawn on it, as a case of one slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...core.errors import input_error
from ...core.grid import Grid
from ...core.volume import Volume
from ...io.picture_pairs import luminance, read_picture
from .plan import Content

HALF = 0.5  # of white: JPEG leaves grays beside the edges of a mask


def read_pictures(picture: Path, drawn: dict[str, Path]) -> Content:
    """RGB, and the masks by name: bright is drawn. A pixel counts as a millimeter: nothing tells how large it is.

    Raises InputError for a file that is missing or no 8-bit picture, one that is gray, and a mask of another size.
    """
    colors = _read(picture)
    if colors.ndim != 3:
        raise input_error(f"{picture.name} without color", "red, green and blue", "take the set as it is downloaded")
    height, width, _ = colors.shape
    grid = Grid((width, height, 1))
    masks = {name: luminance(_read(file)) > HALF for name, file in drawn.items()}
    for name, mask in masks.items():
        if mask.shape != (height, width):
            size = f"{mask.shape[1]} x {mask.shape[0]} pixels"
            given = f"{drawn[name].name} of {size} for {picture.name} of {width} x {height}"
            raise input_error(given, "a mask of the picture's size", "take the set as it is downloaded")
    image = Volume(np.rint(255 * colors[None]).astype(np.uint8), grid, "RGB")
    return Content({"RGB": image}, {name: Volume(mask[None], grid) for name, mask in masks.items()})


def _read(file: Path) -> np.ndarray:
    if not file.is_file():
        raise input_error(f"file '{file.name}' that is not there", "the set as it is downloaded", "add it")
    return read_picture(file)
