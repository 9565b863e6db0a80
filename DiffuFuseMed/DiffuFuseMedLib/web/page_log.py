"""A page that was closed or reloaded while it was being written to is no fault, and what is no HTTP comes from
anybody: both would be logged with tracebacks."""

from __future__ import annotations

import logging
import sys

from aiohttp.http_exceptions import HttpProcessingError

TELLERS = ("wslink.protocol", "aiohttp.server")


def forgive_gone_pages() -> None:
    """Drop what these libraries log of a connection that its other end has closed, or on which no HTTP is spoken."""
    for name in TELLERS:
        logging.getLogger(name).addFilter(_is_worth_telling)


def _is_worth_telling(record: logging.LogRecord) -> bool:
    """wslink logs while it handles the error, without attaching it to the record."""
    error = record.exc_info[1] if record.exc_info else sys.exc_info()[1]
    return not isinstance(error, (ConnectionError, HttpProcessingError))
