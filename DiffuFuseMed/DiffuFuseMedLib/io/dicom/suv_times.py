"""From injection to the time PET values are decay corrected to (QIBA vendor-neutral SUV pseudocode, START).

The scan's start is, in this order: DecayCorrectionDateTime; SeriesDate and SeriesTime unless they lie after the
acquisition (then they date a post-processed series); GE's private scan time; the acquisition of the frame minus
FrameReferenceTime (the Siemens rule); the earliest acquisition.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from pydicom.dataset import Dataset
from pydicom.valuerep import DA, DT, TM

from ...core.errors import input_error
from .tags import required, tag_name

DAY = timedelta(days=1)
WHAT = "a PET series"
Notes = tuple[str, ...]


def decay_interval(dataset: Dataset, drug: Dataset, half_life_s: float) -> tuple[float, str, Notes]:
    """Seconds from injection to the decay-correction time, the name of that time's source, and notes."""
    scan, source, notes = scan_start(dataset, half_life_s)
    injected, more = _injection(drug, scan)
    return _elapsed_s(injected, scan), source, notes + more


def scan_start(dataset: Dataset, half_life_s: float) -> tuple[datetime, str, Notes]:
    """The time the values are decay corrected to, and where it came from."""
    if dataset.get("DecayCorrectionDateTime"):
        return _datetime(dataset, "DecayCorrectionDateTime"), "DecayCorrectionDateTime", ()
    acquired = _acquisition(dataset)
    series = _date_and_time(dataset, "SeriesDate", "SeriesTime")
    if _elapsed_s(series, acquired) >= 0:
        return series, "SeriesTime", ()
    note = "The PET's SeriesTime is after its acquisition, so the scan's start was taken from "
    ge = _ge_scan_time(dataset)
    if ge is not None:
        return ge, "GE scan time (0009,100D)", (f"{note}GE's private scan time.",)
    centred = _from_frame_reference(dataset, acquired, half_life_s)
    if centred is not None:
        return centred, "FrameReferenceTime", (f"{note}the acquisition time and FrameReferenceTime.",)
    return acquired, "earliest AcquisitionTime", (f"{note}the earliest acquisition.",)


def _acquisition(dataset: Dataset) -> datetime:
    """AcquisitionDateTime, or AcquisitionDate (else SeriesDate) with AcquisitionTime."""
    if dataset.get("AcquisitionDateTime"):
        return _datetime(dataset, "AcquisitionDateTime")
    date = "AcquisitionDate" if dataset.get("AcquisitionDate") else "SeriesDate"
    return _date_and_time(dataset, date, "AcquisitionTime")


def _ge_scan_time(dataset: Dataset) -> datetime | None:
    try:
        value = dataset.private_block(0x0009, "GEMS_PETD_01")[0x0D].value
    except KeyError:
        return None
    text = value.decode("ascii", "ignore") if isinstance(value, bytes) else str(value)
    try:
        return _plain(DT(text.strip(" \0")))
    except ValueError:
        return None


def _from_frame_reference(dataset: Dataset, acquired: datetime, half_life_s: float) -> datetime | None:
    """Acquisition (the frame's start) - FrameReferenceTime + time within the frame at which decay has its mean rate."""
    reference_ms, duration_ms = dataset.get("FrameReferenceTime"), dataset.get("ActualFrameDuration")
    if not reference_ms or not duration_ms or reference_ms < 0 or duration_ms < 0:
        return None
    decay_per_s = math.log(2) / half_life_s
    decay = decay_per_s * float(duration_ms) / 1000
    mean_rate_s = math.log(decay / (1 - math.exp(-decay))) / decay_per_s
    return acquired + timedelta(seconds=mean_rate_s - float(reference_ms) / 1000)


def _injection(drug: Dataset, scan: datetime) -> tuple[datetime, Notes]:
    """RadiopharmaceuticalStartDateTime when it is before the scan, else the time of day on the scan's date."""
    notes: Notes = ()
    clock: datetime
    if drug.get("RadiopharmaceuticalStartDateTime"):
        clock = _datetime(drug, "RadiopharmaceuticalStartDateTime")
        if _elapsed_s(clock, scan) >= 0:
            return clock, ()
        # Removing dates for privacy can shift this one apart from the others; the time of day is still right.
        notes = ("The PET's injection is dated after its scan, so only its time of day was used.",)
    else:
        time = str(required(drug, "RadiopharmaceuticalStartTime", WHAT))
        clock = _combined(f"{scan:%Y%m%d}", time, "RadiopharmaceuticalStartTime")
    start = clock.replace(year=scan.year, month=scan.month, day=scan.day)
    if _elapsed_s(start, scan) < 0:
        return start - DAY, (
            *notes,
            "The PET's injection time of day is after its scan's, so it was taken as the day before.",
        )
    return start, notes


def _elapsed_s(start: datetime, end: datetime) -> float:
    # A time zone on one side only cannot be used: both are then local times of the same site.
    if start.tzinfo is None or end.tzinfo is None:
        start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
    return (end - start).total_seconds()


def _datetime(dataset: Dataset, keyword: str) -> datetime:
    text = str(required(dataset, keyword, WHAT))
    try:
        return _plain(DT(text))
    except ValueError:
        raise _not_a_time(keyword) from None


def _date_and_time(dataset: Dataset, date_keyword: str, time_keyword: str) -> datetime:
    date = str(required(dataset, date_keyword, WHAT))
    return _combined(date, str(required(dataset, time_keyword, WHAT)), time_keyword)


def _combined(date: str, time: str, keyword: str) -> datetime:
    try:
        return datetime.combine(DA(date), TM(time))
    except (ValueError, TypeError):
        raise _not_a_time(keyword) from None


def _plain(moment: datetime) -> datetime:
    # pydicom's DT keeps its original text; arithmetic wants the plain class.
    return datetime.combine(moment.date(), moment.time(), moment.tzinfo)


def _not_a_time(keyword: str) -> Exception:
    return input_error(
        f"{WHAT} whose {tag_name(keyword)} is no date or time", "a DICOM date or time", "correct the tag"
    )
