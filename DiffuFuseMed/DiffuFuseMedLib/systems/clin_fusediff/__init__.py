"""CLIN-FuseDiff++ (P. Phasook): ROI-guided reverse diffusion, and a few-step student that follows the sliders live."""

from .pair import FEATHER_PX, MASKS, Pair, joined
from .student import LARGEST_ACCENT, Components, Student, StudentConfig, without_neighbors
from .teacher import Guidance, Teacher, TeacherConfig, shifted

__all__ = [
    "FEATHER_PX",
    "LARGEST_ACCENT",
    "MASKS",
    "Components",
    "Guidance",
    "Pair",
    "Student",
    "StudentConfig",
    "Teacher",
    "TeacherConfig",
    "joined",
    "shifted",
    "without_neighbors",
]
