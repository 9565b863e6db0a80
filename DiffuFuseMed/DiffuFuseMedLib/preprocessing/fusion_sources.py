"""What of a case is fused: its CT and one MR."""

from __future__ import annotations

from ..core.case import Case
from ..core.errors import input_error
from ..core.modalities import MODALITIES, is_mr


def mr_keys(case: Case) -> list[str]:
    """The MRs that the case has, in the order of MODALITIES."""
    return [m for m in MODALITIES if is_mr(m) and m in case.volumes]


def why_no_fusion(case: Case) -> str | None:
    """What the case lacks for a fusion, as a phrase; None when it lacks nothing."""
    lacks = [name for name, there in (("CT", "CT" in case.volumes), ("MR", bool(mr_keys(case)))) if not there]
    return f"the case has no {' and no '.join(lacks)}" if lacks else None


def mr_of(case: Case, wanted: str | None = None) -> str:
    """The key of the MR to fuse: the wanted one, else the case's first. Raises InputError without a CT, without an MR
    and for a wanted one that is not there."""
    if lacks := why_no_fusion(case):
        given = ", ".join(case.modalities) or "no modality"
        raise input_error(f"a case with {given}", "a CT and an MR to fuse", f"add what is missing, as {lacks}")
    there = mr_keys(case)
    if wanted is not None and wanted not in there:
        remedy = "choose one of these or load it"
        raise input_error(f"the MR {wanted[:40]!r}", f"one that the case has ({', '.join(there)})", remedy)
    return wanted or there[0]


def with_one_mr(case: Case, wanted: str | None = None) -> Case:
    """The case with the MR of mr_of() alone beside its other modalities; raises InputError as that does."""
    mri = mr_of(case, wanted)
    return case.only([m for m in case.modalities if m == mri or m not in mr_keys(case)])
