"""What SUV is related to beside body weight, and back to it (IBSI manual of SUV computation; DICOM PS3.3 C.8.9.1.1.3).

An SUV of another kind is activity * measure / dose: times weight / measure it is SUVbw. For a patient whose sex is
neither M nor F the manual takes the mean of both formulas; that is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from ...core.errors import InputError, input_error
from ...core.suv_units import FACTORS, WHY_NOT
from .tags import positive, required, tag_name, value_of

WHAT = "a PET series"
JAMES = {True: (1.10, 128.0), False: (1.07, 148.0)}  # slope and factor of men and of women
CENTIMETERS_FROM = 3.0  # nobody is taller than three meters: a PatientSize above is in centimeters
GRAMS_FROM, MOST_KG, LEAST_KG = 2000.0, 650.0, 2.0
LEAST_SHARE = 0.2  # of the weight: no lean or ideal mass is below
HEIGHTS_CM, BMIS = (40.0, 260.0), (6.0, 120.0)  # of anybody: beyond, weight or height is wrong


@dataclass(frozen=True)
class Body:
    """weight_kg, height_cm; sex: M, F or another letter."""

    weight_kg: float
    height_cm: float = 0.0
    sex: str = ""

    @property
    def bmi(self) -> float:
        return self.weight_kg / (self.height_cm / 100) ** 2


def lbm_morgan(body: Body, male: bool) -> float:
    """Lean body mass in kg, Morgan and Bray 1994: James' formula as DICOM's plain LBM has it."""
    return _lbm_james(body, 1.10 if male else 1.07, 120.0 if male else 148.0)


def lbm_james(body: Body, male: bool) -> float:
    """Lean body mass in kg, James and Waterlow 1976 (LBMJAMES128)."""
    return _lbm_james(body, *JAMES[male])


def lbm_janmahasatian(body: Body, male: bool) -> float:
    """Lean body mass in kg, Janmahasatian et al. 2005, doi:10.2165/00003088-200544100-00004."""
    return 9270 * body.weight_kg / (6680 + 216 * body.bmi if male else 8780 + 244 * body.bmi)


def ideal_body_weight(body: Body, male: bool) -> float:
    """Ideal body weight in kg, Sugawara et al. 1999, doi:10.1148/radiology.213.2.r99nv37521."""
    over = body.height_cm - 152
    return 48.0 + 1.06 * over if male else 45.5 + 0.91 * over


def body_surface_area_cm2(body: Body) -> float:
    """Body surface area in square centimeters, Du Bois and Du Bois 1916."""
    return 0.007184 * body.weight_kg**0.425 * body.height_cm**0.725 * 10_000


# SUVType (0054,1006) of values in g/mL.
MASSES_KG: dict[str, Callable[[Body, bool], float]] = {
    "LBM": lbm_morgan,
    "LBMJAMES128": lbm_james,
    "LBMJANMA": lbm_janmahasatian,
    "IBW": ideal_body_weight,
}

OTHER_UNITS = {"lbm": "LBMJANMA", "lbm-james": "LBMJAMES128", "bsa": "BSA"}  # by the keys of core.suv_units.SUV_UNITS


def weight_kg(dataset: Dataset) -> tuple[float, tuple[str, ...]]:
    """PatientWeight in kg, and a warning where it can only have been written in grams."""
    weight = positive(dataset, "PatientWeight", WHAT)
    if weight >= GRAMS_FROM and weight / 1000 <= MOST_KG:
        return weight / 1000, (f"Warning: {tag_name('PatientWeight')} is {weight:g}, which can only be grams.",)
    if weight > MOST_KG:
        given = f"a PET series whose {tag_name('PatientWeight')} is {weight:g}"
        raise input_error(given, f"kilograms, at most {MOST_KG:g}", "correct the tag")
    if weight < LEAST_KG:
        return weight, (f"Warning: {tag_name('PatientWeight')} is {weight:g} kg, which hardly any patient weighs.",)
    return weight, ()


def body_of(dataset: Dataset, with_sex: bool) -> tuple[Body, tuple[str, ...]]:
    """Weight, height and, where asked for, sex. Raises InputError that names the tag that is missing."""
    weight, notes = weight_kg(dataset)
    height = positive(dataset, "PatientSize", WHAT)
    if height > CENTIMETERS_FROM:
        notes += (f"Warning: {tag_name('PatientSize')} is {height:g}, which can only be centimeters.",)
        height /= 100
    sex = str(required(dataset, "PatientSex", WHAT)).strip().upper() if with_sex else ""
    return _possible(Body(weight, 100 * height, sex)), notes


def _possible(body: Body) -> Body:
    tall, heavy = (low <= value <= high for value, (low, high) in ((body.height_cm, HEIGHTS_CM), (body.bmi, BMIS)))
    if tall and heavy:
        return body
    given = f"a patient of {body.weight_kg:g} kg and {body.height_cm:g} cm"
    raise input_error(given, "a weight and a height that go together", "correct PatientWeight and PatientSize")


def bw_over_mass(dataset: Dataset, kind: str) -> tuple[float, tuple[str, ...]]:
    """SUVbw over the SUV of this kind (a key of MASSES_KG), and what was assumed."""
    body, notes = body_of(dataset, with_sex=True)
    formula = MASSES_KG[kind]
    if body.sex in ("M", "F"):
        return _ratio(body, formula(body, body.sex == "M"), kind), notes
    mean = (formula(body, True) + formula(body, False)) / 2
    note = f"Warning: {tag_name('PatientSex')} is neither M nor F, so the mean of both {kind} formulas was used."
    return _ratio(body, mean, kind), (*notes, note)


def bw_over_surface(dataset: Dataset) -> tuple[float, tuple[str, ...]]:
    """SUVbw [g/mL] over SUVbsa [cm2/mL], and what was assumed."""
    body, notes = body_of(dataset, with_sex=False)
    return 1000 * body.weight_kg / body_surface_area_cm2(body), notes


def other_units(dataset: Dataset) -> tuple[dict[str, dict[str, float] | dict[str, str]], list[str]]:
    """What Volume.meta keeps for core.suv_units, the values of each unit over SUVbw or why there is none, and notes on
    what was assumed."""
    factors: dict[str, float] = {}
    reasons: dict[str, str] = {}
    for key in OTHER_UNITS:
        try:
            factors[key] = 1 / _ratio_of(dataset, key)
        except InputError as error:
            reasons[key] = str(error).removeprefix("Given ").split(", wanted ")[0]
    between = "lbm" in factors and str(value_of(dataset, "PatientSex")).strip().upper() not in ("M", "F")
    notes = [f"{tag_name('PatientSex')} is neither M nor F: SUVlbm would be by the mean of both formulas."]
    return {FACTORS: factors, WHY_NOT: reasons}, notes if between else []


def _ratio_of(dataset: Dataset, key: str) -> float:
    kind = OTHER_UNITS[key]
    if kind == "LBMJAMES128":
        _check_james(dataset)
    ratio, _ = bw_over_mass(dataset, kind) if kind in MASSES_KG else bw_over_surface(dataset)
    return ratio


def _check_james(dataset: Dataset) -> None:
    """James' mass falls with weight above a body mass index of 43 for men and 36 for women: not used there."""
    body, _ = body_of(dataset, with_sex=True)
    sexes = [body.sex == "M"] if body.sex in ("M", "F") else [True, False]
    most = min(1e4 * slope / (2 * factor) for slope, factor in (JAMES[male] for male in sexes))
    if body.bmi > most:
        given = f"a body mass index of {body.bmi:.0f}"
        raise input_error(given, f"at most {most:.0f}, above which James' formula falls", "choose SUVlbm")


def _ratio(body: Body, mass_kg: float, kind: str) -> float:
    if mass_kg <= LEAST_SHARE * body.weight_kg:  # the formulas are fitted to adults
        given = f"a patient of {body.weight_kg:g} kg and {body.height_cm:g} cm, for whom {kind} is {mass_kg:.1f} kg"
        raise input_error(given, "a mass that a body has", "correct PatientWeight and PatientSize, or export as BQML")
    return body.weight_kg / mass_kg


def _lbm_james(body: Body, slope: float, factor: float) -> float:
    return slope * body.weight_kg - factor * (body.weight_kg / body.height_cm) ** 2
