"""ROIs with the help of TotalSegmentator, for a user who has it: https://github.com/wasserth/TotalSegmentator.

Wasserthal et al. 2023, doi:10.1148/ryai.230024; Apache-2.0. It is never required. It is imported only here, and only
when package and weights are on this machine and its usage statistics are off: left to itself it would fetch missing
weights and report each run to its authors.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from ...core.case import Case
from ...core.private_folder import FAMILY, PrivateFolder
from ...core.rois import Rois
from .automatic import automatic_rois
from .shapes import eroded
from .stack import is_stack_of_pictures
from .thresholds import MODEL, RoiThresholds

PACKAGE = "totalsegmentator"
WEIGHTS = "Dataset297_*"  # its task "total" at 3 mm: one network, minutes on a CPU
BONE = re.compile(r"skull|sternum|sacrum|costal_cartilages|(vertebrae|rib|humerus|scapula|clavicula|femur|hip)_.+")
GAS = re.compile(r"lung_.+|trachea")
BRAIN = "brain"
logger = logging.getLogger(__name__)


def totalsegmentator_rois(
    case: Case, lesion: np.ndarray | None = None, thresholds: RoiThresholds = MODEL, device: str = "cpu"
) -> Rois:
    """automatic_rois() with TotalSegmentator's bones and brain; automatic_rois() alone where it cannot be used.

    Its bones are added to the bones from HU (its free task knows no lower leg or forearm); its brain replaces the
    automatic one in a head; its organs are soft in a body. lesion: bool [k, j, i]; device: "cpu", "gpu" or "gpu:0".
    """
    rois = automatic_rois(case, lesion, thresholds)
    why_not = why_not_totalsegmentator(case)
    if why_not:
        logger.info("ROIs are made without TotalSegmentator: %s.", why_not)
        return rois
    return _merged(rois, _classes(case, device), case.grid.spacing_kji_mm, thresholds)


def why_not_totalsegmentator(case: Case | None = None) -> str:
    """Why it cannot be used here, or for this case; empty where it can. Imports nothing."""
    if importlib.util.find_spec(PACKAGE) is None:
        return "the package is not installed"
    if not list(_weights_folder().glob(WEIGHTS)):
        return "its weights are not installed"
    if not _statistics_are_off():
        return "its usage statistics are on (send_usage_stats in its config.json must be false)"
    if case is None:
        return ""
    if "CT" not in case.modalities or is_stack_of_pictures(case.volumes["CT"].array, case.valid["CT"]):
        return "the case has no CT in HU"
    return ""


def _home() -> Path:
    return Path(os.environ.get("TOTALSEG_HOME_DIR") or Path.home() / ".totalsegmentator")


def _weights_folder() -> Path:
    return Path(os.environ.get("TOTALSEG_WEIGHTS_PATH") or _home() / "nnunet" / "results")


def _statistics_are_off() -> bool:
    try:
        config = json.loads((_home() / "config.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return False
    return isinstance(config, dict) and config.get("send_usage_stats") is False


def _classes(case: Case, device: str) -> dict[str, np.ndarray]:
    """Its task "total" at 3 mm: a bool mask [k, j, i] by class name."""
    segment = importlib.import_module(f"{PACKAGE}.python_api").totalsegmentator
    names = importlib.import_module(f"{PACKAGE}.map_to_binary").class_map["total"]
    with PrivateFolder(f"{FAMILY}rois-") as private:
        ct, labels = private.path / "ct.nii.gz", private.path / "labels.nii.gz"
        sitk.WriteImage(case.volumes["CT"].to_sitk(), str(ct))
        segment(ct, labels, ml=True, fast=True, task="total", device=device, quiet=True)
        array = sitk.GetArrayFromImage(sitk.ReadImage(str(labels)))
    return {name: array == value for value, name in names.items()}


def _merged(
    rois: Rois, classes: dict[str, np.ndarray], spacing_mm: tuple[float, float, float], thresholds: RoiThresholds
) -> Rois:
    bones = _union(classes, rois, lambda name: BONE.fullmatch(name))
    organs = _union(classes, rois, lambda name: not BONE.fullmatch(name) and not GAS.fullmatch(name))
    brain = _union(classes, rois, lambda name: name == BRAIN)
    source = {**rois.source, "bone": f"{rois.source['bone']}, and TotalSegmentator's bones"}
    bone = (rois.bone | bones) & ~brain
    if rois.region == "body":
        soft = (rois.soft | organs) & ~bone
        source["soft"] = f"{rois.source['soft']}, and TotalSegmentator's organs"
    elif brain.any():
        soft = eroded(brain, thresholds.erosion_mm, spacing_mm)
        source["soft"] = f"TotalSegmentator's brain, eroded by {thresholds.erosion_mm:g} mm"
    else:
        soft = rois.soft & ~bone
    return replace(rois, soft=soft, bone=bone, source=source)


def _union(classes: dict[str, np.ndarray], rois: Rois, wanted: Callable[[str], object]) -> np.ndarray:
    masks = [mask for name, mask in classes.items() if wanted(name)]
    return np.logical_or.reduce(masks) & rois.inside if masks else np.zeros(rois.inside.shape, bool)
