"""From an aligned case to the fused picture under the sliders, slice by slice and as a volume (CLIN-FuseDiff++)."""

from .fuser import Fuser
from .opened_case import PLANES, FusionCase
from .settings import FusionSettings

__all__ = ["PLANES", "Fuser", "FusionCase", "FusionSettings"]
