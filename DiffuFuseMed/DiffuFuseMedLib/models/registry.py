"""The registry: what can be told of models without loading one, from the model.json of each folder models/<id>/."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core.errors import InputError, input_error
from ..core.fields import wrong_field
from ..core.staging import staged
from ..core.whole_file import write_whole
from ..systems import SYSTEMS

RECORD = "model.json"
CARD = "card.md"
WEIGHTS = "weights.safetensors"
LARGEST_WINDOW = 512**3  # voxels; a network sees them at once
DEFAULT_MODEL = "sts-diffufusemed"


@dataclass(frozen=True)
class ModelRecord:
    """model.json. window: shape and spacing_kji_mm of the network's window, of a 2D network without the k, {} where it
    has none; calibration: what predict needs to make probabilities, contours and the volume interval honest, {} before
    it was fitted; training: patients, seed, steps, minutes, hardware; metrics: numbers printed by `diffufusemed
    evaluate`; stages: of a system of several networks each stage's sha256, {} for one file of weights.
    """

    id: str
    system: str
    config: dict[str, Any]
    window: dict[str, Any]
    sha256: str
    licence: str
    training: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises InputError for a window that no network can have, and for a stage that names no file."""
        _check_window(self.window)
        if strange := [name for name in self.stages if not name.isidentifier()]:
            raise input_error(f"a stage called {strange[0][:40]!r}", "letters, digits and _", "install the model again")

    @property
    def files(self) -> dict[str, str]:
        """The sha256 of each file of weights, by its name: one, or one a stage."""
        return {f"weights.{stage}.safetensors": sha for stage, sha in self.stages.items()} or {WEIGHTS: self.sha256}

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model takes: keys of core.modalities.MODALITIES; "MR" for any of its contrasts."""
        return tuple(self.config.get("modalities", ()))

    @property
    def task(self) -> str | None:
        """What the system is for, a folder of tasks/; None when this version does not know the system."""
        return SYSTEMS[self.system].task if self.system in SYSTEMS else None


def models_folder() -> Path:
    """DIFFUFUSEMED_MODELS when set, else models/ of the source tree or Slicer extension that this file is in."""
    if told := os.environ.get("DIFFUFUSEMED_MODELS"):
        return Path(told)
    here = Path(__file__).resolve()
    packaged = here.parents[2] / "Resources" / "models"  # beside the module, where CMakeLists.txt copies it
    return packaged if packaged.is_dir() else here.parents[3] / "models"


def models(folder: Path | None = None) -> list[ModelRecord]:
    """The records of every model in the folder, in the order of their folders' names."""
    return [read_record(path) for path in _folders(folder or models_folder())]


def record(model_id: str, folder: Path | None = None) -> ModelRecord:
    """The record of one model, by its id or by the path of its folder. Raises InputError for an unknown one."""
    return read_record(model_folder(model_id, folder))


def card(model_id: str, folder: Path | None = None) -> Path | None:
    """The card.md of a model, None when it has none. Raises InputError for an unknown model."""
    path = model_folder(model_id, folder) / CARD
    return path if path.is_file() else None


def model_folder(model_id: str, folder: Path | None = None) -> Path:
    """Where the model of this id lies; a path to such a folder is taken too."""
    root = folder or models_folder()
    for path in (root / model_id, Path(model_id)):
        if (path / RECORD).is_file():
            return path
    known = ", ".join(path.name for path in _folders(root)) or "none"
    raise input_error(f"the model {model_id!r}", f"one of those installed ({known})", "see `diffufusemed models list`")


def read_record(path: Path) -> ModelRecord:
    """The record of one model folder; raises InputError, one sentence, when it is no such record."""
    try:
        values = json.loads((path / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise _not_a_record(f"the unreadable {RECORD} of {path.name}") from error
    if not isinstance(values, dict):
        raise _not_a_record(f"the {RECORD} of {path.name}, which is no JSON object")
    if wrong := wrong_field(values, ModelRecord):
        raise _not_a_record(f"the {RECORD} of {path.name} with {wrong}")
    return ModelRecord(**values)


def _not_a_record(given: str) -> InputError:
    return input_error(given, "the record written beside the weights", "install the model again")


def write_record(record: ModelRecord, path: Path) -> None:
    """Write model.json into the model folder `path`. Raises InputError when the disk refuses."""
    values = {name: value for name, value in asdict(record).items() if name != "stages" or value}
    with staged(path) as folder:
        write_whole(folder / RECORD, json.dumps(values, indent=2) + "\n")


def _check_window(window: dict[str, Any]) -> None:
    shape, spacing_mm = window.get("shape", ()), window.get("spacing_kji_mm", ())
    if not _are_numbers(shape, int) or any(n < 1 for n in shape) or math.prod(shape) > LARGEST_WINDOW:
        wanted = f"voxels along k, j and i, {LARGEST_WINDOW} together at most"
        raise input_error(f"a window of shape {str(shape)[:40]}", wanted, "install the model again")
    if not _are_numbers(spacing_mm, (int, float)) or not all(0 < mm < math.inf for mm in spacing_mm):
        given = f"a window with a spacing of {str(spacing_mm)[:40]} mm"
        raise input_error(given, "millimeters above zero along k, j and i", "install the model again")


def _are_numbers(values: Any, kind: type | tuple[type, ...]) -> bool:
    """Whether these are three numbers of this kind, two for a network of slices, or none at all."""
    if not isinstance(values, (list, tuple)) or len(values) not in (0, 2, 3):
        return False
    return all(isinstance(v, kind) and not isinstance(v, bool) for v in values)


def _folders(root: Path) -> list[Path]:
    return [path.parent for path in sorted(root.glob(f"*/{RECORD}"))]
