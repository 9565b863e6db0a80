"""A synthetic case as NIfTI: every file says "synthetic" in its name and its header. Never DICOM, which would make it
an image of the patient whose case it was drawn into."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ...core.case import Case
from ...core.staging import staged
from ...core.synthetic import DESCRIPTION, WARNING, WORD, Synthetic
from ...core.volume import Volume
from ...core.whole_file import not_whole, write_whole
from ..written_voxels import check_nifti
from .record import plain

MASK, RECORD = f"GTV_{WORD}.nii.gz", f"{WORD}.json"


def write_synthetic(synthetic: Synthetic, case: Case, folder: Path) -> dict[str, Path]:
    """Write images, mask and record into `folder` (made when missing), all or none, and return the files by modality,
    "mask" and "record". Images that the network does not know are left out. Raises InputError when the folder cannot
    be written. Images of an earlier synthetic case in the folder go."""
    with staged(folder, replacing=[path.name for path in folder.glob(f"*_{WORD}.nii.gz")]) as staging:
        names = {m: f"{m}_{WORD}.nii.gz" for m in synthetic.volumes}
        for modality, name in names.items():
            _write(synthetic.volumes[modality], staging / name)
        _write(Volume(synthetic.mask.astype(np.uint8), case.grid), staging / MASK)
        write_whole(staging / RECORD, json.dumps(_record(synthetic, case, names), indent=2, allow_nan=False) + "\n")
    return {name: folder / file for name, file in {**names, "mask": MASK, "record": RECORD}.items()}


def drawn_into(folder: Path) -> str:
    """The case that a synthetic one's record names; empty where there is none that can be read."""
    try:
        return str(json.loads((folder / RECORD).read_text(encoding="utf-8"))["drawn_into"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _write(volume: Volume, path: Path) -> None:
    image = volume.to_sitk()
    image.SetMetaData("ITK_FileNotes", DESCRIPTION)
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as cause:
        raise not_whole(path) from cause
    check_nifti(path, volume.array)


def _record(synthetic: Synthetic, case: Case, names: dict[str, str]) -> dict:
    entries = {
        WORD: True,
        "warning": WARNING,
        "drawn_into": case.name,
        "files": {**names, "mask": MASK},
        "grid": case.grid,
        "appearance": {"wanted": synthetic.wanted, "measured": synthetic.measured},
        "changed_voxels": int(synthetic.changed.sum()),
        "notes": list(case.notes),
        "provenance": synthetic.provenance,
    }
    return plain(entries)
