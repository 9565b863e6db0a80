"""Pictures of lung nodules with the union and the intersection of their readers' masks, as case folders for training.

Usage: python scripts/lidc_cases.py PICTURES OUT. PICTURES holds NAME.png, NAME_union.png and NAME_intersection.png,
NAME beginning with the patient's id; OUT gets NAME/CT.nii.gz, GTV_reader1.nii.gz (union) and GTV_reader2.nii.gz
(intersection), and split.json, whose four folds share no patient.

The pictures are stretched, each from its darkest to its brightest pixel, and tell no spacing: both are assumed, so what
is trained on them is for comparing systems on the same pictures, not for a CT. One picture could be found in its CT
(LIDC-IDRI-0001): 0 is -955 HU there and 255 is 251 HU, at 0.703 mm. A case has more than one slice: each picture is
there three times.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk

DARKEST_HU, BRIGHTEST_HU, PIXEL_MM, SLICE_MM = -955.0, 251.0, 0.703, 2.5
SLICES, FOLDS = 3, 4
MASKS = {"GTV_reader1": "_union", "GTV_reader2": "_intersection"}


def picture(path: Path) -> np.ndarray:
    return sitk.GetArrayFromImage(sitk.ReadImage(str(path), sitk.sitkUInt8))


def write(array: np.ndarray, path: Path) -> None:
    """One picture, (rows, columns), as a volume of slices that are all alike."""
    image = sitk.GetImageFromArray(np.repeat(array[None], SLICES, axis=0))
    image.SetSpacing((PIXEL_MM, PIXEL_MM, SLICE_MM))
    sitk.WriteImage(image, str(path))


def write_case(source: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    share = picture(source).astype(np.float32) / 255
    hounsfield = DARKEST_HU + share * (BRIGHTEST_HU - DARKEST_HU)
    write(np.round(hounsfield).astype(np.int16), folder / "CT.nii.gz")
    for name, ending in MASKS.items():
        mask = picture(source.with_name(source.stem + ending + ".png")) > 0
        write(mask.astype(np.uint8), folder / f"{name}.nii.gz")


def folds(names: list[str]) -> list[list[str]]:
    """The cases of every fourth patient each."""
    patients = sorted({name.split("_")[0] for name in names})
    return [[n for n in names if patients.index(n.split("_")[0]) % FOLDS == fold] for fold in range(FOLDS)]


def main(pictures: Path, out: Path) -> None:
    endings = (*MASKS.values(), "_dif")
    sources = [path for path in sorted(pictures.glob("*.png")) if not path.stem.endswith(endings)]
    for source in sources:
        write_case(source, out / source.stem)
    split = {"folds": folds([source.stem for source in sources])}
    (out / "split.json").write_text(json.dumps(split, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
