"""Agreement: how far several annotators' masks of one lesion agree, as panel, report and command line show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MAJORITY, STAPLE = "majority", "STAPLE"
# '#rrggbb' of the first annotator's outline and so on: none is the lesion's green, the contours' yellow, the chosen
# region's cyan or the magenta of an outline that is offered.
COLORS = ("#a78bfa", "#f87171", "#2dd4bf", "#fb923c", "#6366f1", "#f9a8d4", "#e5e7eb", "#a16207")
OF_SET = {  # title, digits, unit of what is said of a prediction against all annotators at once
    "ece": ("ECE in the band", 3, ""),
    "ace": ("ACE in the band", 3, ""),
    "brier": ("Brier score in the band", 3, ""),
    "nll": ("NLL in the band", 3, "nat"),
    "crps_ml": ("CRPS of the volume", 1, "mL"),
}


@dataclass(frozen=True)
class Agreement:
    """names: of the R annotators; dice, nsd: (R, R) of every pair, nsd the surface Dice at 2 mm; volumes_ml: of each;
    majority_ml, staple_ml: of what more than half drew, and of the STAPLE consensus.

    lesion: of a lesion against each of the names, MAJORITY and STAPLE its scores by metric (metrics.overlap_scores),
    {} where it was compared with nobody; of_set: what is said of a prediction against all at once, by OF_SET's keys.
    """

    names: tuple[str, ...]
    dice: np.ndarray
    nsd: np.ndarray
    volumes_ml: tuple[float, ...]
    majority_ml: float
    staple_ml: float
    lesion: dict[str, dict[str, float]] = field(default_factory=dict)
    of_set: dict[str, float] = field(default_factory=dict)

    @property
    def mean_dice(self) -> float:
        return float(self._pairs(self.dice).mean())

    @property
    def mean_nsd(self) -> float:
        return float(self._pairs(self.nsd).mean())

    @property
    def volume_spread(self) -> float:
        """Standard deviation of the annotators' volumes as a share of their mean; nan where nobody drew anything."""
        mean = float(np.mean(self.volumes_ml))
        return float(np.std(self.volumes_ml, ddof=1)) / mean if mean else float("nan")

    def with_others(self, measure: np.ndarray) -> tuple[float, ...]:
        """Of each annotator the mean with the others; measure: dice or nsd."""
        others = len(self.names) - 1
        return tuple(float((row.sum() - row[n]) / others) for n, row in enumerate(measure))

    def _pairs(self, measure: np.ndarray) -> np.ndarray:
        return measure[np.triu_indices(len(self.names), k=1)]


def agreement_rows(found: Agreement) -> list[dict[str, str]]:
    """A row of words for each annotator, then the majority and STAPLE: name, volume, dice and nsd with the others, and
    lesion_dice, lesion_nsd, lesion_hd95 of the lesion; "" for what there is not."""
    others = zip(found.volumes_ml, found.with_others(found.dice), found.with_others(found.nsd), strict=True)
    rows = [
        {"name": name, "volume": _ml(ml), "dice": f"{dice:.2f}", "nsd": f"{nsd:.2f}"}
        for name, (ml, dice, nsd) in zip(found.names, others, strict=True)
    ]
    for name, ml in ((MAJORITY, found.majority_ml), (STAPLE, found.staple_ml)):
        rows.append({"name": name, "volume": _ml(ml), "dice": "", "nsd": ""})
    return [{**row, **_of_lesion(found.lesion.get(row["name"]))} for row in rows]


def agreement_words(found: Agreement) -> str:
    """The whole in a sentence."""
    spread = f"their volumes differ by {100 * found.volume_spread:.0f} % (SD / mean)"
    apart = spread if np.isfinite(found.volume_spread) else "none of them drew anything"
    pairs = f"mean pairwise Dice {found.mean_dice:.2f}, surface Dice at 2 mm {found.mean_nsd:.2f}"
    return f"{len(found.names)} annotators: {pairs}; {apart}."


def set_rows(found: Agreement) -> list[tuple[str, str]]:
    """Title and value with its unit of what is said of a prediction against all annotators at once."""
    told = [(OF_SET[key], found.of_set[key]) for key in OF_SET if key in found.of_set]
    return [(title, f"{value:.{digits}f} {unit}".strip()) for (title, digits, unit), value in told]


def pair_rows(found: Agreement) -> list[tuple[str, list[str]]]:
    """By annotator what stands in each one's column: Dice above the diagonal, surface Dice at 2 mm below it."""
    shown = np.triu(found.dice, 1) + np.tril(found.nsd, -1)
    return [
        (name, ["" if n == m else f"{value:.2f}" for m, value in enumerate(shown[n])])
        for n, name in enumerate(found.names)
    ]


def colors_of(names: Sequence[str]) -> dict[str, str]:
    """'#rrggbb' of each annotator's outline, the same in views and report."""
    return {name: COLORS[n % len(COLORS)] for n, name in enumerate(names)}


def _of_lesion(scores: Mapping[str, Any] | None) -> dict[str, str]:
    if scores is None:
        return {"lesion_dice": "", "lesion_nsd": "", "lesion_hd95": ""}
    dice, nsd, hd95 = (scores[key] for key in ("dice", "nsd_2mm", "hd95_mm"))
    return {"lesion_dice": f"{dice:.2f}", "lesion_nsd": f"{nsd:.2f}", "lesion_hd95": f"{hd95:.1f} mm"}


def _ml(value: float) -> str:
    return f"{value:.1f} mL" if value >= 10 else f"{value:.2f} mL"
