"""The model zoo: folders models/<id>/ with model.json, weights.safetensors and card.md, checked before loading."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ..core.errors import InputError, input_error
from ..systems import network_class
from .registry import RECORD, ModelRecord, model_folder, models, read_record, write_record

WEIGHTS = "weights.safetensors"
DOES = {"fuse": "fuses", "synthesize": "synthesizes"}  # a task of tasks/, in words


@dataclass(frozen=True)
class Model:
    """A loaded system with its record; network is in eval mode on device."""

    record: ModelRecord
    network: nn.Module
    device: str

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.network.config.modalities)


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
    system = network_class(record.system)
    try:
        network = system(system.config_type.from_dict(record.config))
        network.load_state_dict({name: value.float() for name, value in state.items()})
    except (InputError, RuntimeError) as error:  # an unknown setting, or weights of another shape
        raise input_error(
            f"a config of {record.id} that does not fit its weights or this version",
            "the pair that training wrote",
            "install the model again or update DiffuFuseMed",
        ) from error
    return Model(record, network.eval().to(device), device)


def load_segmenter(model_id: str, device: str = "cpu", folder: Path | None = None) -> Model:
    """load(); raises InputError for a model that does not segment before its weights are read."""
    check_segments(read_record(model_folder(model_id, folder)), folder)
    return load(model_id, device, folder)


def check_segments(record: ModelRecord, folder: Path | None = None) -> None:
    """Raises InputError for the record of a model that does anything else: with the segmenters that are installed, or,
    for a system that this version does not know, with those that it does."""
    if record.task is None:
        network_class(record.system)
    if record.task != "segment":
        known = ", ".join(r.id for r in models(folder) if r.task == "segment") or "none is installed"
        given = f"the model {record.id}, which {DOES.get(record.task, f'is for the task {record.task!r}')}"
        wanted = f"a model that segments ({known})"
        raise input_error(given, wanted, "choose a segmenter, see `diffufusemed models list`")


def save(network: nn.Module, record: dict[str, Any], path: Path) -> ModelRecord:
    """Write weights in float16 and the record with their sha256; record: ModelRecord's other fields."""
    path.mkdir(parents=True, exist_ok=True)
    state = {n: v.detach().to("cpu", torch.float16).contiguous() for n, v in network.state_dict().items()}
    save_file(state, path / WEIGHTS, metadata={"system": record["system"]})
    whole = ModelRecord(config=asdict(network.config), sha256=sha256_of(path / WEIGHTS), **record)
    write_record(whole, path)
    return whole
