"""Session: what happens in the workspace, without a widget; both hosts use it, and import nothing else of it.

Its methods and parts (facade.py) are what can be done; `parameters` and `view_state` are what is shown; `listen` tells
which topic of it changed. Below them: the errors that a host raises or tells, and words that its widgets offer.
"""

from ..core.case import Case
from ..core.errors import InputError, input_error
from ..core.grid import Grid
from ..core.maps import MAPS
from ..core.mask_edits import Edit, adding, keeping_largest, odd_voxels, smoothing
from ..core.modalities import MODALITIES, long_title_of, shown, spec_of, tracers
from ..core.otsu import otsu
from ..core.presets import name_from
from ..core.volume import Volume
from ..engine.client.child import environment_for
from ..engine.client.engine import Engine, EngineError
from ..io.apart import ReaderApart
from ..models.registry import card, models, weights_bytes
from .cursor_probe import CursorProbe
from .events import Topic
from .facade import DisplayFacade
from .host import Host, Timer
from .kept_corrections import state_folder
from .loading import UNUSED
from .parameters import Parameters
from .roots import Roots
from .session import Session
from .view_state import Message, ViewState
from .window_level import FUSED
from .window_level import choices as window_choices

__all__ = [
    "FUSED",
    "MAPS",
    "MODALITIES",
    "UNUSED",
    "Case",
    "CursorProbe",
    "DisplayFacade",
    "Edit",
    "Engine",
    "EngineError",
    "Grid",
    "Host",
    "InputError",
    "Message",
    "Parameters",
    "ReaderApart",
    "Roots",
    "Session",
    "Timer",
    "Topic",
    "ViewState",
    "Volume",
    "adding",
    "card",
    "environment_for",
    "input_error",
    "keeping_largest",
    "long_title_of",
    "models",
    "name_from",
    "odd_voxels",
    "otsu",
    "shown",
    "smoothing",
    "spec_of",
    "state_folder",
    "tracers",
    "weights_bytes",
    "window_choices",
]
