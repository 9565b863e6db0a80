"""autoPET (FDG-PET-CT-Lesions of TCIA, as its NIfTI): whole-body FDG-PET in SUV and CT on its grid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .plan import Drawn, Planned, PublicSet


def plan(folder: Path) -> Iterator[Planned]:
    """PETCT_<patient>/<study>/SUV.nii.gz, CTres.nii.gz, SEG.nii.gz; a patient may have several studies."""
    for suv in sorted(folder.rglob("SUV.nii.gz")):
        study, patient = suv.parent, suv.parent.parent.name
        others = [p for p in sorted(study.parent.iterdir()) if p.is_dir()]
        name = f"{patient}_{others.index(study) + 1}"
        images = {"CT": study / "CTres.nii.gz", "PET": suv}
        yield Planned(name, patient, images, {"GTV": Drawn(study / "SEG.nii.gz")})


AUTOPET = PublicSet(
    "autopet",
    "lesions on whole-body FDG PET with CT",
    "TCIA restricted: sign its agreement",
    "Gatidis S, Kuestner T (2022). A whole-body FDG-PET/CT dataset with manually annotated tumor lesions "
    "(FDG-PET-CT-Lesions). The Cancer Imaging Archive, https://doi.org/10.7937/gkr0-xv29",
    "https://github.com/lab-midas/TCIA_processing",
    plan,
)
