"""BraTS 2018 to 2021: FLAIR, T1, T1 with contrast agent and T2 of gliomas, skull-stripped on one grid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .plan import Drawn, Planned, PublicSet, either

WORDS = {"MR_FLAIR": "flair", "MR_T1": "t1", "MR_T1C": "t1ce", "MR_T2": "t2"}


def plan(folder: Path) -> Iterator[Planned]:
    """<case>/<case>_flair.nii.gz and so on, at any depth (HGG/ and LGG/ in 2018 and 2019); .nii as some copies have it.
    The lesion is the whole tumor: every label of <case>_seg."""
    found = {path.parent for path in (*folder.rglob("*_flair.nii.gz"), *folder.rglob("*_flair.nii"))}
    for case in sorted(found):
        files = {word: either(case / f"{case.name}_{word}.nii.gz") for word in (*WORDS.values(), "seg")}
        images = {key: files[word] for key, word in WORDS.items()}
        yield Planned(case.name, case.name, images, {"GTV": Drawn(files["seg"])})


BRATS = PublicSet(
    "brats",
    "gliomas on MR_FLAIR, MR_T1, MR_T1C, MR_T2; whole tumor",
    "of the challenge: registration, no redistribution",
    "Menze BH et al. (2015). The Multimodal Brain Tumor Image Segmentation Benchmark (BRATS). IEEE TMI 34(10), "
    "https://doi.org/10.1109/TMI.2014.2377694",
    "https://www.med.upenn.edu/cbica/brats2020/data.html",
    plan,
)
