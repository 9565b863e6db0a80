"""The files of one fusion: the picture, its uncertainty, the record and the page."""

from __future__ import annotations

from pathlib import Path

from ..core.case import Case
from ..core.fusion import Fusion
from ..core.staging import staged
from ..io.export.fusion import write_fusion
from .page import write_fusion_report


def write_fused_case(fusion: Fusion, case: Case, out: Path) -> dict[str, Path]:
    """fused.nrrd, fusion_uncertainty.nrrd, fusion.json and report.html into `out`, all or none; the files by name."""
    with staged(out) as folder:
        files = write_fusion(fusion, case, folder)
        write_fusion_report(fusion, case, folder / "report.html")
    return {**{name: out / file.name for name, file in files.items()}, "report": out / "report.html"}
