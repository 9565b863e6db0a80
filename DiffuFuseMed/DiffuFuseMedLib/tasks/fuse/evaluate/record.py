"""How a table was made, for the JSON beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from .... import __version__
from .. import Fuser
from .conditions import Condition
from .tables import Group, aims


def record_of(
    fuser: Fuser, conditions: Sequence[Condition], found: Sequence[Group], notes: Sequence[str], few: int
) -> dict[str, Any]:
    """Models with their sha256, every condition with its settings, the aims by kind, the notes."""
    models = [m.record for m in (fuser.student, fuser.teacher) if m is not None]
    plain = [g for g in found if g.part == "main" and g.method == "fused" and g.kind.startswith("CT")]
    return {
        "models": {record.id: record.sha256 for record in models},
        "DiffuFuseMed": __version__,
        "device": fuser.device,
        "few": few,
        "conditions": [asdict(condition) for condition in conditions],
        "aims": {group.kind: _aims(group) for group in plain},
        "notes": list(notes),
    }


def _aims(group: Group) -> dict[str, dict[str, Any]]:
    told = aims(group.means)
    return {c: {"mean": None if mean != mean else mean, "aim": aim, "met": met} for c, (mean, aim, met) in told.items()}
