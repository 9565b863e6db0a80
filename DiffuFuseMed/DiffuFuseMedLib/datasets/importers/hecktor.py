"""HECKTOR 2022: head and neck tumors and lymph nodes on FDG PET and CT."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .plan import Drawn, Planned, PublicSet

CT = "__CT.nii.gz"


def plan(folder: Path) -> Iterator[Planned]:
    """imagesTr/CHUM-001__CT.nii.gz and __PT.nii.gz, labelsTr/CHUM-001.nii.gz: primary tumor (1) and nodes (2)."""
    for ct in sorted(folder.rglob(f"imagesTr/*{CT}")):
        name = ct.name.removesuffix(CT)
        images = {"CT": ct, "PET": ct.with_name(f"{name}__PT.nii.gz")}
        yield Planned(name, name, images, {"GTV": Drawn(ct.parents[1] / "labelsTr" / f"{name}.nii.gz", (1, 2))})


HECKTOR = PublicSet(
    "hecktor",
    "head and neck tumors and nodes on FDG PET with CT",
    "of the challenge: registration, no redistribution",
    "Andrearczyk V et al. (2023). Overview of the HECKTOR Challenge at MICCAI 2022. LNCS 13626, "
    "https://doi.org/10.1007/978-3-031-27420-6_1",
    "https://hecktor.grand-challenge.org/Data/",
    plan,
)
