"""A saved scene (.mrb) from outside, made harmless before MRML reads it: unpacked under limits, and everything that
MRML then reads, the .mrml and each data file, written anew from what was understood of it."""

from .prepare import PreparedScene, prepared_scene

__all__ = ["PreparedScene", "prepared_scene"]
