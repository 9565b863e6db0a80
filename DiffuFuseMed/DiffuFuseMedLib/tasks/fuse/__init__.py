"""From an aligned case to the fused picture under the sliders, slice by slice and as a volume (CLIN-FuseDiff++)."""

from ...core.fusion_settings import FusionSettings
from .fuser import Fuser
from .opened_case import PLANES, FusionCase

__all__ = ["PLANES", "Fuser", "FusionCase", "FusionSettings"]
