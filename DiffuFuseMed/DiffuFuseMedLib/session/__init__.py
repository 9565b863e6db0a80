"""Session: what happens in the workspace, without a widget; both hosts use it."""

from .host import Host, Timer
from .parameters import Parameters
from .session import Session
from .view_state import Message, ViewState

__all__ = ["Host", "Message", "Parameters", "Session", "Timer", "ViewState"]
