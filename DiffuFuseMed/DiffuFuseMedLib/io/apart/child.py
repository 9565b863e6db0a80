"""The process that reads: python -m DiffuFuseMedLib.io.apart.child. It imports what it needs, waits for one request on
its standard input, limits itself to what that request allows, answers on its standard output, and ends."""

from __future__ import annotations

import logging
import os
import re
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pydicom.pixels.decoders  # noqa: F401 - before the limits: what is imported once needs no leave later

from ...core.errors import InputError, input_error
from ..grammar import meta_image, nrrd  # noqa: F401 - likewise
from ..scene_files import prepared_scene
from ..study import images_in, read_folder
from .limits import Limits, impose
from .messages import received, send, words_of_study

log = logging.getLogger(__name__)
WATCH_S = 0.5
# How ITK says that it got no memory, and Python that a thread got none.
OF_MEMORY = re.compile(r"memory|alloc|can't start new thread")
Answer = tuple[dict[str, Any], list[np.ndarray]]


def main() -> None:
    answers = _own_stdout()
    request = received(sys.stdin.buffer)
    scratch = Path(request["scratch"])
    tempfile.tempdir = str(scratch)
    parent = os.getppid()
    held = impose(Limits(**request["limits"]), [Path(path) for path in request["reads"]], [scratch])
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    words, arrays = _answered(request)
    send(answers, {**words, "held": held}, arrays)


def _watch(parent: int) -> None:
    """End with the one that asks, however that ends: nobody else takes the answer, and the images are a patient's."""
    while os.name != "nt" and os.getppid() == parent:
        time.sleep(WATCH_S)
    if os.name != "nt":
        os._exit(1)


def _own_stdout() -> BinaryIO:
    """What a library prints must not get between the answers."""
    own = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(own, "wb")


def _answered(request: dict[str, Any]) -> Answer:
    try:
        return KINDS[request["kind"]](request)
    except InputError as error:
        return {"error": str(error)}, []
    except (MemoryError, RuntimeError) as error:
        if not (isinstance(error, MemoryError) or OF_MEMORY.search(str(error))):
            raise
        return {"error": _too_much()}, []
    except OSError as error:
        log.info("a file could not be read: %s", type(error).__name__)
        name = Path(str(error.filename)).name if error.filename else "of the folder"
        given = f"file '{name}', which cannot be read or leads out of the folder"
        return {"error": str(input_error(given, "files in the folder", "copy it there"))}, []


def _folder(request: dict[str, Any]) -> Answer:
    there, study = read_folder(request["folder"], request["told"])
    words, arrays = words_of_study(study)
    return {**words, "images": there}, arrays


def _images(request: dict[str, Any]) -> Answer:
    return {"images": images_in(request["folder"])}, []


def _scene(request: dict[str, Any]) -> Answer:
    scene = prepared_scene(Path(request["path"]), Path(request["scratch"]), int(request["limit_bytes"]))
    return {"mrml": str(scene.mrml), "left_out": scene.left_out}, []


def _too_much() -> str:
    return str(input_error("images that need more memory than may be taken", "smaller ones", "crop or resample them"))


KINDS = {"folder": _folder, "images": _images, "scene": _scene}

if __name__ == "__main__":
    main()
