"""The registry: what can be told of models without loading one, from the model.json of each folder models/<id>/."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ..core import strict_json
from ..core.errors import InputError, input_error
from ..core.fields import wrong_field
from ..core.staging import staged
from ..core.whole_file import write_whole
from ..systems import SYSTEMS
from .record_checks import check_calibration, check_config, check_domain, check_members, check_window, checksum

RECORD = "model.json"
CARD = "card.md"
WEIGHTS = "weights.safetensors"
CHECKSUM = "record_sha256"  # the field of model.json that all its others are held against
LEFT_OUT = ("stages", "domain", "members")  # where they are empty
DEFAULT_MODEL = "sts-panel"


@dataclass(frozen=True)
class ModelRecord:
    """model.json. window: shape and spacing_kji_mm of the network's window, of a 2D network without the k, {} where it
    has none; calibration: what predict needs to make probabilities, contours and the volume interval honest, {} before
    it was fitted; training: patients, seed, steps, minutes, hardware; metrics: numbers printed by `diffufusemed
    evaluate`; stages: of a system of several networks each stage's sha256, {} for one file of weights;
    domain: which cases it is for (preprocessing/domain.py), {} where nobody fitted it; members: of a panel the sha256
    of each segmenter that reads a case for it, by id, the one whose lesion counts first; {} for a network of its own.
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
    domain: dict[str, Any] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises InputError for a window, settings or a calibration that no network can have, and for a stage that
        names no file."""
        check_window(self.window)
        check_config(self.config)
        check_calibration(self.calibration)
        check_domain(self.domain)
        check_members(self.members)
        if strange := [name for name in self.stages if not name.isidentifier()]:
            raise input_error(f"a stage called {strange[0][:40]!r}", "letters, digits and _", "install the model again")

    @property
    def files(self) -> dict[str, str]:
        """The sha256 of each file of weights, by its name: one, or one a stage; a panel's are its members'."""
        if self.members:
            return {}
        return {f"weights.{stage}.safetensors": sha for stage, sha in self.stages.items()} or {WEIGHTS: self.sha256}

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the model takes: keys of core.modalities.MODALITIES; "MR" for any of its contrasts. A synthesizer takes
        what its autoencoder does."""
        inner = self.config.get("autoencoder")
        told = inner if isinstance(inner, dict) else self.config
        return tuple(told.get("modalities", ()))

    @property
    def calibrated_alone(self) -> frozenset[frozenset[str]]:
        """Which of its modalities are enough for numbers that were calibrated so, besides all of them together."""
        return frozenset(frozenset(some.split()) for some in self.calibration.get("given", {}))

    @property
    def patients(self) -> tuple[str, ...]:
        """Whom it was trained on, and before it the model that its training went on from; () where it does not say. A
        fusion model calls them trained_on."""
        return tuple(dict.fromkeys(_trained_on(self.training)))

    @property
    def task(self) -> str | None:
        """What the system is for, a folder of tasks/; None when this version does not know the system."""
        if self.members:
            return "segment"
        return SYSTEMS[self.system].task if self.system in SYSTEMS else None


def _trained_on(training: Any) -> list[str]:
    if not isinstance(training, dict):
        return []
    before = training.get("started_from")
    own = training.get("patients") or training.get("trained_on") or []
    return [*own, *(_trained_on(before.get("training")) if isinstance(before, dict) else [])]


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


def weights_bytes(record: ModelRecord, folder: Path | None = None) -> int:
    """How large its files of weights are; of a panel those of its members, as far as they are there."""
    return weights_bytes_in(model_folder(record.id, folder), record)


def weights_bytes_in(path: Path, record: ModelRecord) -> int:
    """weights_bytes() of the model in this folder, whose name need not be its id."""
    places = [path.parent / name for name in record.members] or [path]
    return sum(file.stat().st_size for place in places for file in place.glob("weights.*"))


def read_record(path: Path) -> ModelRecord:
    """The record of one model folder; raises InputError, one sentence, when it is no such record, or another than was
    written beside the weights."""
    name, values = f"the {RECORD} of {path.name}", _json_of(path)
    if not isinstance(values, dict):
        raise _not_a_record(f"{name}, which is no JSON object")
    told = values.pop(CHECKSUM, None)
    if wrong := wrong_field(values, ModelRecord):
        raise _not_a_record(f"{name} with {wrong}")
    if told is None:
        raise _not_a_record(f"{name} without its own checksum ({CHECKSUM})")
    if told != checksum(values):
        raise _not_a_record(f"{name}, which was changed or damaged since its checksum was written")
    return ModelRecord(**values)


def _json_of(path: Path) -> Any:
    file, name = path / RECORD, f"the unreadable {RECORD} of {path.name}"
    try:
        if file.stat().st_size > strict_json.LARGEST_BYTES:  # before it is in memory
            raise _not_a_record(f"{name} ({file.stat().st_size} bytes)")
        return strict_json.loads(file.read_text(encoding="utf-8"))
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise _not_a_record(f"{name} ({error})" if type(error) is ValueError else name) from error


def _not_a_record(given: str) -> InputError:
    return input_error(given, "the record written beside the weights", "install the model again")


def write_record(record: ModelRecord, path: Path) -> None:
    """Write model.json, with its own checksum, into the model folder `path`; a number that is none, as a training may
    have met, is written as null. Raises InputError when the disk refuses."""
    values = strict_json.finite(
        {name: value for name, value in asdict(record).items() if name not in LEFT_OUT or value}
    )
    text = json.dumps({**values, CHECKSUM: checksum(values)}, indent=2, allow_nan=False)
    with staged(path) as folder:
        write_whole(folder / RECORD, text + "\n")


def _folders(root: Path) -> list[Path]:
    return [path.parent for path in sorted(root.glob(f"*/{RECORD}"))]
