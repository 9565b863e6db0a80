"""Body-weight SUV from DICOM PET: the vendor-neutral pseudocode of QIBA (2019 edition), and where that ends the IBSI
manual of SUV computation (https://oncoray.github.io/suv_computation), whose adaptations are told as warnings.

SUVbw [g/mL] = activity concentration [Bq/mL] * body weight [g] / injected activity at the reference time [Bq].
The reference time and its sources are in suv_times.py, other kinds of SUV in body_measures.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from ...core.errors import InputError, input_error
from .body_measures import MASSES_KG, bw_over_mass, bw_over_surface, weight_kg
from .nuclides import coded, named
from .suv_times import Nuclide, decay_interval, frame_interval
from .tags import number, numbers, positive, required, tag_name, value_of

WHAT = "a PET series"
# Nobody is given less than 1 MBq, so what is below is in another unit. Doses in mCi end below 60; most in MBq begin
# there and end at 2500: beyond these it may be mCi, GBq, kBq or uCi, and nothing tells which.
LEAST_DOSE_MBQ, MOST_DOSE_MBQ, LEAST_DOSE_BQ = 60.0, 2500.0, 1e6
MAX_HALF_LIVES, MANY_HALF_LIVES = 10.0, 6.0
HALF_A_DAY_S = 12 * 3600.0
PHILIPS_SUV_FACTOR = (0x7053, 0x1000)
PHILIPS_BQML_FACTOR = (0x7053, 0x1009)
FACTORS_AGREE = HALF_LIVES_AGREE = 0.05
INJECTED = ("RadiopharmaceuticalStartTime", "RadiopharmaceuticalStartDateTime")
# UCUM codes of a real world value mapping (PS3.16 CID 84, 85): Units, SUVType.
MAPPED_UNITS = {
    "bq/ml": ("BQML", ""),
    "g/ml": ("GML", ""),
    "{suvbw}g/ml": ("GML", "BW"),
    "g/ml{suvbw}": ("GML", "BW"),
    "{suvlbm}g/ml": ("GML", "LBM"),
    "{suvlbm(james128)}g/ml": ("GML", "LBMJAMES128"),
    "{suvlbm(janma)}g/ml": ("GML", "LBMJANMA"),
    "{suvibw}g/ml": ("GML", "IBW"),
    "{suvbsa}cm2/ml": ("CM2ML", "BSA"),
}
SUV_UNITS = ("GML", "CM2ML")
Notes = tuple[str, ...]


@dataclass(frozen=True)
class SuvFactors:
    """factors: one a slice, that turn its rescaled pixel values (stored * slope + intercept) into SUVbw in g/mL; method
    says by which rule; notes: sentences, those that begin with "Warning:" are for before the values are believed."""

    factors: tuple[float, ...]
    method: str
    notes: Notes = ()

    @property
    def factor(self) -> float:
        """Of the first slice; of all where the scanner corrected them to one time."""
        return self.factors[0]


@dataclass(frozen=True)
class _Rule:
    factor: float
    method: str
    notes: Notes = ()


def suvbw_factors(slices: Sequence[Dataset]) -> SuvFactors:
    """The factors of a series' slices, or of one enhanced PET image.

    Raises InputError naming the keyword and number of the tag that is missing or unusable.
    """
    _check_one_injection(slices)
    _rule_of(slices[0])  # a unit that is unknown is said before any other tag
    rule = _decay_correction(slices[0])
    if rule == "NONE":  # each slice has its own time
        found = [_rule_of(each)(each, rule) for each in slices]
        return SuvFactors(tuple(f.factor for f in found), found[0].method, found[0].notes)
    first = min(slices, key=acquired)  # what values are corrected to was before the first of them
    one = _rule_of(first)(first, rule)
    return SuvFactors((one.factor,) * len(slices), one.method, one.notes)


def _check_one_injection(slices: Sequence[Dataset]) -> None:
    """Raises InputError where slices differ in what one factor for all of them is made of."""
    for keyword in ("PatientWeight", "PatientSize", "PatientSex", "DecayCorrection", "DecayCorrectionDateTime"):
        _check_same(slices, keyword)
    for keyword in ("AttenuationCorrected", "DecayCorrected"):
        _check_same(slices, keyword)
    _check_same(slices, "CorrectedImage", lambda each: sorted(_listed(value_of(each, "CorrectedImage"))))
    drugs = [(value_of(each, "RadiopharmaceuticalInformationSequence") or [Dataset()])[0] for each in slices]
    for keyword in ("RadionuclideTotalDose", "RadionuclideHalfLife", *INJECTED):
        _check_same(drugs, keyword)
    _check_same(drugs, "RadionuclideCodeSequence", coded)
    _check_same_unit(slices)


def _check_same_unit(slices: Sequence[Dataset]) -> None:
    """What else is in the factor of slices in this unit."""
    units = {str(value_of(each, "Units") or "").strip().upper() for each in slices}
    if units.intersection(SUV_UNITS):  # an absent type is body weight
        _check_same(slices, "SUVType", lambda each: suv_type(each).replace("BW", ""))
        return
    _check_same(slices, "TimezoneOffsetFromUTC")
    if units.intersection(("CNTS", "CPS")):
        _check_same(slices, "DoseCalibrationFactor")
        for tag in (PHILIPS_SUV_FACTOR, PHILIPS_BQML_FACTOR):
            if len({_private_number(each, tag) for each in slices}) > 1:
                raise _not_one(f"the factor ({tag[0]:04X},{tag[1]:04X})")
        if not any(_private_number(slices[0], tag) for tag in (PHILIPS_SUV_FACTOR, PHILIPS_BQML_FACTOR)):
            _check_same(slices, "ActualFrameDuration")


def _check_same(datasets: Sequence[Dataset], keyword: str, read: Callable[[Dataset], object] | None = None) -> None:
    """read: the value to compare, else the tag's own."""
    values = {str(read(dataset) if read else value_of(dataset, keyword)) for dataset in datasets}
    if len(values) > 1:
        raise _not_one(tag_name(keyword))


def _not_one(what: str) -> InputError:
    given = f"a PET series whose slices differ in {what}"
    return input_error(given, "one value for the whole series", "correct the tag, or load one acquisition")


def _listed(value: object) -> list[str]:
    return [str(part) for part in (value if hasattr(value, "__iter__") and not isinstance(value, str) else [value])]


def acquired(dataset: Dataset) -> str:
    """When a slice was acquired, as text that sorts: DICOM dates and times run from year to fraction."""
    moment = str(value_of(dataset, "AcquisitionDateTime") or "")
    date, time = (value_of(dataset, name) or "" for name in ("AcquisitionDate", "AcquisitionTime"))
    return moment or f"{date}{time}"


def pet_units(dataset: Dataset) -> str:
    """Units (0054,1001), or for an enhanced image the unit of its real world value mapping."""
    return str(value_of(dataset, "Units") or "").strip().upper() or _mapped(dataset)[0]


def suv_type(dataset: Dataset) -> str:
    """SUVType (0054,1006) or that of the real world value mapping; empty where it is not told."""
    told = str(value_of(dataset, "SUVType") or "").strip().upper()
    return told if told or value_of(dataset, "Units") else _mapped(dataset)[1]


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


def _mapped(dataset: Dataset) -> tuple[str, str]:
    mapping = real_world_mapping(dataset)
    if mapping is None:
        required(dataset, "Units", WHAT)  # raises: it is known to be absent
        raise AssertionError
    code = str(mapping.MeasurementUnitsCodeSequence[0].get("CodeValue", ""))
    return MAPPED_UNITS.get(code.strip().lower(), (code, ""))


def _rule_of(dataset: Dataset) -> Callable[[Dataset, str], _Rule]:
    units = pet_units(dataset)
    if units not in RULES:
        given = f"a PET series whose {tag_name('Units')} is '{units[:16]}'"
        raise input_error(given, f"one of {', '.join(RULES)}", "export the series as BQML")
    return RULES[units]


def _decay_correction(dataset: Dataset) -> str:
    """START, ADMIN or NONE, as all tags together say it. Raises InputError where they contradict each other."""
    # Enhanced PET says YES or NO for each correction (PS3.3 C.8.22.6), classic PET lists them.
    if value_of(dataset, "DecayCorrected") or value_of(dataset, "AttenuationCorrected"):
        yes = {key for key in ("DecayCorrected", "AttenuationCorrected") if value_of(dataset, key) == "YES"}
        _check_corrections(attenuation="AttenuationCorrected" in yes, decay="DecayCorrected" in yes)
        if pet_units(dataset) not in SUV_UNITS:
            required(dataset, "DecayCorrectionDateTime", WHAT)
        return "START"
    value = required(dataset, "CorrectedImage", WHAT)
    done = {value} if isinstance(value, str) else set(value)
    if pet_units(dataset) in SUV_UNITS:
        return _of_suv(dataset, done)
    rule = str(required(dataset, "DecayCorrection", WHAT)).strip().upper()
    if rule not in ("START", "ADMIN", "NONE"):
        given = f"a PET series whose {tag_name('DecayCorrection')} is '{rule[:16]}'"
        raise input_error(given, "START, ADMIN or NONE", "load the decay-corrected series")
    if rule == "NONE" and "DECY" in done:
        given = f"a PET series whose {tag_name('DecayCorrection')} is NONE and {tag_name('CorrectedImage')} has DECY"
        raise input_error(given, "tags that agree whether decay was corrected", "export the series again")
    _check_corrections(attenuation="ATTN" in done, decay=rule == "NONE" or "DECY" in done)
    return rule


def _of_suv(dataset: Dataset, done: set[str]) -> str:
    """Values that are SUV already: only what the scanner did not do could be wrong with them."""
    _check_corrections(attenuation="ATTN" in done, decay="DECY" in done)
    return str(value_of(dataset, "DecayCorrection") or "START").strip().upper()


def _check_corrections(attenuation: bool, decay: bool) -> None:
    missing = [name for name, there in (("ATTN", attenuation), ("DECY", decay)) if not there]
    if missing:
        given = f"a PET series whose {tag_name('CorrectedImage')} lacks {' and '.join(missing)}"
        raise input_error(given, "attenuation (ATTN) and decay (DECY) corrected PET", "load the corrected series")


def _from_gml(dataset: Dataset, _: str) -> _Rule:
    kind = suv_type(dataset)
    if kind in MASSES_KG:
        ratio, notes = bw_over_mass(dataset, kind)
        return _Rule(ratio, f"GML: from SUV of the kind {kind}", notes)
    if kind not in ("", "BW"):
        given = f"a PET series in g/mL whose {tag_name('SUVType')} is '{kind[:16]}'"
        raise input_error(given, f"one of BW, {', '.join(MASSES_KG)}", "export the series as BQML")
    notes = () if kind else ("The PET's SUVType is absent, which the standard reads as body weight.",)
    return _Rule(1.0, "GML: values are SUVbw already", notes)


def _from_surface(dataset: Dataset, _: str) -> _Rule:
    kind = suv_type(dataset)
    if kind not in ("", "BSA"):
        given = f"a PET series in cm2/mL whose {tag_name('SUVType')} is '{kind[:16]}'"
        raise input_error(given, "BSA", "export the series as BQML")
    ratio, notes = bw_over_surface(dataset)
    return _Rule(ratio, "CM2ML: from SUV by body surface area", notes)


def _from_counts(dataset: Dataset, rule: str) -> _Rule:
    """Philips' factors; else counts through the frame's duration and the scanner's own calibration."""
    suv = _private_number(dataset, PHILIPS_SUV_FACTOR)
    to_bqml = _private_number(dataset, PHILIPS_BQML_FACTOR)
    if suv:
        return _Rule(suv, "CNTS: Philips SUV factor (7053,1000)", _disagreement(dataset, rule, suv, to_bqml))
    if to_bqml:
        inner = _from_bqml(dataset, rule)
        return _Rule(to_bqml * inner.factor, f"CNTS: Philips Bq/mL factor (7053,1009), {inner.method}", inner.notes)
    duration = numbers(dataset, "ActualFrameDuration", 1)
    if duration is None or duration[0] <= 0:
        given = f"a PET series in counts without the Philips factors and {tag_name('ActualFrameDuration')}"
        wanted = "a factor from counts to SUV or Bq/mL, (7053,1000) and (7053,1009)"
        raise input_error(given, wanted, "export the series as BQML or keep private tags")
    inner = _from_counts_per_second(dataset, rule)
    return _Rule(inner.factor / (duration[0] / 1000), f"CNTS over the frame's duration, {inner.method}", inner.notes)


def _from_counts_per_second(dataset: Dataset, rule: str) -> _Rule:
    """DoseCalibrationFactor (0054,1322): from counts a second to Bq/mL (PS3.3 C.8.9.1)."""
    factor = numbers(dataset, "DoseCalibrationFactor", 1)
    if factor is None or factor[0] <= 0:
        given = f"a PET series whose {tag_name('Units')} are counts, without Philips' (7053,1000) and (7053,1009)"
        wanted = f"a factor from counts to SUV or Bq/mL, such as {tag_name('DoseCalibrationFactor')}"
        raise input_error(given, wanted, "export the series as BQML or keep private tags")
    inner = _from_bqml(dataset, rule)
    note = f"Warning: counts were turned into Bq/mL by {tag_name('DoseCalibrationFactor')}: compare with the scanner."
    return _Rule(factor[0] * inner.factor, f"CPS: dose calibration factor, {inner.method}", (*inner.notes, note))


def _disagreement(dataset: Dataset, rule: str, suv: float, to_bqml: float | None) -> Notes:
    """A warning where the second of Philips' factors says something else than the first."""
    if not to_bqml or value_of(dataset, "RadiopharmaceuticalInformationSequence") is None:
        return ()
    try:
        other = to_bqml * _from_bqml(dataset, rule).factor
    except ValueError:  # what the second way lacks the first does not need
        return ()
    if abs(other / suv - 1) <= FACTORS_AGREE:
        return ()
    found = f"(7053,1000) and (7053,1009) differ by a factor of {other / suv:.2f}"
    return (f"Warning: the factors {found}; the first was used.",)


def _private_number(dataset: Dataset, tag: tuple[int, int]) -> float | None:
    if tag not in dataset:
        return None
    value = dataset[tag].value
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str(value)
    try:
        found = float(text.strip(" \0").replace(",", "."))
    except ValueError:
        return None
    return found if 0 < found < float("inf") else None


def _from_bqml(dataset: Dataset, rule: str) -> _Rule:
    weight, notes = weight_kg(dataset)
    drug = _radiopharmaceutical(dataset)
    dose_bq, more = _dose_bq(drug)
    notes += more
    if rule == "ADMIN":
        return _Rule(1000 * weight / dose_bq, "BQML: decay corrected to administration", notes)
    nuclide, more = _nuclide(drug)
    notes += more
    interval = frame_interval if rule == "NONE" else decay_interval
    seconds, source, more = interval(dataset, drug, nuclide)
    notes += (*more, *_check_interval(seconds, nuclide))
    factor = 1000 * weight / (dose_bq * 2 ** (-seconds / nuclide.half_life_s))
    words = "not decay corrected, from" if rule == "NONE" else "decay corrected to"
    return _Rule(factor, f"BQML: {words} {source}", notes)


def _check_interval(seconds: float, nuclide: Nuclide) -> Notes:
    """A warning for an unlikely time between injection and scan; raises InputError for an impossible one."""
    half_lives = seconds / nuclide.half_life_s
    given = f"a PET series scanned {seconds / 3600:.1f} h after injection, {half_lives:.0f} half-lives"
    if half_lives > MAX_HALF_LIVES:
        remedy = "correct the injection and scan times in the tags"
        raise input_error(given, f"at most {MAX_HALF_LIVES:g} half-lives", remedy)
    if half_lives <= MANY_HALF_LIVES:
        return ()
    slip = " (perhaps a clock of 12 hours)" if seconds > HALF_A_DAY_S else ""
    return (f"Warning: the PET was scanned {seconds / 3600:.1f} h after injection, {half_lives:.1f} half-lives{slip}.",)


def _radiopharmaceutical(dataset: Dataset) -> Dataset:
    items = required(dataset, "RadiopharmaceuticalInformationSequence", WHAT)
    if len(items) != 1:
        given = f"a PET series whose {tag_name('RadiopharmaceuticalInformationSequence')} has {len(items)} items"
        raise input_error(given, "one injection", "export the series with its one injection")
    return items[0]


def _dose_bq(drug: Dataset) -> tuple[float, Notes]:
    """RadionuclideTotalDose in Bq, and a warning where it was read as MBq. Raises InputError where the unit is open."""
    dose = positive(drug, "RadionuclideTotalDose", WHAT)
    name = tag_name("RadionuclideTotalDose")
    if LEAST_DOSE_MBQ <= dose <= MOST_DOSE_MBQ:
        return 1e6 * dose, (f"Warning: {name} is {dose:g}, which was read as MBq.",)
    if dose < LEAST_DOSE_BQ:
        given = f"a PET series whose {name} is {dose:g}, in a unit that it does not tell"
        raise input_error(given, "becquerels, as the PET standard has it", "correct the tag")
    return dose, ()


def _nuclide(drug: Dataset) -> tuple[Nuclide, Notes]:
    code = coded(drug)
    if value_of(drug, "RadionuclideHalfLife") is not None or numbers(drug, "RadionuclideHalfLife", 1):
        nuclide = Nuclide(positive(drug, "RadionuclideHalfLife", WHAT))
        told = f"Warning: {tag_name('RadionuclideHalfLife')} is {nuclide.half_life_s:g} s, which is not that of"
        others = [name for name, s in named(drug) if abs(nuclide.half_life_s / s - 1) > HALF_LIVES_AGREE]
        return nuclide, tuple(f"{told} {name}, the nuclide of the tags." for name in others)
    if code:
        note = f"{tag_name('RadionuclideHalfLife')} is absent: {code[1]:g} s of {code[0]} was used."
        return Nuclide(code[1]), (note,)
    return Nuclide(number(drug, "RadionuclideHalfLife", WHAT)), ()  # raises: it is known to be absent


RULES: dict[str, Callable[[Dataset, str], _Rule]] = {
    "BQML": _from_bqml,
    "GML": _from_gml,
    "CM2ML": _from_surface,
    "CNTS": _from_counts,
    "CPS": _from_counts_per_second,
}
