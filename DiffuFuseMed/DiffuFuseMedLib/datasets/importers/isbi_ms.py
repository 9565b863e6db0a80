"""ISBI 2015 longitudinal MS challenge: white matter lesions drawn by two raters, several visits a patient."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .plan import Drawn, Planned, PublicSet, either

WORDS = {"MR_FLAIR": "flair", "MR_T1": "mprage", "MR_T2": "t2"}  # proton density is no modality here
FLAIR = re.compile(r"(training\d+)_(\d+)_flair_pp\.nii(?:\.gz)?")


def plan(folder: Path) -> Iterator[Planned]:
    """training01/preprocessed/training01_02_flair_pp.nii and training01/masks/training01_02_mask1.nii, _mask2.nii."""
    for flair in sorted(folder.rglob("*_flair_pp.nii*")):
        if not (found := FLAIR.fullmatch(flair.name)):
            continue
        patient, visit = found[1], f"{found[1]}_{found[2]}"
        images = {key: either(flair.with_name(flair.name.replace("flair", word))) for key, word in WORDS.items()}
        masks = flair.parents[1] / "masks"
        drawn = {f"GTV_rater{n}": Drawn(either(masks / f"{visit}_mask{n}.nii")) for n in (1, 2)}
        yield Planned(visit, patient, images, drawn)


ISBI_MS = PublicSet(
    "isbi-ms",
    "MS lesions of two raters on MR_FLAIR, MR_T1, MR_T2",
    "of the challenge: registration, no redistribution",
    "Carass A et al. (2017). Longitudinal multiple sclerosis lesion segmentation: Resource and challenge. NeuroImage "
    "148:77-102, https://doi.org/10.1016/j.neuroimage.2016.12.064",
    "https://smart-stats-tools.org/lesion-challenge",
    plan,
)
