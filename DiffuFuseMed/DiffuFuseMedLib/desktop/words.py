"""Words of the panel that come from the session's keys, ready for translation."""

from __future__ import annotations

from slicer.i18n import tr as _

from ..session import MAPS, long_title_of

COMPARE = {"off": _("off"), "swipe": _("swipe"), "checkerboard": _("checkerboard")}
REGISTER = {"auto": _("automatic"), "always": _("always"), "never": _("never")}
DEVICES = {"auto": _("automatic"), "cpu": _("CPU"), "cuda": _("GPU")}


def picture(key: str) -> str:
    """What a layer shows, by its role."""
    return {"": _("nothing"), "fused": _("fused picture")}.get(key) or modality(key)


def modality(key: str) -> str:
    """A modality as the panel writes it."""
    title = long_title_of(key)
    return _(title)


def maps() -> list[tuple[str, str]]:
    """Key and words of every map that can be chosen."""
    return [(key, _(spec.choice)) for key, spec in MAPS.items()]


def map_words(key: str) -> str:
    """What the map says, in a sentence."""
    return _(MAPS[key].words)
