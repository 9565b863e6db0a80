"""The numbers that decide what is bone and what is soft: one set for the model, another one for scoring.

A score is circular when the masks that guide a picture also judge it, so SCORING differs from MODEL in every number
that moves a border.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RoiThresholds:
    """name: goes into Rois.source. Lengths in mm hold for volumes in HU, those in px for a picture of 256 x 256.

    bone_hu: cortex; what is connected to it and above spongy_hu is bone too; a piece of bone needs a voxel above
    seed_hu and bone_ml of volume, else it stays soft (contrast, calcification, clip). closing_mm: radius that bridges
    gaps of the cortex in plane before its marrow is filled; marrow_mm: half width beyond which a hole is no marrow.
    bone_share: bone of a picture without HU starts at this share of the way from the brain's gray to white; bone_px:
    area of its smallest piece; closing_px: radius that bridges gaps of the skull; erosion_px, erosion_mm: taken off
    the brain's border, where it is half bone.
    """

    name: str
    bone_hu: float
    spongy_hu: float
    seed_hu: float
    bone_ml: float
    closing_mm: float
    marrow_mm: float
    erosion_mm: float
    bone_share: float
    bone_px: int
    closing_px: float
    erosion_px: float


MODEL = RoiThresholds(
    name="model",
    bone_hu=200.0,
    spongy_hu=130.0,
    seed_hu=450.0,
    bone_ml=1.0,
    closing_mm=4.0,
    marrow_mm=30.0,
    erosion_mm=0.5,
    bone_share=0.75,
    bone_px=15,
    closing_px=3.0,
    erosion_px=1.0,
)

SCORING = RoiThresholds(
    name="scoring",
    bone_hu=250.0,
    spongy_hu=160.0,
    seed_hu=500.0,
    bone_ml=1.5,
    closing_mm=3.0,
    marrow_mm=27.0,
    erosion_mm=1.5,
    bone_share=0.6,
    bone_px=25,
    closing_px=2.0,
    erosion_px=2.0,
)
