"""Which MR contrast a series shows: from its words, else from its timing."""

from __future__ import annotations

from typing import Any, NamedTuple

from pydicom.dataset import Dataset

from ...core.modalities import contrasts, spec_of
from ...core.triples import triple
from .. import contrast_agent
from ..image_words import contrast_named, other_words, the_one
from .frames import find_group
from .tags import numbers, value_of

WORD_TAGS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
OTHER_KINDS = frozenset(
    ["ADC", "TRACEW", "TRACE", "FA", "DIFFUSION", "PERFUSION", "ASL", "CBF", "CBV", "MTT", "TTP", "P", "PHASE"]
)


class Guess(NamedTuple):
    """modality: its key; why: the sentence that says so; from_timing: it is no more than likely."""

    modality: str
    why: str
    from_timing: bool


def guess_sequence(dataset: Dataset) -> Guess | None:
    """Which contrast the series shows, None when neither words nor timing tell, or when it is no such image at all."""
    if _is_measured_otherwise(dataset):
        return None
    words = _from_words(dataset)
    if words is not None:
        why = f"{words} was read from the words of the MR series (description, protocol, sequence, contrast agent)."
        return Guess(words, why, False)
    timing = _from_timing(dataset)
    if timing is None:
        return None
    why = f"{timing} was guessed from the MR timing (TR, TE, TI) because no word of the series names it."
    return Guess(timing, f"Warning: {why}", True)


def _is_measured_otherwise(dataset: Dataset) -> bool:
    """Whether it shows diffusion, perfusion, phase or flow, or is a map, for which there is no entry in the table: a T2
    by its timing, and none."""
    entries = [known for known in contrasts().values() if known.decisive]
    kinds = _kinds(dataset) & OTHER_KINDS
    return bool(other_words(_text(dataset)) or kinds.difference(*(known.kinds for known in entries)))


def _kinds(dataset: Dataset) -> set[str]:
    """The values of ImageType; DIFFUSION where there is a b-value."""
    kinds = {str(part).strip().upper() for part in value_of(dataset, "ImageType") or ()}
    return kinds | {"DIFFUSION"} if value_of(dataset, "DiffusionBValue") or _diffusion_group(dataset) else kinds


def contrasts_in_words() -> str:
    """What a series may show, with or without a contrast agent: "neither T1, T2 nor FLAIR"."""
    *names, last = [spec_of(key).short for key, known in contrasts().items() if not known.agent]
    return f"neither {', '.join(names)} nor {last}"


def _from_words(dataset: Dataset) -> str | None:
    text = _text(dataset)
    return contrast_named(text, _with_contrast(dataset, text), _kinds(dataset))


def _text(dataset: Dataset) -> str:
    return " ".join(str(value_of(dataset, tag) or "") for tag in WORD_TAGS).lower().replace("_", " ")


def _with_contrast(dataset: Dataset, text: str) -> bool:
    told = contrast_agent.said(text)
    return contrast_agent.is_agent(str(value_of(dataset, "ContrastBolusAgent") or "")) if told is None else told


def _from_timing(dataset: Dataset) -> str | None:
    repetition, echo, inversion = _timing_ms(dataset)
    if not repetition or not echo:
        return None
    timed = {key: known.timing for key, known in contrasts().items() if known.timing}
    fits = [key for key, timing in timed.items() if timing.fits(repetition, echo, inversion or 0.0)]
    return the_one(fits, _with_contrast(dataset, ""))


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
    """The first of the tag's numbers; None where there is none."""
    value: Any = None if dataset is None else value_of(dataset, keyword)
    if isinstance(value, (list, tuple)) or (hasattr(value, "__len__") and not isinstance(value, str)):
        value = value[0] if len(value) else None
    try:
        return None if value is None else float(value)
    except ValueError:
        found = numbers(dataset, keyword, 1) if dataset is not None else None
        return found[0] if found else None


def _diffusion_group(dataset: Dataset) -> bool:
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        return False
    return find_group(dataset, 0, "MRDiffusionSequence") is not None
