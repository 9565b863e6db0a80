"""Body-weight SUV from DICOM PET, following the QIBA vendor-neutral pseudocode for SUV ("happy path", 2019 edition).

SUVbw [g/mL] = activity concentration [Bq/mL] * body weight [g] / injected activity at the reference time [Bq].
The reference time and its sources are in suv_times.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from ...core.errors import input_error
from .suv_times import decay_interval
from .tags import positive, required, tag_name

# A Bq dose below this could only be a dose in MBq (or kBq): 0.1 MBq makes no image. It is refused, never rescaled.
MIN_DOSE_BQ = 1e5
MAX_WEIGHT_KG = 650.0
MAX_HALF_LIVES = 10.0
PHILIPS_SUV_FACTOR = (0x7053, 0x1000)
PHILIPS_BQML_FACTOR = (0x7053, 0x1009)
# Half-lives in seconds (NIST / DDEP) by the SRT and SCT codes of DICOM PS3.16 CID 4020.
HALF_LIFE_S = {
    "F-18": (6586.2, ("C-111A1", "77004003")),
    "C-11": (1221.8, ("C-105A1", "40565003")),
    "Ga-68": (4062.6, ("C-131A3", "35337001")),
    "Cu-64": (45723.0, ("C-127A2", "3932008")),
    "Zr-89": (282280.0, ("C-168A4", "63360001")),
}


@dataclass(frozen=True)
class SuvFactor:
    """factor turns rescaled pixel values (stored * slope + intercept) into SUVbw in g/mL; method says which rule."""

    factor: float
    method: str
    notes: tuple[str, ...] = ()


def suvbw_factor(dataset: Dataset) -> SuvFactor:
    """The factor of one PET slice or enhanced PET image; of a series, pass the slice that was acquired first.

    Raises InputError naming the keyword and number of the tag that is missing or unusable.
    """
    _check_corrections(dataset)
    units = pet_units(dataset)
    rule = RULES.get(units)
    if rule is None:
        given = f"a PET series whose {tag_name('Units')} is '{units[:16]}'"
        raise input_error(given, "BQML, CNTS (Philips) or GML", "export the series as BQML")
    return rule(dataset)


def pet_units(dataset: Dataset) -> str:
    """Units (0054,1001), or for an enhanced image the unit of its real world value mapping."""
    if dataset.get("Units"):
        return str(dataset.Units).strip().upper()
    mapping = real_world_mapping(dataset)
    if mapping is None:
        return str(required(dataset, "Units", "a PET series"))
    code = str(mapping.MeasurementUnitsCodeSequence[0].CodeValue)
    return {"bq/ml": "BQML", "{suvbw}g/ml": "GML", "g/ml{suvbw}": "GML", "g/ml": "GML"}.get(code.lower(), code)


def real_world_mapping(dataset: Dataset) -> Dataset | None:
    """The first RealWorldValueMappingSequence item with a unit: top level, shared, or first frame."""
    groups = [dataset]
    groups += list(dataset.get("SharedFunctionalGroupsSequence") or [])[:1]
    groups += list(dataset.get("PerFrameFunctionalGroupsSequence") or [])[:1]
    for group in groups:
        for item in group.get("RealWorldValueMappingSequence") or []:
            if item.get("MeasurementUnitsCodeSequence"):
                return item
    return None


def _check_corrections(dataset: Dataset) -> None:
    # Classic PET lists its corrections; enhanced PET says YES or NO for each (PS3.3 C.8.22.6).
    if dataset.get("DecayCorrected") or dataset.get("AttenuationCorrected"):
        done = {name for name, key in (("DECY", "DecayCorrected"), ("ATTN", "AttenuationCorrected"))
                if dataset.get(key) == "YES"}  # fmt: skip
    else:
        value = required(dataset, "CorrectedImage", "a PET series")
        done = {value} if isinstance(value, str) else set(value)
    missing = sorted({"ATTN", "DECY"} - done)
    if missing:
        given = f"a PET series whose {tag_name('CorrectedImage')} lacks {' and '.join(missing)}"
        raise input_error(given, "attenuation (ATTN) and decay (DECY) corrected PET", "load the corrected series")


def _from_gml(dataset: Dataset) -> SuvFactor:
    kind = str(dataset.get("SUVType") or "BW").strip().upper()
    if kind != "BW":
        given = f"a PET series whose {tag_name('SUVType')} is '{kind[:16]}'"
        raise input_error(given, "SUV by body weight (BW)", "export the series as BQML or with SUVType BW")
    notes = () if dataset.get("SUVType") else ("The PET's SUVType is absent, which the standard reads as body weight.",)
    return SuvFactor(1.0, "GML: values are SUVbw already", notes)


def _from_counts(dataset: Dataset) -> SuvFactor:
    suv = _private_number(dataset, PHILIPS_SUV_FACTOR)
    if suv:
        return SuvFactor(suv, "CNTS: Philips SUV factor (7053,1000)")
    to_bqml = _private_number(dataset, PHILIPS_BQML_FACTOR)
    if to_bqml:
        inner = _from_bqml(dataset)
        return SuvFactor(to_bqml * inner.factor, f"CNTS: Philips Bq/mL factor (7053,1009), {inner.method}", inner.notes)
    given = "a PET series in counts without the Philips factors (7053,1000) and (7053,1009)"
    raise input_error(given, "a factor from counts to SUV or Bq/mL", "export the series as BQML or keep private tags")


def _private_number(dataset: Dataset, tag: tuple[int, int]) -> float | None:
    if tag not in dataset:
        return None
    value = dataset[tag].value
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str(value)
    try:
        number = float(text.strip(" \0"))
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _from_bqml(dataset: Dataset) -> SuvFactor:
    weight_g = 1000 * _weight_kg(dataset)
    drug = _radiopharmaceutical(dataset)
    dose_bq = _dose_bq(drug)
    rule = _decay_correction(dataset)
    if rule == "ADMIN":
        return SuvFactor(weight_g / dose_bq, "BQML: decay corrected to administration")
    half_life_s, notes = _half_life_s(drug)
    seconds, source, more = decay_interval(dataset, drug, half_life_s)
    if seconds > MAX_HALF_LIVES * half_life_s:
        given = f"a PET series scanned {seconds / 3600:.1f} h after injection, {seconds / half_life_s:.0f} half-lives"
        raise input_error(
            given, f"at most {MAX_HALF_LIVES:g} half-lives", "correct the injection and scan times in the tags"
        )
    factor = weight_g / (dose_bq * 2 ** (-seconds / half_life_s))
    return SuvFactor(factor, f"BQML: decay corrected to {source}", notes + more)


def _decay_correction(dataset: Dataset) -> str:
    if dataset.get("DecayCorrected") == "YES" and dataset.get("DecayCorrectionDateTime"):
        return "START"  # enhanced PET states the time itself
    rule = str(required(dataset, "DecayCorrection", "a PET series")).strip().upper()
    if rule not in ("START", "ADMIN"):
        given = f"a PET series whose {tag_name('DecayCorrection')} is '{rule[:16]}'"
        raise input_error(given, "START or ADMIN", "load the decay-corrected series")
    return rule


def _weight_kg(dataset: Dataset) -> float:
    weight = positive(dataset, "PatientWeight", "a PET series")
    if weight > MAX_WEIGHT_KG:
        given = f"a PET series whose {tag_name('PatientWeight')} is {weight:g}"
        raise input_error(given, f"kilograms, at most {MAX_WEIGHT_KG:g}", "correct the tag")
    return weight


def _radiopharmaceutical(dataset: Dataset) -> Dataset:
    items = required(dataset, "RadiopharmaceuticalInformationSequence", "a PET series")
    if len(items) != 1:
        given = f"a PET series whose {tag_name('RadiopharmaceuticalInformationSequence')} has {len(items)} items"
        raise input_error(given, "one injection", "export the series with its one injection")
    return items[0]


def _dose_bq(drug: Dataset) -> float:
    dose = positive(drug, "RadionuclideTotalDose", "a PET series")
    if dose < MIN_DOSE_BQ:
        given = f"a PET series whose {tag_name('RadionuclideTotalDose')} is {dose:g}"
        raise input_error(
            given, "becquerels, as the PET standard has it", "correct the tag (a dose in MBq is not guessed)"
        )
    return dose


def _half_life_s(drug: Dataset) -> tuple[float, tuple[str, ...]]:
    if drug.get("RadionuclideHalfLife") not in (None, ""):
        return positive(drug, "RadionuclideHalfLife", "a PET series"), ()
    codes = {str(item.get("CodeValue", "")) for item in drug.get("RadionuclideCodeSequence") or []}
    for nuclide, (seconds, known) in HALF_LIFE_S.items():
        if codes & set(known):
            return seconds, (f"{tag_name('RadionuclideHalfLife')} is absent: {seconds:g} s of {nuclide} was used.",)
    return required(drug, "RadionuclideHalfLife", "a PET series"), ()  # raises: it is known to be absent


RULES: dict[str, Callable[[Dataset], SuvFactor]] = {"BQML": _from_bqml, "CNTS": _from_counts, "GML": _from_gml}
