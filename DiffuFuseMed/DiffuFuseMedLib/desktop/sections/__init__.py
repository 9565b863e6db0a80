"""The sections of the panel, in the reader's order; each draws itself when the session tells a topic."""

from .about import About
from .display import Display
from .fusion import Fusion
from .inputs import Inputs
from .modalities import Modalities
from .placement import Placement
from .probing import Probing
from .results import Results
from .review import Review
from .segmentation import Segmentation
from .uncertainty import Uncertainty

SECTIONS = (
    *(Inputs, Placement, Fusion, Modalities, Display),
    *(Segmentation, Uncertainty, Review, Probing, Results, About),
)

__all__ = ["SECTIONS"]
