"""What PET values are shown and measured in: SUV by body weight, as images and models have it, or by another measure of
the patient's body, which io.dicom.body_measures works out once when the images are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .case import Case
from .errors import input_error
from .modalities import MODALITIES

FACTORS, WHY_NOT = "suv_factors", "suv_why_not"  # in Volume.meta: by the keys below
DEFAULT = "bw"
NO_TAGS = "a PET that was not read from DICOM, whose tags tell weight, height and sex"


@dataclass(frozen=True)
class SuvUnit:
    """name: in front of a number's kind, such as "SUVlbm max"; unit: of such a value; total_unit: of one times mL."""

    name: str
    unit: str
    total_unit: str
    title: str


SUV_UNITS = {
    "bw": SuvUnit("SUVbw", "g/mL", "g", "by body weight"),
    "lbm": SuvUnit("SUVlbm", "g/mL", "g", "by lean body mass (Janmahasatian)"),
    "lbm-james": SuvUnit("SUVlbm(James)", "g/mL", "g", "by lean body mass (James)"),
    "bsa": SuvUnit("SUVbsa", "cm2/mL", "cm2", "by body surface area"),
}


@dataclass(frozen=True)
class SuvScale:
    """A unit for one patient. factor: its values over those by body weight."""

    key: str = DEFAULT
    factor: float = 1.0

    @property
    def told(self) -> SuvUnit:
        return SUV_UNITS[self.key]

    def label(self, kind: str) -> str:
        """Of a number: SUVmax where nothing else was chosen, else SUVlbm max."""
        return f"SUV{kind}" if self.key == DEFAULT else f"{self.told.name} {kind}"


BODY_WEIGHT = SuvScale()


def suv_scale(case: Case, key: str) -> SuvScale:
    """The unit `key` of SUV_UNITS for the case's patient. Raises InputError for an unknown one, and where the images do
    not tell what it takes."""
    check_suv_unit(key)
    if why := why_not(case, key):
        raise input_error(why, f"the body's measures that {SUV_UNITS[key].name} takes", "choose SUVbw")
    return SuvScale(key, 1.0 if key == DEFAULT else float(_meta(case)[FACTORS][key]))


def check_suv_unit(key: str) -> None:
    """Raises InputError for what is no key of SUV_UNITS."""
    if key not in SUV_UNITS:
        raise input_error(f"the SUV {key[:20]!r}", f"one of {', '.join(SUV_UNITS)}", "choose one of these")


def why_not(case: Case, key: str) -> str:
    """What stands against the unit, as messages name what was given; empty where nothing does."""
    if key == DEFAULT:
        return ""
    meta = _meta(case)
    if "PET" not in case.modalities:
        return "a case without PET"
    if key in meta.get(FACTORS, {}):
        return ""
    return str(meta.get(WHY_NOT, {}).get(key, NO_TAGS))


def suv_choices(case: Case) -> tuple[dict[str, str], ...]:
    """value, title and why_not of each unit, for a panel; () for a case without PET."""
    if not any(MODALITIES[key].scale == "SUV" for key in case.modalities):
        return ()
    return tuple(
        {"value": key, "title": f"{unit.name}, {unit.title}", "why_not": why_not(case, key)}
        for key, unit in SUV_UNITS.items()
    )


def _meta(case: Case) -> Mapping[str, Any]:
    return next((v.meta for key, v in case.volumes.items() if MODALITIES[key].scale == "SUV"), {})
