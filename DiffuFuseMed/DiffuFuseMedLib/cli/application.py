"""The command line: web | engine | run | fuse | train | calibrate | evaluate | evaluate-fusion | models."""

from __future__ import annotations

import errno
import logging
import sys

import typer

from ..core.errors import InputError, input_error
from .calibrate import calibrate
from .console import err_console
from .engine import engine
from .evaluate import evaluate
from .evaluate_fusion import evaluate_fusion
from .fuse import fuse
from .models import models_app
from .run import run
from .train import train
from .web import web

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for command in (web, engine, run, fuse, train, calibrate, evaluate):
    app.command()(command)
app.command("evaluate-fusion")(evaluate_fusion)
app.add_typer(models_app, name="models")


DISK = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EROFS", "EIO")}  # Windows has no EDQUOT


def main(application: typer.Typer = app) -> None:
    """Entry point: bad input is one sentence and exit code 2, never a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        application()
    except InputError as error:
        _refuse(str(error))
    except OSError as error:
        if error.errno not in DISK:
            raise
        given = f"a disk that refuses the files ({error.strerror})"
        _refuse(str(input_error(given, "one with room that can be written", "make room or choose another --out")))


def _refuse(sentence: str) -> None:
    err_console.print(sentence, style="bold red", markup=False, soft_wrap=True)
    sys.exit(2)
