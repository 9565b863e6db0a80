"""probe.json: synthetic tumors that a segmenter was tried on in one case, as `diffufusemed probe` writes it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..core.errors import InputError, input_error
from ..core.probed import ProbeRecord
from ..core.schema import from_values
from ..core.synthetic import WORD
from ..core.whole_file import write_whole

REMEDY = "give the probe.json that diffufusemed probe wrote"


def write_probe_record(record: ProbeRecord, path: Path) -> None:
    """Each tumor with whether it was found, which is told again when it is read."""
    words = {WORD: True, **asdict(record)}
    for entry, tumor in zip(words["tumors"], record.tumors, strict=True):
        entry["found"] = tumor.found
    write_whole(path, json.dumps(words, indent=2, allow_nan=False) + "\n")


def read_probe_record(path: Path) -> ProbeRecord:
    """Raises InputError for a file that cannot be read, or is none of these."""
    try:
        words = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise input_error(f"{path.name}, which cannot be read", "a record of a probe", REMEDY) from error
    if not isinstance(words, dict) or words.pop(WORD, None) is not True:
        raise input_error(f"{path.name}, which is none", "a record of a probe", REMEDY)
    record = from_values(ProbeRecord, {**words, "tumors": _told(words.get("tumors"))}, path.name, REMEDY)
    if not record.tumors or not all(0 <= x <= 1 for t in record.tumors for x in (t.iou, t.recall, t.before)):
        raise InputError(str(input_error(f"{path.name} without tumors that can be", "shares from 0 to 1", REMEDY)))
    return record


def _told(tumors: Any) -> Any:
    """Without what follows from the rest."""
    if not isinstance(tumors, list):
        return tumors
    return [{k: v for k, v in t.items() if k != "found"} if isinstance(t, dict) else t for t in tumors]
