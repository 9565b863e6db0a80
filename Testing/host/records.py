"""What happened in the stand-in that no widget shows, and the answers a test has ready for dialogs."""

from __future__ import annotations

import sys
import traceback
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class SlotError:
    """An exception that a slot let out: PythonQt prints it and goes on, so a test has to look here."""

    error: BaseException
    text: str


@dataclass(frozen=True)
class Shown:
    """A dialog that would have been shown; kind is "info", "warning", "error", "question" or a widget's class."""

    kind: str
    text: str
    title: str = ""
    detail: str = ""


slot_errors: list[SlotError] = []
messages: list[Shown] = []
urls: list[str] = []  # what QDesktopServices was asked to open
file_answers: deque = deque()  # one for each file dialog to come: a path, a list of paths, or "" for Cancel
message_answers: deque = deque()  # one for each message box to come: a button; without any, the safe default


def record_slot_error(error: BaseException) -> None:
    text = "".join(traceback.format_exception(error))
    sys.stderr.write(text)
    slot_errors.append(SlotError(error, text))


def file_answer() -> object:
    """The next queued answer; a dialog that no test expected raises, as it would hang a real application."""
    if not file_answers:
        raise AssertionError("a file dialog opened for which no answer is queued: append one to host.file_answers")
    return file_answers.popleft()


def clear_records() -> None:
    for kept in (slot_errors, messages, urls, file_answers, message_answers):
        kept.clear()
