"""The engine as a host sees it: torch-free, without Qt."""

from .engine import Engine, EngineError, Handle

__all__ = ["Engine", "EngineError", "Handle"]
