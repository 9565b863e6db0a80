"""The recipe of CLIN-FuseDiff++: what it is trained on, for how long, with which weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from . import StudentConfig, TeacherConfig
from .crops import CropSettings


@dataclass(frozen=True)
class FusionRecipe:
    """Minutes bound each of the three runs; left_out: series of the pairs that only validate."""

    model_ids: tuple[str, str] = ("clin-fusediff-teacher", "clin-fusediff-student")
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    student: StudentConfig = field(default_factory=StudentConfig)
    crops: CropSettings = field(default_factory=CropSettings)
    head_crops: CropSettings = field(default_factory=lambda: CropSettings(zoom=(0.8, 1.8), lesion=0.85))
    folds: tuple[int, ...] = (1, 2, 3)
    held_out: tuple[str, ...] = ("STS_010",)
    left_out: tuple[str, ...] = ("20", "33", "41", "10", "18", "29")
    windows_hu: tuple[tuple[float, float], ...] = ((-160.0, 840.0), (-200.0, 1300.0), (-100.0, 300.0))
    mri: str = "MR_T1"
    batch: int = 6
    heads_minutes: float = 14.0
    teacher_minutes: float = 20.0
    student_minutes: float = 30.0
    learning_rate: float = 1e-3
    ema: float = 0.995
    clip: float = 1.0
    seed: int = 0
    lambda_roi: float = 0.2  # of (3)

    def lasting(self, minutes: float) -> FusionRecipe:
        """The same recipe, its three runs shortened or prolonged alike."""
        names = ("heads_minutes", "teacher_minutes", "student_minutes")
        share = minutes / sum(getattr(self, n) for n in names)
        return replace(self, **{n: share * getattr(self, n) for n in names})


@dataclass(frozen=True)
class StudentWeights:
    """What each part of the student's objective weighs."""

    score: float = 4.0  # squared distance to where the guided teacher denoises to
    soft: float = 12.0
    bone: float = 4.0
    bone_error: float = 10.0
    lesion: float = 0.5
    edges: float = 2.5
    differences: float = 0.5
    hidden: float = 2.0
    alone: float = 4.0  # where the MRI sees nothing, the picture is the CT
