"""Words: labels, units and explanations of the report."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.suv_units import BODY_WEIGHT, SuvScale

SCORES = {  # label, unit; in the order shown
    "dice": ("Dice", ""),
    "iou": ("Intersection over union", ""),
    "precision": ("Precision", ""),
    "recall": ("Recall", ""),
    "nsd_2mm": ("Surface Dice at 2 mm", ""),
    "hd95_mm": ("Hausdorff distance, 95th percentile", "mm"),
    "reference_volume_ml": ("Reference volume", "mL"),
    "volume_hit": ("Reference volume inside the interval", ""),
    "volume_high_to_low": ("Upper end of the volume's interval over its lower", ""),
    "suv_mean_hit": ("Reference SUVmean inside the interval", ""),
    "mtv_hit": ("Reference MTV inside the interval", ""),
    "tlg_hit": ("Reference TLG inside the interval", ""),
    "coverage": ("Reference border between the two contours", ""),
    "ece": ("Expected calibration error", ""),
    "ace": ("Average calibration error", ""),
    "brier": ("Brier score", ""),
    "nll": ("Negative log-likelihood", "nat"),
}
PROVENANCE = {"model": "Model", "model_id": "Model", "sha256": "SHA-256 of the weights", "seed": "Seed"}
HIDDEN = ("config", "notes")  # long: in prediction.json; notes stand among the quality sentences


def measures(suv: SuvScale) -> dict[str, tuple[str, str, str]]:
    """Label, unit and meaning by key, in the order shown."""
    unit, total = suv.told.unit, suv.told.total_unit
    return {
        "suv_max": (suv.label("max"), unit, "highest voxel"),
        "suv_peak": (suv.label("peak"), unit, "highest 1 mL sphere"),
        "suv_mean": (suv.label("mean"), unit, "mean of the lesion"),
        "mtv_ml": ("MTV", "mL", f"at least 41 % of {suv.label('max')}"),
        "mtv_2_5_ml": ("MTV 2.5", "mL", f"{suv.told.name} above 2.5"),
        "tlg_g": ("TLG", total, "total uptake in the MTV" if suv == BODY_WEIGHT else f"{suv.told.name} times MTV"),
    }


def number(value: Any) -> str:
    """Three significant digits, never an exponent; yes or no for a truth; n/a for nothing."""
    if value is None or value != value:
        return "n/a"
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (int, np.integer)):
        return str(value)
    size = abs(float(value))
    return f"{float(value):.{0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"


def sentence_case(key: str) -> str:
    """A key as a label: "surface_dice" becomes "Surface dice"."""
    return key[:1].upper() + key[1:].replace("_", " ")


def in_sentence(title: str) -> str:
    """A title within a sentence."""
    return title[:1].lower() + title[1:]
