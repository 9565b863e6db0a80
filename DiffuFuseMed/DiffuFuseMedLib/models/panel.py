"""A panel: several segmenters that read a case side by side, as one model of the registry, without weights of its own.

The lesion is the first one's, or that of the first few together; where the others answer otherwise is what a reader is
shown as doubt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import input_error
from .record_checks import MODEL_ID
from .registry import ModelRecord, read_record, write_record
from .zoo import check_segments, sha256_of_stages

SYSTEM = "panel"
DECIDING = "deciding"  # of the settings: how many members, the first ones, the lesion is the mean of


def make_panel(panel_id: str, members: Sequence[str], out: Path, deciding: int = 1) -> ModelRecord:
    """Write out/panel_id/model.json for a panel of these models, which must lie in `out` too. deciding: the lesion is
    where the mean of so many of them, the first ones, says so.

    It was trained on whatever one of them was trained on, and is for the cases that the first one is for. It has no
    calibration yet: `diffufusemed calibrate` fits one on patients that none of them saw. Raises InputError for a model
    twice, for a panel or another kind of model among them, for one that does not lie in `out`, and for an id that is no
    name of a folder or is taken: nothing that is there is written over.
    """
    _check_id(panel_id, out)
    if not 1 <= deciding <= len(members):
        given = f"{deciding} deciding members of {len(members)}"
        raise input_error(given, "from one to all of them", "name another number")
    records = [_member(member, out) for member in members]
    if len({record.id for record in records}) < max(2, len(records)):
        raise input_error(f"a panel of {', '.join(members)}", "two different models or more", "name another one")
    made = _record(panel_id, records, deciding)
    write_record(made, out / panel_id)
    return made


def deciding_members(record: ModelRecord) -> int:
    """How many members of a panel, the first ones, decide on the lesion. Raises InputError for a record that tells of
    none or of more than it has."""
    told = record.config.get(DECIDING, 1)
    if told not in range(1, len(record.members) + 1):
        given = f"the panel {record.id}, in which {str(told)[:20]} of {len(record.members)} decide"
        raise input_error(given, "from one to all of them", "make the panel again")
    return int(told)


def _check_id(panel_id: str, out: Path) -> None:
    if not re.fullmatch(MODEL_ID, panel_id):
        raise input_error(
            f"the id {panel_id[:40]!r}", "one name of letters, digits, '.', '_' and '-'", "choose another"
        )
    if (out / panel_id).exists():
        given = f"the id {panel_id}, which is there already"
        raise input_error(given, "a new one", "choose another name, or take that folder away first")


def _member(member: str, out: Path) -> ModelRecord:
    if not (out / member).is_dir() or not re.fullmatch(MODEL_ID, member):
        given = f"the member {member[:40]!r}, which does not lie in {out.name}"
        raise input_error(given, "models that lie beside their panel", "name some of that folder, or copy it there")
    record = read_record(out / member)
    check_segments(record, out)
    if record.members:
        raise input_error(f"the panel {record.id} in a panel", "models with weights of their own", "name its members")
    return record


def _record(panel_id: str, records: Sequence[ModelRecord], deciding: int) -> ModelRecord:
    first, members = records[0], {record.id: record.sha256 for record in records}
    return ModelRecord(
        id=panel_id,
        system=SYSTEM,
        config={"modalities": list(dict.fromkeys(m for record in records for m in record.modalities))}
        | ({DECIDING: deciding} if deciding > 1 else {}),
        window=first.window,
        sha256=sha256_of_stages(members),
        licence="; ".join(dict.fromkeys(record.licence for record in records)),
        training={name: _union(records, name) for name in ("patients", "folds", "attribution")}
        | {"held_out": [name for name in _union(records, "held_out") if name not in _union(records, "patients")]},
        domain=first.domain,
        members=members,
    )


def _union(records: Sequence[ModelRecord], name: str) -> list:
    """Of a list in what their trainings tell, each entry once."""
    return list(dict.fromkeys(entry for record in records for entry in record.training.get(name, ())))
