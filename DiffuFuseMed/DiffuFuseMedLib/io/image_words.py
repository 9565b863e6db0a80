"""What the words of a series' description or a file's name say an image shows, or that it is no such image at all."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..core.modalities import contrasts

T2_STAR = re.compile(r"t2\W?\*|t2\W?star|swi|swan")
T1_FLAIR = re.compile(r"t1\W*(w|weighted)?\W*flair|flair\W*t1(?!\d)")  # a T1: its inversion nulls no water
# Of an MR: diffusion, perfusion, phase, flow, maps and subtractions, for which there is no entry in the table.
OTHER_WORDS = re.compile(
    r"(?<![a-z])(e?adc|tracew?|dwi|dti|dki|diff(usion)?|b\s?\d{2,4}|perf(usion)?|pwi|dsc|dce|asl|r?cbf|r?cbv|mtt|ttp"
    r"|tmax|bold|fmri|tof|mra|mrv|angio\w*|phase|b0 ?map|field ?map|swi|swan|t[12] ?map(s|ping)?|t[12]\W?rho"
    r"|sub(traction|tracted|tract)?)(?![a-z])"
)
PROJECTION_WORDS = re.compile(r"(?<![a-z])(mip|minip|mnip|maximum intensity|vrt|volume.?render\w*|cpr|curved)(?![a-z])")
LOCALIZER_WORDS = re.compile(r"(?<![a-z])(locali[sz]er|scout|topogram|surview|survey)(?![a-z])")


def other_words(text: str) -> list[str]:
    """Those that say an MR shows something that is not in the table of modalities. text: in lower case."""
    decisive = [known.words for known in contrasts().values() if known.decisive]
    found = [match[0] for match in OTHER_WORDS.finditer(text)]
    return [word for word in found if not any(re.search(words, word) for words in decisive)]


def contrast_named(text: str, agent: bool, kinds: Iterable[str] = ()) -> str | None:
    """The key of the MR contrast that the words, or values of ImageType, name; agent: whether one was given."""
    known = contrasts()
    named = [key for key, c in known.items() if re.search(c.words, text) or set(kinds).intersection(c.kinds)]
    if T1_FLAIR.search(text):
        named = [key for key in named if not known[key].decisive]
    if T2_STAR.search(text):
        named = [key for key in named if known[key].decisive]
    return the_one(named, agent)


def the_one(keys: list[str], agent: bool) -> str | None:
    """The decisive one of several contrasts, else the one that fits whether a contrast agent was given; None where that
    leaves none, or several."""
    known = contrasts()
    left = [key for key in keys if known[key].decisive] or [key for key in keys if known[key].agent in (None, agent)]
    return left[0] if len(left) == 1 else None
