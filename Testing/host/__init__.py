"""A strict stand-in for Slicer's Qt layer (PythonQt, CTK, qMRML widgets) over the real MRML of slicer-core.

    import host
    scene = host.start()
    widget = host.load_module("DiffuFuseMed/DiffuFuseMed.py")
    host.process_events(until=lambda: widget.ui.runButton.enabled)
    assert not host.slot_errors

What real PythonQt refuses raises here: see Testing/host/README.md.
"""

from .records import Shown, SlotError, clear_records, file_answers, message_answers, messages, slot_errors, urls
from .surface import NotCovered

__all__ = [
    "NotCovered", "Shown", "SlotError", "add_dicom", "choose", "clear_records", "close", "drag", "enter_module",
    "exit_module", "file_answers", "installs", "load_dicom", "load_module", "message_answers", "messages", "press",
    "process_events", "provide", "samples", "scene", "screenshot", "set_testing", "slot_errors", "start", "stroke",
    "unload_module", "urls",
]  # fmt: skip
_OPTIONAL = ("installs", "provide", "samples")


def __getattr__(name):
    """The rest needs slicer and Qt, which the check in refusals.py does without."""
    if name == "scene":
        import slicer

        return slicer.mrmlScene
    if name not in __all__:
        raise AttributeError(f"module 'host' has no attribute {name!r}")
    from . import optional, running

    return getattr(optional if name in _OPTIONAL else running, name)
