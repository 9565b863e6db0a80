"""From injection to the time PET values belong to (QIBA vendor-neutral SUV pseudocode; IBSI manual of SUV computation).

Values that were corrected to the scan's start (DecayCorrection START): that start is, in this order,
DecayCorrectionDateTime; a private time of GE or Siemens where the series' time cannot be it; SeriesDate and SeriesTime
unless they lie after the acquisition (then they date a post-processed series); the acquisition of the frame minus
FrameReferenceTime; the earliest acquisition. Values that were not corrected (NONE) belong to the time within their
frame at which decay has its mean rate.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from pydicom.dataset import Dataset
from pydicom.valuerep import DA, DT, TM

from ...core.errors import InputError, input_error
from .tags import numbers, positive, required, tag_name, value_of

DAY = timedelta(days=1)
# Below this half-life a day more would show as an SUV that cannot be; above it, it would not (IBSI manual).
DATELESS_HALF_LIFE_S = 41_400.0
CLOCKS_AGREE_S = 60.0  # one of the two may be without seconds
BEFORE_INJECTION_S = 3600.0  # a dynamic scan may begin before the injection; a clock may be wrong by minutes
WHAT = "a PET series"
Notes = tuple[str, ...]
Interval = tuple[float, str, Notes]


@dataclass(frozen=True)
class Nuclide:
    half_life_s: float

    def mean_rate_s(self, duration_s: float) -> float:
        """Seconds after a frame's start at which decay has its mean rate over the frame."""
        decay_per_s = math.log(2) / self.half_life_s
        decay = decay_per_s * duration_s
        return math.log(decay / (1 - math.exp(-decay))) / decay_per_s

    @property
    def lasts_days(self) -> bool:
        return self.half_life_s >= DATELESS_HALF_LIFE_S


def decay_interval(dataset: Dataset, drug: Dataset, nuclide: Nuclide) -> Interval:
    """Seconds from injection to the decay-correction time, the name of that time's source, and notes."""
    scan, source, notes = scan_start(dataset, nuclide)
    injected, more = _injection(dataset, drug, scan, nuclide)
    return _elapsed_s(injected, scan), source, notes + more


def frame_interval(dataset: Dataset, drug: Dataset, nuclide: Nuclide) -> Interval:
    """The same for a slice that was not decay corrected: to its frame's time of mean rate."""
    duration_s = positive(dataset, "ActualFrameDuration", WHAT) / 1000
    scan = _acquisition(dataset) + timedelta(seconds=nuclide.mean_rate_s(duration_s))
    injected, notes = _injection(dataset, drug, scan, nuclide)
    return _elapsed_s(injected, scan), "the mean count rate of each frame", notes


def scan_start(dataset: Dataset, nuclide: Nuclide) -> tuple[datetime, str, Notes]:
    """The time the values are decay corrected to, and where it came from."""
    if value_of(dataset, "DecayCorrectionDateTime"):
        return _datetime(dataset, dataset, "DecayCorrectionDateTime"), "DecayCorrectionDateTime", ()
    acquired = _acquisition(dataset)
    series = _date_and_time(dataset, "SeriesDate", "SeriesTime")
    if _elapsed_s(series, acquired) >= 0:
        return series, "SeriesTime", ()
    note = "The PET's SeriesTime is after its acquisition, so the scan's start was taken from "
    for name, group, creator, element in PRIVATE_STARTS:
        if (private := _private_time(dataset, group, creator, element)) is not None:
            return private, name, (f"{note}a private time, {name}.",)
    centred = _from_frame_reference(dataset, acquired, nuclide)
    if centred is not None:
        return centred, "FrameReferenceTime", (f"{note}the acquisition time and FrameReferenceTime.",)
    return acquired, "earliest AcquisitionTime", (f"{note}the earliest acquisition.",)


PRIVATE_STARTS = (
    ("GE scan time (0009,100D)", 0x0009, "GEMS_PETD_01", 0x0D),
    ("Siemens decay correction time (0071,1022)", 0x0071, "SIEMENS MED PT", 0x22),
)


def _acquisition(dataset: Dataset) -> datetime:
    """AcquisitionDateTime, or AcquisitionDate (else SeriesDate) with AcquisitionTime."""
    if value_of(dataset, "AcquisitionDateTime"):
        return _datetime(dataset, dataset, "AcquisitionDateTime")
    date = "AcquisitionDate" if value_of(dataset, "AcquisitionDate") else "SeriesDate"
    return _date_and_time(dataset, date, "AcquisitionTime")


def _private_time(dataset: Dataset, group: int, creator: str, element: int) -> datetime | None:
    try:
        value = dataset.private_block(group, creator)[element].value
    except KeyError:
        return None
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str(value)
    try:
        return _local(dataset, DT(text.strip(" \0")))
    except ValueError:
        return None


def _from_frame_reference(dataset: Dataset, acquired: datetime, nuclide: Nuclide) -> datetime | None:
    """Acquisition (the frame's start) - FrameReferenceTime, which scanners other than GE's count to the time within the
    frame at which decay has its mean rate."""
    reference, duration = (numbers(dataset, name, 1) for name in ("FrameReferenceTime", "ActualFrameDuration"))
    if not reference or not duration or reference[0] <= 0 or duration[0] <= 0:
        return None
    of_ge = str(value_of(dataset, "Manufacturer") or "").strip().upper().startswith("GE ")
    mean_rate_s = 0.0 if of_ge else nuclide.mean_rate_s(duration[0] / 1000)
    return acquired + timedelta(seconds=mean_rate_s - reference[0] / 1000)


def _injection(dataset: Dataset, drug: Dataset, scan: datetime, nuclide: Nuclide) -> tuple[datetime, Notes]:
    """RadiopharmaceuticalStartDateTime where it can be, else the time of day on the scan's date or the day before."""
    notes: Notes = ()
    if value_of(drug, "RadiopharmaceuticalStartDateTime"):
        clock = _datetime(dataset, drug, "RadiopharmaceuticalStartDateTime")
        seconds = _elapsed_s(clock, scan)
        notes = _one_zone(dataset, clock, scan) + _two_clocks(dataset, drug, clock)
        if -BEFORE_INJECTION_S <= seconds < DAY.total_seconds() or (seconds >= 0 and nuclide.lasts_days):
            return clock, notes + _before(seconds)
        # Removing dates for privacy can shift this one apart from the others; the time of day is still right.
        away = "after its scan" if seconds < 0 else f"{seconds / 86400:.0f} days before its scan"
        notes += (f"Warning: the PET's injection is dated {away}, so only its time of day was used.",)
    else:
        time = str(required(drug, "RadiopharmaceuticalStartTime", WHAT))
        clock = _combined(dataset, f"{scan:%Y%m%d}", time, "RadiopharmaceuticalStartTime")
    if nuclide.lasts_days:
        notes += (
            f"Warning: the injection's date is not in the tags and half of the nuclide is left after "
            f"{nuclide.half_life_s / 3600:.0f} h: SUV is right only for an injection on the day of the scan.",
        )
    start, more = _on_the_day(clock, scan)
    return start, notes + more


def _on_the_day(clock: datetime, scan: datetime) -> tuple[datetime, Notes]:
    """The clock's time of day on the scan's date, or on the day before where it would be hours after the scan."""
    day = scan.astimezone(clock.tzinfo) if clock.tzinfo and scan.tzinfo else scan
    start = clock.replace(year=day.year, month=day.month, day=day.day)
    seconds = _elapsed_s(start, scan)
    if seconds >= -BEFORE_INJECTION_S:
        return start, _before(seconds)
    note = "The PET's injection time of day is after its scan's, so it was taken as the day before."
    return start - DAY, (note,)


def _before(seconds: float) -> Notes:
    if seconds >= 0:
        return ()
    minutes = f"{-seconds / 60:.0f} min before its injection"
    return (f"Warning: the PET's scan begins {minutes}: a dynamic scan, or two clocks.",)


def _one_zone(dataset: Dataset, clock: datetime, scan: datetime) -> Notes:
    if (clock.tzinfo is None) == (scan.tzinfo is None):
        return ()
    name, told = tag_name("TimezoneOffsetFromUTC"), str(value_of(dataset, "TimezoneOffsetFromUTC") or "").strip()
    why = f"{name} is '{told[:16]}', which is no offset" if told else f"{name} is absent"
    return (f"Warning: only one of injection and scan has a time zone, and {why}: both were taken as local.",)


def _two_clocks(dataset: Dataset, drug: Dataset, clock: datetime) -> Notes:
    """A warning where RadiopharmaceuticalStartTime tells another time of day than the date and time that is used."""
    time = value_of(drug, "RadiopharmaceuticalStartTime")
    if not time:
        return ()
    try:
        other = _combined(dataset, f"{clock:%Y%m%d}", str(time), "RadiopharmaceuticalStartTime")
    except InputError:  # it is not needed
        return ()
    apart_s = (_elapsed_s(other, clock) + DAY.total_seconds() / 2) % DAY.total_seconds() - DAY.total_seconds() / 2
    if abs(apart_s) < CLOCKS_AGREE_S:
        return ()
    names = f"{tag_name('RadiopharmaceuticalStartTime')} and {tag_name('RadiopharmaceuticalStartDateTime')}"
    return (f"Warning: {names} differ by {abs(apart_s) / 60:.0f} min; the second was used.",)


def _elapsed_s(start: datetime, end: datetime) -> float:
    # A time zone on one side only cannot be used: both are then local times of the same site, and _one_zone says so.
    if start.tzinfo is None or end.tzinfo is None:
        start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    return (end - start).total_seconds()


def _datetime(dataset: Dataset, holder: Dataset, keyword: str) -> datetime:
    text = str(required(holder, keyword, WHAT))
    try:
        return _local(dataset, DT(text))
    except ValueError:
        raise _not_a_time(keyword) from None


def _date_and_time(dataset: Dataset, date_keyword: str, time_keyword: str) -> datetime:
    date = str(required(dataset, date_keyword, WHAT))
    return _combined(dataset, date, str(required(dataset, time_keyword, WHAT)), time_keyword)


def _combined(dataset: Dataset, date: str, time: str, keyword: str) -> datetime:
    try:
        return _local(dataset, datetime.combine(DA(date), TM(time)))
    except (ValueError, TypeError):
        raise _not_a_time(keyword) from None


def _local(dataset: Dataset, moment: datetime) -> datetime:
    """A plain datetime (pydicom's keep their text), in its own time zone, else in the one of the whole object."""
    return datetime.combine(moment.date(), moment.time(), moment.tzinfo or _zone(dataset))


def _zone(dataset: Dataset) -> timezone | None:
    """TimezoneOffsetFromUTC (0008,0201), such as "-0500" (PS3.3 C.12.1.1.8); None where it is absent or no offset."""
    told = re.fullmatch(r"([+-])(\d\d):?(\d\d)", str(value_of(dataset, "TimezoneOffsetFromUTC") or "").strip())
    if told is None or int(told[2]) > 14 or int(told[3]) > 59:
        return None
    offset = timedelta(hours=int(told[2]), minutes=int(told[3]))
    return timezone(-offset if told[1] == "-" else offset)


def _not_a_time(keyword: str) -> Exception:
    return input_error(
        f"{WHAT} whose {tag_name(keyword)} is no date or time", "a DICOM date or time", "correct the tag"
    )
