"""Which MR contrast a series shows: from its words, else from its timing."""

from __future__ import annotations

import re

from pydicom.dataset import Dataset

from .frames import find_group

WORD_TAGS = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName")
FLAIR = re.compile(r"flair|dark.?fluid|(?<![a-z])fla(?![a-z])")
T1 = re.compile(r"(?<![a-z0-9])t1(?!\d|rho)|mp.?rage|(?<![a-z])(spgr|bravo|vibe|lava|thrive)(?![a-z])")
T2 = re.compile(r"(?<![a-z0-9])t2(?!\d|\W?\*|\W?star|[a-z]?flair)")
T2_STAR = re.compile(r"t2\W?\*|t2\W?star|swi|swan")
CONTRAST = re.compile(
    r"(?<![a-z])(gd|gad|gado\w*|post|ce|contrast|km|c\+)(?![a-z])|\+\s?c(?![a-z])|t1(c|ce|gd)(?![a-z])"
)
NO_CONTRAST = re.compile(r"(without|no|non|w/o|pre)\W?(gd|gad|contrast|ce|km)|(?<![a-z])pre(?![a-z])")

# Spin echo at 1.5 to 3 T: short TE and TR weigh T1, long TE and TR weigh T2; an inversion that nulls CSF makes FLAIR.
T1_MAX_TE_MS, T1_MAX_TR_MS = 30.0, 1200.0
T2_MIN_TE_MS, T2_MIN_TR_MS = 60.0, 1800.0
FLAIR_MIN_TI_MS, FLAIR_MIN_TR_MS = 1500.0, 4000.0


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


def _from_words(dataset: Dataset) -> str | None:
    text = " ".join(str(dataset.get(tag) or "") for tag in WORD_TAGS).lower().replace("_", " ")
    if FLAIR.search(text):
        return "MR_FLAIR"
    weights_t1, weights_t2 = bool(T1.search(text)), bool(T2.search(text))
    if weights_t1 == weights_t2 or T2_STAR.search(text):
        return None
    if weights_t2:
        return "MR_T2"
    return "MR_T1C" if _with_contrast(dataset, text) else "MR_T1"


def _with_contrast(dataset: Dataset, text: str) -> bool:
    if NO_CONTRAST.search(text):
        return False
    agent = str(dataset.get("ContrastBolusAgent") or "").strip().lower()
    return bool(CONTRAST.search(text)) or agent not in ("", "none", "no", "n/a")


def _from_timing(dataset: Dataset) -> str | None:
    repetition, echo, inversion = _timing_ms(dataset)
    if not repetition or not echo:
        return None
    if inversion and inversion >= FLAIR_MIN_TI_MS and repetition >= FLAIR_MIN_TR_MS:
        return "MR_FLAIR"
    if echo <= T1_MAX_TE_MS and repetition <= T1_MAX_TR_MS:
        return "MR_T1C" if _with_contrast(dataset, "") else "MR_T1"
    if echo >= T2_MIN_TE_MS and repetition >= T2_MIN_TR_MS:
        return "MR_T2"
    return None


def _timing_ms(dataset: Dataset) -> tuple[float | None, float | None, float | None]:
    """TR, TE, TI of a classic instance or of an enhanced one's first frame."""
    if "PerFrameFunctionalGroupsSequence" not in dataset:
        return tuple(_number(dataset, tag) for tag in ("RepetitionTime", "EchoTime", "InversionTime"))
    groups = (
        ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
        ("MREchoSequence", "EffectiveEchoTime"),
        ("MRModifierSequence", "InversionTimes"),
    )
    return tuple(_number(find_group(dataset, 0, group), tag) for group, tag in groups)


def _number(dataset: Dataset | None, keyword: str) -> float | None:
    value = None if dataset is None else dataset.get(keyword)
    if isinstance(value, (list, tuple)) or (hasattr(value, "__len__") and not isinstance(value, str)):
        value = value[0] if len(value) else None
    return None if value in (None, "") else float(value)
