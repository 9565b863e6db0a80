"""Loads the module of an installed tree in the stand-in, and tells as JSON where each part of it was found.

Usage: installed_module.py MODULE_FOLDER, with that folder first on PYTHONPATH. A process of its own: what is imported
from the source tree by the tests would hide what the installed one lacks.
"""

import importlib
import json
import pkgutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

sys.path.insert(1, str(Path(__file__).resolve().parents[1]))
folder = Path(sys.argv[1])

import host  # noqa: E402

host.start()
widget = host.load_module(folder / "DiffuFuseMed.py")

import DiffuFuseMedLib  # noqa: E402
from DiffuFuseMedLib.models import registry  # noqa: E402

found = {info.name: info for info in pkgutil.walk_packages(DiffuFuseMedLib.__path__, "DiffuFuseMedLib.")}
imported = {name: importlib.import_module(name).__file__ for name in found}
module = sys.modules["DiffuFuseMed"]
told = {
    "library": DiffuFuseMedLib.__file__,
    "imported": imported,
    "panel": widget.resourcePath("UI/DiffuFuseMed.ui"),
    "icon": module.resource("Icons/DiffuFuseMed.svg"),
    "models": {record.id: str(registry.model_folder(record.id)) for record in registry.models()},
    "samples": [unquote(urlsplit(uri).path) for sample in host.samples for uri in sample["uris"]],
    "thumbnails": [sample["thumbnailFileName"] for sample in host.samples],
    "story": module.story().__file__,
    "errors": [error.text for error in host.slot_errors],
}
host.close()
sys.stdout.write("\n" + json.dumps(told) + "\n")
