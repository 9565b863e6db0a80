"""LiTS: liver tumors on CT of 131 patients."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .plan import Drawn, Planned, PublicSet, either

TUMOR = 2  # 1 is the liver
VOLUME = re.compile(r"volume-(\d+)\.nii(?:\.gz)?")


def plan(folder: Path) -> Iterator[Planned]:
    """volume-N.nii and segmentation-N.nii, at any depth (Training Batch 1 and 2)."""
    found = [(int(m[1]), path) for path in folder.rglob("volume-*.nii*") if (m := VOLUME.fullmatch(path.name))]
    for number, path in sorted(found):
        name = f"LITS_{number:03d}"
        drawn = either(path.with_name(path.name.replace("volume", "segmentation")))
        yield Planned(name, name, {"CT": path}, {"GTV": Drawn(drawn, (TUMOR,))})


LITS = PublicSet(
    "lits",
    "liver tumors on CT",
    "CC BY-NC-ND 4.0",
    "Bilic P et al. (2023). The Liver Tumor Segmentation Benchmark (LiTS). Medical Image Analysis 84:102680, "
    "https://doi.org/10.1016/j.media.2022.102680",
    "https://competitions.codalab.org/competitions/17094",
    plan,
)
