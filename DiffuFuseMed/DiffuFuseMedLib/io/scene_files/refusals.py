"""The sentences with which a scene file is refused."""

from __future__ import annotations

from ...core.errors import InputError, input_error

WANTED = "a scene file (.mrb) as this program or 3D Slicer saves it"
REMEDY = "choose another file or save the scene again"


def refused(given: str) -> InputError:
    """given: what it is, such as "a scene file with ..."."""
    return input_error(given, WANTED, REMEDY)
