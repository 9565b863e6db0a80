"""Cases, predictions and ROIs as JSON with their arrays beside it, and back: only types of the table are ever built."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from importlib import import_module
from typing import Any

import numpy as np

from ...core.errors import InputError, input_error
from ...core.volume import Volume

TYPES = {
    "Agreement": "agreement",
    "Alignment": "case",
    "Case": "case",
    "FusedPicture": "fused",
    "FusedVolume": "fused",
    "Grid": "grid",
    "Interval": "prediction",
    "Judgement": "fusion",
    "ModelName": "probed",
    "Prediction": "prediction",
    "Probed": "probed",
    "Rois": "rois",
    "Volume": "volume",
    "Voxels": "voxels",
}
SENT = ("units", "notes", "body_part")  # of Volume.meta: no computation needs who it is or where it came from
PLAIN = (str, int, float, bool, type(None))


def pack(value: Any, write: Callable[[np.ndarray], dict[str, Any]]) -> Any:
    """JSON of a value; write: saves an array and returns its reference {"$array": ...}. Raises TypeError."""
    if isinstance(value, np.ndarray):
        return write(value)
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, bytes):
        return {"$bytes": write(np.frombuffer(value, np.uint8))}
    if isinstance(value, (list, tuple)):
        items = [pack(item, write) for item in value]
        return {"$tuple": items} if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return {str(key): pack(item, write) for key, item in value.items()}
    if is_dataclass(value) and type(value).__name__ in TYPES:
        shown = _anonymous(value) if isinstance(value, Volume) else value
        parts = {field.name: pack(getattr(shown, field.name), write) for field in fields(shown)}
        return {"$type": type(value).__name__, **parts}
    raise TypeError(f"{type(value).__name__} is not sent between the processes")


def unpack(message: Any, read: Callable[[dict[str, Any]], np.ndarray]) -> Any:
    """The inverse; read: the array of a reference. Raises InputError for what pack() does not write."""
    if isinstance(message, list):
        return [unpack(item, read) for item in message]
    if not isinstance(message, dict):
        return message
    if "$array" in message:
        return read(message)
    if "$bytes" in message:
        return read(message["$bytes"]).tobytes()
    if "$tuple" in message:
        return tuple(unpack(item, read) for item in message["$tuple"])
    parts = {key: unpack(item, read) for key, item in message.items() if key != "$type"}
    return _built(message["$type"], parts) if "$type" in message else parts


def references(message: Any) -> list[str]:
    """The names of all array files in a packed message."""
    if isinstance(message, list):
        return [name for item in message for name in references(item)]
    if not isinstance(message, dict):
        return []
    if "$array" in message:
        return [str(message["$array"])]
    return [name for item in message.values() for name in references(item)]


def _built(name: str, parts: dict[str, Any]) -> Any:
    if name not in TYPES:
        raise input_error(
            f"a value of the type {str(name)[:40]!r}", f"one of {', '.join(TYPES)}", "update DiffuFuseMed"
        )
    try:
        return getattr(import_module(f"...core.{TYPES[name]}", __package__), name)(**parts)
    except InputError:
        raise
    except (TypeError, ValueError, AttributeError) as error:
        given = f"a {name} whose parts do not fit together ({error})"
        raise input_error(given, f"a whole {name}", "send it again") from error


def _anonymous(volume: Volume) -> Volume:
    return replace(volume, meta={key: value for key, value in volume.meta.items() if key in SENT})
