"""A case folder read and aligned in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from .align import align
from .case import Case
from .io.study import read_study


def load_case(
    folder: str | Path,
    modalities: Mapping[str, str] | Iterable[str] | None = None,
    reference: str | None = None,
    register: str = "auto",
) -> Case:
    """read_study() and align(): the folder's volumes on one grid; its drawn lesion is the reference mask."""
    study = read_study(folder, modalities)
    return align(study.volumes, reference, register, study.name, study.reference_mask, study.notes)
