"""The way in: who may enter, one tab at a time, what comes in as uploads and leaves as downloads."""

from .binding import Binding, free_port
from .downloads import Downloads
from .install import HttpLayer, install, start_arguments
from .limits import Limits
from .tabs import Tabs
from .uploads import Uploads

__all__ = ["Binding", "Downloads", "HttpLayer", "Limits", "Tabs", "Uploads", "free_port", "install", "start_arguments"]
