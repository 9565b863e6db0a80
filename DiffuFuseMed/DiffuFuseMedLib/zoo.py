"""The model zoo: folders models/<id>/ with model.json, weights.safetensors and card.md, checked before loading."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .data.errors import input_error
from .systems import FUSERS, SYSTEMS

WEIGHTS = "weights.safetensors"
RECORD = "model.json"


@dataclass(frozen=True)
class ModelRecord:
    """model.json. window: shape and spacing_kji_mm of the network's window; calibration: what predict needs to make
    probabilities, contours and the volume interval honest, {} before it was fitted; training: patients, seed, steps,
    minutes, hardware; metrics: numbers printed by `diffufusemed evaluate`.
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


@dataclass(frozen=True)
class Model:
    """A loaded system with its record; network is in eval mode on device."""

    record: ModelRecord
    network: nn.Module
    device: str

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.network.config.modalities)


def models_folder() -> Path:
    """DIFFUFUSEMED_MODELS when set, else models/ of the source tree that this file belongs to."""
    told = os.environ.get("DIFFUFUSEMED_MODELS")
    return Path(told) if told else Path(__file__).resolve().parents[2] / "models"


def list_models(folder: Path | None = None) -> list[ModelRecord]:
    """The records of every model in the folder, by id."""
    root = folder or models_folder()
    return [read_record(p.parent) for p in sorted(root.glob(f"*/{RECORD}"))]


def model_folder(model_id: str, folder: Path | None = None) -> Path:
    """Where the model of this id lies; a path to such a folder is taken too."""
    root = folder or models_folder()
    for path in (root / model_id, Path(model_id)):
        if (path / RECORD).is_file():
            return path
    known = ", ".join(p.parent.name for p in sorted(root.glob(f"*/{RECORD}"))) or "none"
    raise input_error(f"the model {model_id!r}", f"one of those installed ({known})", "see `diffufusemed models list`")


def read_record(path: Path) -> ModelRecord:
    """The record of one model folder; raises InputError when it is no such record."""
    try:
        return ModelRecord(**json.loads((path / RECORD).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise input_error(
            f"the unreadable {RECORD} of {path.name}",
            "the record written beside the weights",
            "install the model again",
        ) from error


def write_record(record: ModelRecord, path: Path) -> None:
    (path / RECORD).write_text(json.dumps(asdict(record), indent=2) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify(model_id: str, folder: Path | None = None) -> ModelRecord:
    """The record, once the weights are seen to be those it was written for; raises InputError when they are not."""
    path = model_folder(model_id, folder)
    record, weights = read_record(path), path / WEIGHTS
    if not weights.is_file():
        raise input_error(f"the model {record.id} without {WEIGHTS}", "its weights", "install the model again")
    found = sha256_of(weights)
    if found != record.sha256:
        raise input_error(
            f"weights of {record.id} with sha256 {found[:12]}...",
            f"{record.sha256[:12]}..., as its {RECORD} says",
            "they were changed or damaged, so install the model again",
        )
    return record


def weights(model_id: str, folder: Path | None = None) -> tuple[dict[str, Tensor], ModelRecord]:
    """The checked weights of a model by parameter name, float16, and its record."""
    record = verify(model_id, folder)
    return load_file(model_folder(model_id, folder) / WEIGHTS), record


def load(model_id: str, device: str = "cpu", folder: Path | None = None) -> Model:
    """Check, build and load a model; weights are stored in float16 and run in float32 (bfloat16 under autocast)."""
    state, record = weights(model_id, folder)
    known = {**SYSTEMS, **FUSERS}
    if record.system not in known:
        raise input_error(f"a model of the system {record.system!r}", f"one of {list(known)}", "update DiffuFuseMed")
    system = known[record.system]
    try:
        network = system(system.config_type.from_dict(record.config))
        network.load_state_dict({name: value.float() for name, value in state.items()})
    except (TypeError, RuntimeError) as error:  # an unknown setting, or weights of another shape
        raise input_error(
            f"a config of {record.id} that does not fit its weights or this version",
            "the pair that training wrote",
            "install the model again or update DiffuFuseMed",
        ) from error
    return Model(record, network.eval().to(device), device)


def save(network: nn.Module, record: dict[str, Any], path: Path) -> ModelRecord:
    """Write weights in float16 and the record with their sha256; record: ModelRecord's other fields."""
    path.mkdir(parents=True, exist_ok=True)
    state = {n: v.detach().to("cpu", torch.float16).contiguous() for n, v in network.state_dict().items()}
    save_file(state, path / WEIGHTS, metadata={"system": record["system"]})
    whole = ModelRecord(config=asdict(network.config), sha256=sha256_of(path / WEIGHTS), **record)
    write_record(whole, path)
    return whole
