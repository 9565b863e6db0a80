"""The command line, one file per command."""

from .application import app, main

__all__ = ["app", "main"]
