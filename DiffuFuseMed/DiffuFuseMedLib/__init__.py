"""DiffuFuseMed: fuse PET, CT and MRI, segment the lesion, show where it may be wrong.

    from DiffuFuseMedLib import fuse, load_case, predict, write_report

    case = load_case("Resources/SampleData/STS_010")
    prediction = predict(case, samples=8, seed=0)
    fusion = fuse(case, preset="soft-tissue-sarcoma", alpha=0.7, lesion=prediction)
    write_report(case, "out/report.html", prediction, fusion)

Each name is imported when it is first used: Slicer, the page and the command line's help never wait for torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import fuse, predict, write_report
    from .core.case import Case
    from .core.errors import InputError
    from .core.fusion import Fusion
    from .core.grid import Grid
    from .core.prediction import Prediction
    from .core.volume import Volume
    from .models.registry import models as list_models
    from .preprocessing.load import load_case

__version__ = "0.1.0"

__all__ = [
    "Case",
    "Fusion",
    "Grid",
    "InputError",
    "Prediction",
    "Volume",
    "fuse",
    "list_models",
    "load_case",
    "predict",
    "write_report",
]

_HOMES = {
    "Case": "core.case:Case",
    "Fusion": "core.fusion:Fusion",
    "Grid": "core.grid:Grid",
    "InputError": "core.errors:InputError",
    "Prediction": "core.prediction:Prediction",
    "Volume": "core.volume:Volume",
    "fuse": "api:fuse",
    "list_models": "models.registry:models",
    "load_case": "preprocessing.load:load_case",
    "predict": "api:predict",
    "write_report": "api:write_report",
}


def __getattr__(name: str) -> Any:  # PEP 562
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, own_name = _HOMES[name].split(":")
    globals()[name] = value = getattr(import_module(f".{module}", __name__), own_name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
