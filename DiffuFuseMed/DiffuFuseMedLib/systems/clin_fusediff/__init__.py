"""CLIN-FuseDiff++ (P. Phasook): ROI-guided reverse diffusion, and a few-step student that follows the sliders live."""

from .pair import FEATHER_PX, MASKS, MULTIPLE, Pair, joined
from .student import LARGEST_ACCENT, Components, Student, StudentConfig
from .teacher import Guidance, Teacher, TeacherConfig, shifted

__all__ = [
    "FEATHER_PX",
    "LARGEST_ACCENT",
    "MASKS",
    "MULTIPLE",
    "Components",
    "Guidance",
    "Pair",
    "Student",
    "StudentConfig",
    "Teacher",
    "TeacherConfig",
    "joined",
    "shifted",
]
