"""The recipe of CLIN-FuseDiff++: what it is trained on, for how long, with which weights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf

from ...datasets import brain_pairs, sts
from ...training.data import TrainingData
from ...training.optimization import Optimization
from ...training.recipe import BaseRecipe
from . import StudentConfig, TeacherConfig
from .crops import CropSettings

DATA = replace(sts.DATA, collections=(sts.COLLECTION, brain_pairs.COLLECTION))
LOG_EVERY = 50


@dataclass(frozen=True, kw_only=True)
class FusionRecipe(BaseRecipe):
    """Minutes bound each stage, and so do steps where they are told; heads_minutes are of both lesion heads together;
    left_out: series of the pairs that only validate."""

    data: TrainingData = DATA
    model_ids: tuple[str, str] = ("clin-fusediff-teacher", "clin-fusediff-student")
    teacher: TeacherConfig = field(default_factory=TeacherConfig)
    student: StudentConfig = field(default_factory=StudentConfig)
    crops: CropSettings = field(default_factory=CropSettings)
    head_crops: CropSettings = field(default_factory=lambda: CropSettings(zoom=(0.8, 1.8), lesion=0.85))
    left_out: tuple[str, ...] = brain_pairs.LEFT_OUT
    windows_hu: tuple[tuple[float, float], ...] = ((-160.0, 840.0), (-200.0, 1300.0), (-100.0, 300.0))
    mri: str = "MR_T1"
    batch: int = 6
    heads_minutes: float = 14.0
    teacher_minutes: float = 20.0
    student_minutes: float = 30.0
    steps: int | None = None
    learning_rate: float = 1e-3
    weight_decay: float = 1e-3
    warmup: int = 50
    ema: float = 0.995
    clip: float = 1.0
    lambda_roi: float = 0.2  # of (3)

    def lasting(self, minutes: float) -> FusionRecipe:
        """The same recipe, its three runs shortened or prolonged alike."""
        names = ("heads_minutes", "teacher_minutes", "student_minutes")
        share = minutes / sum(getattr(self, n) for n in names)
        return replace(self, **{n: share * getattr(self, n) for n in names})

    def stage(self, minutes: float) -> Optimization:
        """How one of its networks is optimized, for so many minutes at most."""
        return self.optimization(minutes=minutes, steps=self.steps or inf, log_every=LOG_EVERY)


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
