"""The model zoo: folders models/<id>/ with model.json, weights.safetensors and card.md, checked before loading.

model.json holds the weights' sha256 and, as `record_sha256`, its own, of all its other fields (record_checks.py).

A system of several networks, trained one after the other, names them in `stages`: attributes of its network. Each stage
has its own file of weights beside the record, weights.<stage>.safetensors.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from safetensors.torch import save as to_bytes
from torch import Tensor
from torch.nn.modules.module import register_module_parameter_registration_hook

from ..core.errors import input_error
from ..core.staging import staged
from ..core.whole_file import write_whole
from ..networks.convolution import with_onednn
from ..systems import network_class
from .eight_bit import from_eight_bits
from .record_checks import AGAIN
from .registry import RECORD, WEIGHTS, ModelRecord, model_folder, models, read_record, write_record

PARAMETERS_A_WEIGHT, SPARE_PARAMETERS = 2, 100  # a parameter may be registered more than once, as where it is shared
DOES = {"fuse": "fuses", "synthesize": "synthesizes"}  # a task of tasks/, in words


@dataclass(frozen=True)
class Model:
    """A loaded system with its record; network: a Module in eval mode on device, with what its task's contract asks.

    members: of a panel the models that read a case for it; its network is then the first one's, whose lesion counts.
    """

    record: ModelRecord
    network: Any
    device: str
    members: tuple[Model, ...] = ()

    @property
    def modalities(self) -> tuple[str, ...]:
        return self.record.modalities if self.members else tuple(self.network.config.modalities)


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def sha256_of_stages(stages: dict[str, str]) -> str:
    """One for the whole model, of its stages' names and their own sha256."""
    return hashlib.sha256("".join(f"{stage} {sha256}\n" for stage, sha256 in stages.items()).encode()).hexdigest()


def verify(model_id: str, folder: Path | None = None) -> ModelRecord:
    """The record, once the weights are seen to be those it was written for; raises InputError when they are not."""
    path = model_folder(model_id, folder)
    record = read_record(path)
    _check_members(record, path.parent)
    for member in record.members:
        verify(member, path.parent)
    for name, sha256 in record.files.items():
        _verify_file(record, path / name, sha256)
    _check_parts(record)
    return record


def _check_parts(record: ModelRecord) -> None:
    """Raises InputError where a record's own sha256 is not that of its stages or members."""
    for kind, parts in (("stages", record.stages), ("members", record.members)):
        if parts:
            _check_sha256(record, f"the {kind} of {record.id}", sha256_of_stages(parts), record.sha256)


def _check_members(record: ModelRecord, folder: Path) -> None:
    """Raises InputError where the folder's records are not those of the members that a panel was made of."""
    for member, sha256 in record.members.items():
        found = read_record(model_folder(member, folder))
        if found.members:  # may be the panel itself, and so on for ever
            raise input_error(f"the panel {record.id} with the panel {member} in it", "networks", AGAIN)
        _check_sha256(record, f"{member}, a member of {record.id},", found.sha256, sha256)


def _verify_file(record: ModelRecord, weights: Path, sha256: str) -> None:
    if not weights.is_file():
        raise input_error(f"the model {record.id} without {weights.name}", "its weights", "install the model again")
    stage = "" if weights.name == WEIGHTS else f" ({weights.name})"
    _check_sha256(record, f"weights of {record.id}{stage}", sha256_of(weights), sha256)


def _check_sha256(record: ModelRecord, what: str, found: str, wanted: str) -> None:
    if found != wanted:
        raise input_error(
            f"{what} with sha256 {found[:12]}...",
            f"{wanted[:12]}..., as its {RECORD} says",
            "they were changed or damaged, so install the model again",
        )


def weights(model_id: str, folder: Path | None = None) -> tuple[dict[str, Tensor], ModelRecord]:
    """The checked weights of a model by parameter name, float16, and its record."""
    record, path = verify(model_id, folder), model_folder(model_id, folder)
    if record.members:
        wanted = f"a model with weights of its own ({', '.join(record.members)})"
        raise input_error(f"{record.id}, a panel of other models", wanted, "choose one of these")
    if not record.stages:
        return _read(record, path / WEIGHTS), record
    parts = {stage: _read(record, path / name) for stage, name in zip(record.stages, record.files, strict=True)}
    return {f"{stage}.{name}": value for stage, part in parts.items() for name, value in part.items()}, record


def _read(record: ModelRecord, file: Path) -> dict[str, Tensor]:
    """One file of weights; raises InputError for one that is no safetensors, or holds what is no number."""
    try:
        stored = load_file(file)
    except (SafetensorError, OSError) as error:
        raise input_error(f"weights of {record.id} that cannot be read", "safetensors", AGAIN) from error
    state = from_eight_bits(stored)
    if spoilt := [name for name, value in state.items() if not torch.isfinite(value).all()]:
        given = f"weights of {record.id} with NaN or infinity ({spoilt[0][:60]})"
        raise input_error(given, "finite numbers", "install the model again, or train it again")
    return state


def load(model_id: str, device: str = "cpu", folder: Path | None = None) -> Model:
    """Check, build and load a model; weights are stored in float16 or eight bits (eight_bit.py) and run in float32
    (bfloat16 under autocast)."""
    path = model_folder(model_id, folder)
    if (record := read_record(path)).members:
        return _panel(record, path.parent, device)
    state, record = weights(model_id, folder)
    network = _built(record, state)
    network.load_state_dict({name: value.float() for name, value in state.items()})
    return Model(record, with_onednn(network.eval()).to(device), device)


def _panel(record: ModelRecord, folder: Path, device: str) -> Model:
    """Each member's weights are verified where they are read."""
    _check_members(record, folder)
    _check_parts(record)
    members = tuple(load_segmenter(member, device, folder) for member in record.members)
    return Model(record, members[0].network, device, members)


def _built(record: ModelRecord, state: dict[str, Tensor]) -> Any:
    """The record's network, once one without memory is seen to have weights of these names and shapes: settings of
    10^9 channels or blocks are refused at once. Raises InputError."""
    system = network_class(record.system)
    try:
        config = system.config_type.from_dict(record.config)
        with torch.device("meta"), fewer_parameters_than(PARAMETERS_A_WEIGHT * len(state) + SPARE_PARAMETERS):
            shapes = {name: value.shape for name, value in system(config).state_dict().items()}
        if shapes != {name: value.shape for name, value in state.items()}:
            raise ValueError("other names or shapes")
        return system(config)
    except Exception as error:  # whatever a network's constructor makes of settings that nobody would write
        raise input_error(
            f"a config of {record.id} that does not fit its weights or this version",
            "the pair that training wrote",
            "install the model again or update DiffuFuseMed",
        ) from error


@contextmanager
def fewer_parameters_than(most: int) -> Iterator[None]:
    """Whatever this thread builds meanwhile raises ValueError when it has more parameters than that."""
    thread, count = threading.get_ident(), 0

    def counted(module: Any, name: str, parameter: Any) -> None:
        nonlocal count
        count += threading.get_ident() == thread
        if count > most:
            raise ValueError(f"more than {most} parameters")

    hook = register_module_parameter_registration_hook(counted)
    try:
        yield
    finally:
        hook.remove()


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
        given = f"the model {record.id}, which {DOES.get(record.task or '', f'is for the task {record.task!r}')}"
        wanted = f"a model that segments ({known})"
        raise input_error(given, wanted, "choose a segmenter, see `diffufusemed models list`")


def save(network: Any, record: dict[str, Any], path: Path) -> ModelRecord:
    """Write weights in float16 and the record with their sha256, all or none; record: ModelRecord's other fields.

    A staged network gets one file a stage. Raises InputError when the disk refuses.
    """
    # one entry alone: safetensors writes several in any order, and the same weights would have another sha256
    metadata, stages = {"system": record["system"]}, tuple(getattr(network, "stages", ()))
    state = {n: v.detach().to("cpu", torch.float16).contiguous() for n, v in network.state_dict().items()}
    if stages and (left := [name for name in state if name.split(".")[0] not in stages]):
        raise ValueError(f"{left[0]} is in none of the stages {', '.join(stages)}, so it would not be saved")
    with staged(path) as folder:
        made = {stage: _save_stage(state, stage, folder, metadata) for stage in stages}
        if not made:
            write_whole(folder / WEIGHTS, to_bytes(state, metadata=metadata))
        sha256 = sha256_of_stages(made) if made else sha256_of(folder / WEIGHTS)
        whole = ModelRecord(config=asdict(network.config), sha256=sha256, stages=made, **record)
        write_record(whole, folder)
    return whole


def _save_stage(state: dict[str, Tensor], stage: str, folder: Path, metadata: dict[str, str]) -> str:
    """Write the weights below `stage` without its name; returns their sha256."""
    own = {name.removeprefix(f"{stage}."): value for name, value in state.items() if name.startswith(f"{stage}.")}
    file = folder / f"weights.{stage}.safetensors"
    write_whole(file, to_bytes(own, metadata=metadata))
    return sha256_of(file)
