"""Why a region is in doubt: which modality the probability there hangs on, seen by leaving each out in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.modalities import short_of

SAMPLES_WITHOUT = 2  # of a run that leaves a modality out: enough for a reason, and quick
CALLED = 0.5  # mean probability from which a region counts as called lesion
MOVED = 0.1  # of mean probability: less than this is no disagreement


@dataclass(frozen=True)
class Reason:
    """words for a reader, and the key of the modality they are about, "" for none."""

    words: str
    modality: str


def reason(with_all: float, without: Mapping[str, float]) -> Reason:
    """with_all: the region's mean probability; without: the same with that modality switched off, by modality.

    A modality speaks for the lesion when the probability falls without it by more than MOVED, and against it when it
    rises. Of several the one is named whose absence carries the region over CALLED, and of those the strongest:
    "T1 alone" when the region is called lesion only with it; "disagrees" when no other says the same.
    """
    if not without:
        return Reason("", "")
    pull = {modality: with_all - p for modality, p in without.items()}
    movers = [m for m in pull if abs(pull[m]) > MOVED]
    if not movers:
        return Reason("all agree", "")
    crossing = [m for m in movers if (without[m] >= CALLED) != (with_all >= CALLED)]
    main = max(crossing or movers, key=lambda m: abs(pull[m]))
    same_way = [m for m in sorted(movers, key=lambda m: -abs(pull[m])) if pull[m] * pull[main] > 0]
    alone = crossing == [main] and with_all >= CALLED
    numbers = f"({100 * with_all:.0f} %, {100 * without[main]:.0f} % without {short_of(main)})"
    return Reason(f"{_words(main, same_way, alone, pull[main] > 0)} {numbers}", main)


def _words(main: str, same_way: list[str], alone: bool, for_lesion: bool) -> str:
    if alone:
        return f"{short_of(main)} alone"
    if len(same_way) == 1:
        return f"{short_of(main)} disagrees with the others"
    names = [short_of(m) for m in same_way]
    side = "for" if for_lesion else "against"
    return f"{', '.join(names[:-1])} and {names[-1]} speak {side} lesion"
