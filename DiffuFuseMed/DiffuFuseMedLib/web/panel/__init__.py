"""The panel of design.md section 6, one file per section, read from top to bottom."""

from .case import case_section
from .display import display_section
from .fusion import fusion_section
from .lesion import lesion_section
from .modalities import modalities_section
from .persistence import persistence_section
from .probing import probing_section
from .review import review_section
from .uncertainty import uncertainty_section

SECTIONS = (
    case_section,
    display_section,
    fusion_section,
    modalities_section,
    lesion_section,
    uncertainty_section,
    review_section,
    probing_section,
    persistence_section,
)

__all__ = ["SECTIONS"]
