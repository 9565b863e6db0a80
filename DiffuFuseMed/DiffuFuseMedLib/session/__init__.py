"""Session: what happens in the workspace, without a widget; both hosts use it."""

from .host import Host, Timer
from .parameters import Parameters
from .screen import Message, Screen
from .session import Session

__all__ = ["Host", "Message", "Parameters", "Screen", "Session", "Timer"]
