"""Parameters: all that a reader can set, one typed dataclass for both hosts; a saved scene brings it back."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from ..core.errors import input_error
from ..core.maps import MAPS
from ..core.modalities import MODALITIES
from ..core.pose import check_poses
from ..core.presets import DEFAULT_PRESET, PRESETS, VALUES, check_values
from ..core.probed import CONTRAST, DIAMETER_MM
from ..core.suv_units import DEFAULT as DEFAULT_SUV
from ..core.suv_units import SUV_UNITS
from ..models.registry import DEFAULT_MODEL

MODEL_ID = re.compile(r"\w[\w.-]{0,99}")
WHOLE = {"steps": (1, 4), "samples": (1, 64), "seed": (0, 2**31 - 1)}
PROBE = {"probe_diameter_mm": DIAMETER_MM, "probe_contrast": CONTRAST}  # of a synthetic tumor
COMPARE = ("off", "swipe", "checkerboard")
PET_COLORS = ("PET heat", "PET hot iron", "PET rainbow", "Inferno", "PET inverse gray", "Grey")
SLICERS_PET_COLORS = ("PET-Heat", "PET-Rainbow", "PET-DICOM", "PET-MaximumIntensityProjection")  # of older scenes
CHOICES: Mapping[str, Collection[str]] = {
    "uncertainty_map": MAPS,
    "compare": COMPARE,
    "suv": SUV_UNITS,
    "pet_colors": (*PET_COLORS, *SLICERS_PET_COLORS),
}
SHARES = ("foreground_opacity", "uncertainty_opacity", "lesion_opacity", "compare_position", "uncertainty_above")


@dataclass(frozen=True)
class Parameters:
    """Defaults are the sarcoma preset's. Names in two words say what they are; the rest:

    modalities: those switched off are False, one that is not named is on; model: id of a segmenter; uncertainty_map:
    a key of MAPS; uncertainty_above: in the map's unit, below it nothing is shown; background, foreground: a modality
    key, "fused", or "" for nothing; windows: name of a window (window_level.py) by modality or "fused"; compare: one of
    COMPARE, of the reference and compare_with; compare_position: 0..1 of the way; mri: the MR that is fused, "" for the
    first; suv: what PET values are shown and measured in; registered, moved: six numbers of a core.pose.Pose by
    modality, where an image lies since it was opened: by a registration, and by hand on top of that; probe_diameter_mm,
    probe_contrast: of a synthetic tumor, as core.probed has them.
    """

    preset: str = DEFAULT_PRESET
    alpha: float = PRESETS[DEFAULT_PRESET].alpha
    beta: float = PRESETS[DEFAULT_PRESET].beta
    gamma: float = PRESETS[DEFAULT_PRESET].gamma
    lambdas: tuple[float, float, float] = PRESETS[DEFAULT_PRESET].lambdas
    tau_mm: float = PRESETS[DEFAULT_PRESET].tau_mm
    ct_window_hu: tuple[float, float] = PRESETS[DEFAULT_PRESET].ct_window_hu
    steps: int = 1
    guided: bool = False
    mri: str = ""
    registered: dict[str, tuple] = field(default_factory=dict)
    moved: dict[str, tuple] = field(default_factory=dict)
    protect_border: bool = True

    modalities: dict[str, bool] = field(default_factory=dict)
    model: str = DEFAULT_MODEL
    samples: int = 8
    seed: int = 0
    device: str = "auto"

    show_uncertainty: bool = True
    uncertainty_map: str = "predictive_entropy"
    uncertainty_opacity: float = 0.7
    uncertainty_above: float = 0.3
    show_band: bool = True
    show_lesion: bool = True
    show_annotators: bool = True
    lesion_opacity: float = 0.25

    background: str = "fused"
    foreground: str = "PET"
    foreground_opacity: float = 0.35
    windows: dict[str, str] = field(default_factory=dict)
    suv: str = DEFAULT_SUV
    pet_colors: str = MODALITIES["PET"].colors
    compare: str = "off"
    compare_with: str = ""
    compare_position: float = 0.5
    crosshair: bool = False

    inside_region_only: bool = True

    probe_diameter_mm: float = 30.0
    probe_contrast: float = 1.0

    def __post_init__(self) -> None:
        """Raises InputError for a value that cannot be, whoever made it: a hand, a program or a saved scene."""
        check_values(self)
        _check_model(self.model)
        for name, choices in CHOICES.items():
            _check_choice(name.replace("_", " "), getattr(self, name), choices)
        for name, ends in WHOLE.items():
            _check_whole(name, getattr(self, name), *ends)
        for poses in (self.registered, self.moved):
            check_poses(poses, tuple(MODALITIES))
        for name in SHARES:
            _check_number(name, getattr(self, name), 0, 1)
        for name, (low, high) in PROBE.items():
            _check_number(name, getattr(self, name), low, high)
        for name in (entry.name for entry in fields(self) if isinstance(entry.default, bool)):
            _check_choice(name.replace("_", " "), getattr(self, name), (True, False))

    def on(self, modality: str) -> bool:
        return self.modalities.get(modality, True)

    def fusion_settings(self) -> dict[str, Any]:
        """What engine.client takes as settings of a fusion."""
        return {name: getattr(self, name) for name in (*VALUES, "steps", "guided", "seed")}


FUSION = (*VALUES, "steps", "guided", "mri", "preset")
NAMES = tuple(entry.name for entry in fields(Parameters))


def changed(parameters: Parameters, **values: Any) -> Parameters:
    """A copy with these values. Raises InputError for a name that does not exist or a value out of its range."""
    for name in values:
        if name not in NAMES:
            raise input_error(f"the parameter {name!r}", f"one of {', '.join(NAMES)}", "correct the name")
    return replace(parameters, **values)


def _check_model(model: str) -> None:
    """Of whoever holds the page's token, or sent a scene: a model by its id, not a folder anywhere on the disk."""
    if not isinstance(model, str) or not MODEL_ID.fullmatch(model):
        raise input_error(f"the model {str(model)[:40]!r}", "the id of an installed one", "choose one of the list")


def _check_choice(what: str, value: Any, choices: Collection[Any]) -> None:
    if not isinstance(value, type(next(iter(choices)))) or value not in choices:
        raise input_error(f"the {what} {value!r}", f"one of {', '.join(map(str, choices))}", "choose one of these")


def _check_whole(name: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise input_error(f"{name}={value!r}", f"a whole number from {low} to {high}", f"correct {name}")


def _check_number(name: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise input_error(f"{name}={value!r}", f"a number from {low:g} to {high:g}", f"correct {name}")
