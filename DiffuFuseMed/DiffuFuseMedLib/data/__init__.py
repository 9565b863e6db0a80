"""Images of a patient without torch: numpy, SimpleITK and pydicom."""

from .case import Alignment, Case
from .errors import InputError
from .grid import Grid
from .prediction import Interval, Prediction
from .volume import MODALITIES, Volume

__all__ = ["MODALITIES", "Alignment", "Case", "Grid", "InputError", "Interval", "Prediction", "Volume"]
