"""Under which conditions the fusion is scored: as registered, misregistered, and without each of its parts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .. import FusionSettings

AS_REGISTERED = "as registered"
SWEEP_MM = (1, 2, 3, 4, 5)  # 0 mm is AS_REGISTERED
WARPS_PX = (0, 1.5, 3)
STEPS = (1, 2, 4)
GRID = (0, 0.5, 1)
_Row = tuple[str, dict[str, Any]]  # an ablation's name and what it changes


@dataclass(frozen=True)
class Condition:
    """What differs from the plain fusion, which is scored against the sources as they are.

    part: "main", "sweep" or "ablations"; shift_mm: how far the MRI is moved before the fusion, warp_px: by how much it
    is bent; masks given to the model: "model" (automatic), "scoring" (those that judge) or "none"; lesion: whether the
    reference mask is given as the lesion; few: only on some pictures, since it takes long; trivial: whether the trivial
    fusions get rows too.
    """

    name: str
    settings: FusionSettings
    part: str = "main"
    shift_mm: float = 0.0
    warp_px: float = 0.0
    masks: str = "model"
    lesion: bool = False
    few: bool = False
    trivial: bool = False


def main_condition(settings: FusionSettings, lesion: bool = False) -> Condition:
    return Condition(AS_REGISTERED, settings, lesion=lesion, trivial=True)


def sweep(main: Condition) -> list[Condition]:
    """Misregistration of 1 to 5 mm (CLIN-FuseDiff++ P1); 0 mm is the main condition itself."""
    return [replace(main, name=f"MRI moved {mm} mm", part="sweep", shift_mm=float(mm)) for mm in SWEEP_MM]


def ablations(main: Condition) -> list[Condition]:
    """CLIN-FuseDiff++ section 6, one after the other."""
    return [_ablation(main, name, **changes) for name, changes in _guidance() + _rest()]


def _ablation(main: Condition, name: str, sliders: dict[str, Any] | None = None, **changes: Any) -> Condition:
    settings = replace(main.settings, **(sliders or {}))
    return replace(main, name=name, settings=settings, part="ablations", trivial=False, **changes)


def _guidance() -> list[_Row]:
    """ROI guidance off, the grid of the sliders, and other masks."""
    off = {"alpha": 0.0, "beta": 0.0, "gamma": 0.0}
    rows: list[_Row] = [
        ("no ROI guidance: sliders at 0", {"sliders": off}),
        ("no ROI guidance: empty masks", {"masks": "none"}),
    ]
    rows += [(f"{name} {value:g}", {"sliders": {name: float(value)}}) for name in ("alpha", "beta") for value in GRID]
    # gamma acts on a lesion's border, so these rows are given one where there is a reference mask
    rows += [(f"gamma {v:g}, lesion given", {"sliders": {"gamma": float(v)}, "lesion": True}) for v in GRID]
    return [*rows, ("corrected masks (those for scoring stand in)", {"masks": "scoring"})]


def _rest() -> list[_Row]:
    """Steps, registration jitter, and the guided teacher on a few pictures beside the student on the same."""
    rows: list[_Row] = [
        (f"{n} steps" if n > 1 else "1 step", {"sliders": {"steps": n, "guided": False}}) for n in STEPS
    ]
    rows += [(f"warp jitter up to {px:g} px", {"warp_px": float(px)}) for px in WARPS_PX]
    for name, told in (
        ("student", {"guided": False}),
        ("guided teacher", {"guided": True, "modulated": True}),
        ("guided teacher, no uncertainty modulation", {"guided": True, "modulated": False}),
    ):
        rows.append((f"few pictures: {name}", {"sliders": told, "few": True}))
    return rows
