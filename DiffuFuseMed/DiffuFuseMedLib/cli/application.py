"""The command line: web | engine | run | fuse | train | calibrate | domain | evaluate | diagnose | benchmark |
agreement | evaluate-fusion | evaluate-inpainting | synthesize | evaluate-synthesis | probe | models | datasets."""

from __future__ import annotations

import errno
import logging
import sys
from typing import NoReturn

import typer

from ..core.errors import InputError, input_error
from .agreement import agreement
from .benchmark import benchmark
from .calibrate import calibrate
from .console import err_console
from .datasets import datasets_app
from .diagnose import diagnose
from .domain import domain
from .engine import engine
from .evaluate import evaluate
from .evaluate_fusion import evaluate_fusion
from .evaluate_inpainting import evaluate_inpainting
from .evaluate_synthesis import evaluate_synthesis
from .fuse import fuse
from .models import models_app
from .probe import probe
from .reader_study import reader_study_app
from .run import run
from .synthesize import synthesize
from .train import train
from .web import web

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
for command in (web, engine, run, fuse, train, calibrate, domain, evaluate, diagnose, benchmark, agreement):
    app.command()(command)
app.command("evaluate-fusion")(evaluate_fusion)
app.command("evaluate-inpainting")(evaluate_inpainting)
app.command()(synthesize)
app.command()(probe)
app.command("evaluate-synthesis")(evaluate_synthesis)
app.add_typer(models_app, name="models")
app.add_typer(reader_study_app, name="reader-study")
app.add_typer(datasets_app, name="datasets")


NO_MEMORY = 3  # the exit code: it is the machine's, not the input's
MEMORY = {errno.ENOMEM}
OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "failed to allocate memory",
    "unable to allocate",
    "bad_alloc",
    "can't start new thread",
)
DISK = {getattr(errno, name, None) for name in ("ENOSPC", "EDQUOT", "EROFS", "EIO")}  # Windows has no EDQUOT


def main(application: typer.Typer = app) -> None:
    """Entry point: bad input is one sentence and exit code 2, too little memory one and 3, never a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    try:
        _check_named(sys.argv[1:])
        application()
    except InputError as error:
        _refuse(str(error))
    except OSError as error:
        if error.errno in MEMORY:
            _no_memory()
        if error.errno not in DISK:
            raise
        given = f"a disk that refuses the files ({error.strerror})"
        _refuse(str(input_error(given, "one with room that can be written", "make room or choose another --out")))

    except (MemoryError, RuntimeError, ImportError, SystemError) as error:  # ITK, torch and the loader say it in words
        if not isinstance(error, MemoryError) and not any(words in str(error).lower() for words in OUT_OF_MEMORY):
            raise
        _no_memory()


def _check_named(arguments: list[str]) -> None:
    """Refuse an empty argument: as a path, such as of a shell's variable that is not set, it would be this folder."""
    for before, argument in zip(["", *arguments], arguments, strict=False):
        option, is_joined, value = argument.partition("=")
        if not argument.strip() or (is_joined and option.startswith("--") and not value.strip()):
            what = option.strip() or (before if before.startswith("-") else "the command")
            raise input_error(f"an empty argument of {what}", "a value", "write one, or leave the option out")


def _no_memory() -> NoReturn:
    given = "a task for which the memory does not suffice"
    wanted = "more memory, or less to do at once"
    _refuse(str(input_error(given, wanted, "close other programs, use fewer --samples, or crop the images")), NO_MEMORY)


def _refuse(sentence: str, code: int = 2) -> NoReturn:
    err_console.print(sentence, style="bold red", markup=False, soft_wrap=True)
    sys.exit(code)
