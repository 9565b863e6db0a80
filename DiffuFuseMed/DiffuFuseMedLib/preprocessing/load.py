"""A case folder read and aligned in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from ..core.case import Case
from ..core.modalities import is_mr
from ..core.resampling import valid_mask
from ..core.volume import Volume
from ..io.study import read_study
from .align import align
from .intensity import n4


def load_case(
    folder: str | Path,
    modalities: Mapping[str, str] | Iterable[str] | None = None,
    reference: str | None = None,
    register: str = "auto",
    correct_bias: bool = False,
) -> Case:
    """read_study() and align(): the folder's volumes on one grid; its drawn lesion is the reference mask.

    correct_bias: N4 on every MR before it is aligned.
    """
    study = read_study(folder, modalities)
    volumes = {m: _corrected(v) if correct_bias and is_mr(m) else v for m, v in study.volumes.items()}
    return align(volumes, reference, register, study.name, study.reference_mask, study.notes)


def _corrected(volume: Volume) -> Volume:
    note = f"The bias field of {volume.modality} was corrected (N4)."
    corrected = n4(volume, valid_mask(volume))
    return corrected.with_array(corrected.array, notes=[*volume.meta.get("notes", ()), note])
