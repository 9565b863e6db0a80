"""What the commands make of their arguments; each refuses in one sentence what it cannot use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from ..core.errors import input_error

if TYPE_CHECKING:
    from ..io.split import Split
    from ..models.zoo import Model
    from ..tasks.segment.cross_fitted import CrossFitted

NONE = "none"
PROBE_BYTES = 1 << 20  # the least that the results of any case take


def load_model(model: str, device: str) -> Model:
    """A segmenter by its id or the path of its folder."""
    from ..models.devices import choose
    from ..models.zoo import load_segmenter

    return load_segmenter(model, choose(device))


def cross_fitted(model: Model, others: str | None, device: str, patients: Sequence[str]) -> CrossFitted:
    """The model and those of --cross-fitted, with a note where their trainings differ. Raises InputError for one that
    is not there or of another kind, and, before any case is read, for a patient that all were trained on."""
    from ..tasks.segment.cross_fitted import CrossFitted, not_alike
    from .console import err_console

    names = [name.strip() for name in (others or "").split(",") if name.strip()]
    found = CrossFitted(model, tuple(load_model(name, device) for name in names))
    for sentence in not_alike(model.record, [other.record for other in found.others]):
        err_console.print(f"Note: {sentence}", markup=False)
    if found.others:
        found.asked(patients)
    return found


def listed(modalities: str | None) -> list[str] | None:
    """CT,PET -> its parts; raises InputError for a key that is none."""
    from ..core.modalities import MODALITIES

    wanted = [m.strip() for m in modalities.split(",") if m.strip()] if modalities else None
    if unknown := [m for m in wanted or () if m not in MODALITIES]:
        raise input_error(f"the modality {unknown[0]!r}", f"one of {', '.join(MODALITIES)}", "correct --modalities")
    return wanted


def modality_names(pairs: list[str] | None) -> dict[str, str]:
    """NAME=MODALITY pairs as a mapping; NAME=none is an image that shall not be read."""
    from ..io.study import UNUSED

    for pair in pairs or ():
        if "=" not in pair:
            raise input_error(f"--is {pair!r}", "NAME=MODALITY or NAME=none", "write it like scan3.nii.gz=MR_T1")
    told = dict(pair.rsplit("=", 1) for pair in pairs or ())
    return {name: UNUSED if key.lower() == NONE else key for name, key in told.items()}


def check_folder(out: Path) -> None:
    """Before minutes of computing: results go into a folder, and it takes files. Nothing is left there."""
    if out.exists() and not out.is_dir():
        raise input_error("an --out that is a file", "a folder for the results", "choose another name")
    there = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.exists())
    try:
        with TemporaryFile(dir=there) as probe:
            probe.write(b"\0" * PROBE_BYTES)
    except OSError as error:
        given = f"an --out that cannot be written ({error.strerror or type(error).__name__})"
        raise input_error(given, "a folder on a disk with room", "choose another one, or mend its rights") from error


def one_fold(folds: tuple[tuple[str, ...], ...], fold: int) -> tuple[str, ...]:
    if not 0 <= fold < len(folds):
        raise input_error(f"fold {fold}", f"a fold from 0 to {len(folds) - 1}", "choose one of the split's folds")
    return folds[fold]


def case_names(cases: Path, plan: Split | None, fold: int | None) -> list[str]:
    """The cases of the fold, of the split, or every folder that is there and not in need of a split."""
    if not cases.is_dir():
        raise input_error("a cases folder that does not exist", "a folder of case folders", "correct CASES")
    if fold is not None:
        if plan is None:
            raise input_error("--fold without a split", "a split.json", "pass --split")
        return list(one_fold(plan.folds, fold))
    there = sorted(p.name for p in cases.iterdir() if p.is_dir())
    if not there:
        raise input_error("a cases folder without case folders", "one folder per case", "correct CASES")
    known = [name for name in there if plan is None or name in plan.names or name in plan.crops]
    return known or there
