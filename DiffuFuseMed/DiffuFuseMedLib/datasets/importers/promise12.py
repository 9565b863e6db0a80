"""PROMISE12: the prostate on T2-weighted MR of 50 patients. What is drawn is the organ, no lesion."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from .plan import Drawn, Planned, PublicSet

CASE = re.compile(r"Case\d{2}\.mhd")


def plan(folder: Path) -> Iterator[Planned]:
    """CaseNN.mhd and CaseNN_segmentation.mhd, each with its .raw, at any depth."""
    for path in sorted(p for p in folder.rglob("Case*.mhd") if CASE.fullmatch(p.name)):
        name = f"PROMISE12_{path.stem}"
        drawn = Drawn(path.with_name(f"{path.stem}_segmentation.mhd"))
        yield Planned(name, name, {"MR_T2": path}, {"GTV": drawn})


PROMISE12 = PublicSet(
    "promise12",
    "the prostate on MR_T2",
    "of the challenge: registration",
    "Litjens G et al. (2014). Evaluation of prostate segmentation algorithms for MRI: The PROMISE12 challenge. Medical "
    "Image Analysis 18(2):359-373, https://doi.org/10.1016/j.media.2013.12.002",
    "https://promise12.grand-challenge.org/Details/",
    plan,
)
