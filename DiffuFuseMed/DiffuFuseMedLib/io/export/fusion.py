"""What a fusion writes: the fused image, its uncertainty, and one record of numbers, all of it or nothing."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ...core.case import Case
from ...core.errors import input_error
from ...core.fusion import Fusion
from ...core.maps import MAPS
from ...core.staging import staged
from ...core.whole_file import write_whole
from ..nrrd import PREFIX, provenance_header, write_nrrd
from .record import plain

IMAGE_UNITS = "gray value from 0 to 1"
LONG = ("config", "notes")  # in fusion.json only


def write_fusion(fusion: Fusion, case: Case, folder: Path) -> dict[str, Path]:
    """Write the fusion into `folder` (made when missing) and return its files by name.

    fused: fused.nrrd, float32 gray from 0 to 1; fusion_uncertainty: fusion_uncertainty.nrrd, float32 probability from 0
    to 1; fusion_record: fusion.json. Files appear together at the end; a failure before leaves the folder as it was.
    Raises InputError when the folder cannot be written or the case is on another grid.
    """
    if not fusion.grid.same_as(case.grid):
        raise input_error("a fusion on another grid than its case", "one grid", "fuse this case again")
    header = _header(fusion)
    with staged(folder) as staging:
        files = {}
        for name, (array, units) in _images(fusion).items():
            files[name] = staging / f"{name}.nrrd"
            write_nrrd(array.astype(np.float32), fusion.grid, files[name], {**header, PREFIX + "units": units})
        files["fusion_record"] = staging / "fusion.json"
        text = json.dumps(fusion_record(fusion, case), indent=2, allow_nan=False)
        write_whole(files["fusion_record"], text + "\n")
    return {name: folder / file.name for name, file in files.items()}


def fusion_record(fusion: Fusion, case: Case) -> dict[str, Any]:
    """All that is known of the fusion as plain JSON values; a number that is not finite becomes None."""
    sources, volumes_ml = fusion.rois.source, fusion.roi_ml
    entries = {
        "case": case.name,
        "modalities": {"ct": "CT", "mri": fusion.mri},
        "grid": fusion.grid,
        "preset": fusion.preset,
        "settings": fusion.settings,
        "seed": fusion.settings.seed,
        "region": fusion.rois.region,
        "rois": {name: {"source": sources.get(name, ""), "volume_ml": ml} for name, ml in volumes_ml.items()},
        "metrics": fusion.metrics,
        "flicker": fusion.fused.flicker,
        "timings_s": fusion.fused.timings,
        "notes": fusion.notes,
        "provenance": fusion.fused.provenance,
    }
    return plain(entries)


def _images(fusion: Fusion) -> dict[str, tuple[np.ndarray, str]]:
    fused = fusion.fused
    spec = MAPS["fusion"]
    return {"fused": (fused.image, IMAGE_UNITS), spec.file: (fused.uncertainty, spec.file_unit)}


def _header(fusion: Fusion) -> dict[str, str]:
    """Every setting and the provenance as NRRD pairs; what has entries of its own takes one pair each."""
    preset = {"preset": fusion.preset.name} if fusion.preset else {}
    told = {**asdict(fusion.settings), **preset, **fusion.fused.provenance, "mri": fusion.mri}
    return provenance_header(flat(told))


def flat(entries: dict[str, Any]) -> dict[str, Any]:
    """{"student": {"id": "x"}} becomes {"student_id": "x"}; a list becomes its words."""
    told: dict[str, Any] = {}
    for key, value in entries.items():
        if key in LONG:
            continue
        if isinstance(value, dict):
            told.update({f"{key}_{inner}": item for inner, item in flat(value).items()})
        elif isinstance(value, (list, tuple)):
            told[key] = " ".join(f"{item:g}" if isinstance(item, float) else str(item) for item in value)
        else:
            told[key] = value
    return told
