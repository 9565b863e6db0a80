"""Which MR contrast a series shows: from its words, else from its timing."""

from __future__ import annotations

import re
from typing import Any

from pydicom.dataset import Dataset

from ...core.modalities import contrasts, spec_of
from ...core.triples import triple
from .frames import find_group

WORD_TAGS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
T2_STAR = re.compile(r"t2\W?\*|t2\W?star|swi|swan")
CONTRAST = re.compile(
    r"(?<![a-z])(gd|gad|gado\w*|post|ce|contrast|km|c\+)(?![a-z])|\+\s?c(?![a-z])|t1(c|ce|gd)(?![a-z])"
)
NO_CONTRAST = re.compile(r"(without|no|non|w/o|pre)\W?(gd|gad|contrast|ce|km)|(?<![a-z])pre(?![a-z])")


def guess_sequence(dataset: Dataset) -> tuple[str, str] | None:
    """(modality key, the sentence that says why), or None when neither words nor timing tell."""
    words = _from_words(dataset)
    if words is not None:
        return (
            words,
            f"{words} was read from the words of the MR series (description, protocol, sequence, contrast agent).",
        )
    timing = _from_timing(dataset)
    if timing is None:
        return None
    return timing, f"{timing} was guessed from the MR timing (TR, TE, TI) because no word of the series names it."


def contrasts_in_words() -> str:
    """What a series may show, with or without a contrast agent: "neither T1, T2 nor FLAIR"."""
    *names, last = [spec_of(key).short for key, known in contrasts().items() if not known.agent]
    return f"neither {', '.join(names)} nor {last}"


def _from_words(dataset: Dataset) -> str | None:
    text = " ".join(str(dataset.get(tag) or "") for tag in WORD_TAGS).lower().replace("_", " ")
    named = [key for key, known in contrasts().items() if re.search(known.words, text)]
    if T2_STAR.search(text):
        named = [key for key in named if contrasts()[key].decisive]
    return _the_one(named, _with_contrast(dataset, text))


def _the_one(keys: list[str], agent: bool) -> str | None:
    """The decisive one of several contrasts, else the one that fits whether a contrast agent was given; None where that
    leaves none, or several."""
    known = contrasts()
    left = [key for key in keys if known[key].decisive] or [key for key in keys if known[key].agent in (None, agent)]
    return left[0] if len(left) == 1 else None


def _with_contrast(dataset: Dataset, text: str) -> bool:
    if NO_CONTRAST.search(text):
        return False
    agent = str(dataset.get("ContrastBolusAgent") or "").strip().lower()
    return bool(CONTRAST.search(text)) or agent not in ("", "none", "no", "n/a")


def _from_timing(dataset: Dataset) -> str | None:
    repetition, echo, inversion = _timing_ms(dataset)
    if not repetition or not echo:
        return None
    timed = {key: known.timing for key, known in contrasts().items() if known.timing}
    fits = [key for key, timing in timed.items() if timing.fits(repetition, echo, inversion or 0.0)]
    return _the_one(fits, _with_contrast(dataset, ""))


def _timing_ms(dataset: Dataset) -> tuple[float | None, float | None, float | None]:
    """TR, TE, TI of a classic instance or of an enhanced one's first frame."""
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        return triple(_number(dataset, tag) for tag in ("RepetitionTime", "EchoTime", "InversionTime"))
    groups = (
        ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
        ("MREchoSequence", "EffectiveEchoTime"),
        ("MRModifierSequence", "InversionTimes"),
    )
    return triple(_number(find_group(dataset, 0, group), tag) for group, tag in groups)


def _number(dataset: Dataset | None, keyword: str) -> float | None:
    value: Any = None if dataset is None else dataset.get(keyword)
    if isinstance(value, (list, tuple)) or (hasattr(value, "__len__") and not isinstance(value, str)):
        value = value[0] if len(value) else None
    return None if value in (None, "") else float(value)
