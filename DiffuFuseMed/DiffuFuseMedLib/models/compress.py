"""A model written anew with its weights in eight bits: half the file, and very nearly the same answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safetensors.torch import load_file
from safetensors.torch import save as to_bytes

from ..core.errors import input_error
from ..core.staging import staged
from ..core.whole_file import write_whole
from .eight_bit import in_eight_bits
from .registry import CARD, RECORD, ModelRecord, card, model_folder, write_record
from .zoo import sha256_of, sha256_of_stages, verify


def compress(model_id: str, out: Path, folder: Path | None = None) -> ModelRecord:
    """Write out/<id>/ with the model's weights in eight bits, and its record and card as they were; of a panel its
    members too.

    Raises InputError for a model that is not intact, and where there is one of this id already.
    """
    record = verify(model_id, folder)
    path = model_folder(model_id, folder)
    if (out / record.id / RECORD).exists():
        given = f"a folder that has the model {record.id} already"
        raise input_error(given, "one without", "choose another folder, or take that one away first")
    members = {member: compress(member, out, path.parent).sha256 for member in record.members}
    with staged(out / record.id) as made:
        for name in record.files:
            packed = in_eight_bits(load_file(path / name))
            write_whole(made / name, to_bytes(packed, metadata={"system": record.system}))
        if text := card(model_id, folder):
            write_whole(made / CARD, text.read_bytes())
        whole = _with_sha256(record, made, members)
        write_record(whole, made)
    return whole


def _with_sha256(record: ModelRecord, made: Path, members: dict[str, str]) -> ModelRecord:
    """The record of the files in `made`."""
    stages = {stage: sha256_of(made / name) for stage, name in zip(record.stages, record.files, strict=False)}
    parts = members or stages
    sha256 = sha256_of_stages(parts) if parts else sha256_of(made / next(iter(record.files)))
    return replace(record, sha256=sha256, stages=stages, members=members)
