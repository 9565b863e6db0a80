"""Windows by modality, in the modality's unit, as readers know them."""

from __future__ import annotations

import re

from ..core.case import Case
from ..core.modalities import spec_of
from ..core.shown_range import shown_range

AUTO = "auto"  # from the case's own values
FUSED, GRAY = "fused", (0.0, 1.0)  # the fused picture's
NUMBER = r"(-?\d+(?:\.\d+)?(?:e[-+]\d+)?)"
BY_HAND = re.compile(f"{NUMBER} to {NUMBER}")

MOST_LOOKED_AT = 4_000_000  # voxels, for a window from the case


def choices(modality: str, chosen: str = "") -> tuple[str, ...]:
    """Names of the windows of a modality, or of FUSED, its default first; with the chosen one where that is by hand."""
    own, spec = (chosen,) if _by_hand(chosen) else (), spec_of(modality)
    auto = (AUTO,) if spec.tracer or not spec.windows else ()
    return (*auto, *spec.windows, *own)


def by_hand(low: float, high: float) -> str:
    """The name of a window that the reader made."""
    return " to ".join(f"{end:.0f}" if abs(end) >= 100 else f"{end:.3g}" for end in (low, high))


def shipped(chosen: dict[str, str]) -> dict[str, str]:
    """Those by name: one by hand is of the case that it was made for."""
    return {modality: name for modality, name in chosen.items() if not _by_hand(name)}


def rescaled(name: str, factor: float) -> str:
    """The name of a window by hand where its values are shown times the factor; others say what they said."""
    own = _by_hand(name)
    return by_hand(own[0] * factor, own[1] * factor) if own else name


def range_of(case: Case, modality: str, name: str | None, per_shown: float = 1.0) -> tuple[float, float]:
    """Black and white in the volume's own unit. A name that the modality does not have is its default.

    per_shown: what values are multiplied by before they are shown: a window's name says its ends as shown."""
    if own := _by_hand(name or ""):
        return own[0] / per_shown, own[1] / per_shown
    if modality == FUSED:
        return GRAY
    known, wanted = spec_of(modality).windows, name or ""
    chosen = wanted if wanted in known or wanted == AUTO else choices(modality)[0]
    if chosen not in known:
        return _auto(case, modality, per_shown)
    low, high = known[chosen]
    return low / per_shown, high / per_shown


def _by_hand(name: str) -> tuple[float, float] | None:
    """What a name of by_hand stands for; None for any other."""
    found = BY_HAND.fullmatch(name)
    low, high = (float(end) for end in found.groups()) if found else (0.0, 0.0)
    return (low, high) if high > low else None


def _auto(case: Case, modality: str, per_shown: float) -> tuple[float, float]:
    array, valid = (a.reshape(-1) for a in (case.volumes[modality].array, case.valid[modality]))
    step = max(1, array.size // MOST_LOOKED_AT)
    return shown_range(spec_of(modality), array[::step][valid[::step]], per_shown)
