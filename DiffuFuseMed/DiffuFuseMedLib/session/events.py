"""Events: what a session tells its host of, by topics that cannot be misspelled."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

Listener = Callable[["Topic"], None]


class Topic(Enum):
    """What may look different now, in the order in which a host that draws several in one go draws them."""

    CASE = "case"  # what is open, from which files, how well it is aligned
    PARAMETERS = "parameters"
    FUSION = "fusion"  # how far the fused picture is
    RUN = "run"  # how far the segmentation is
    NUMBERS = "numbers"  # what the lesion measures
    REVIEW = "review"  # the worklist and its decisions
    LAYERS = "layers"  # what lies over each other in the slice views
    PROBING = "probing"  # how far a synthetic tumor is, whether it is shown, and what was found of those so far
    MESSAGE = "message"  # a sentence for the reader
    SCENE = "scene"  # nodes came or went
    SAVING = "saving"  # what is being written
    QUESTION = "question"  # what the reader is asked: unsaved corrections would go, or were found
    STEPS = "steps"  # what can be undone and done again


class Events:
    """Listeners are told in the order in which they came."""

    def __init__(self) -> None:
        self._listeners: list[tuple[frozenset[Topic], Listener]] = []

    def listen(self, listener: Listener, *topics: Topic) -> None:
        """listener(topic): called for each of these topics, for every one where none is named. TypeError for a topic
        that is none."""
        self._listeners.append((frozenset(_checked(topics) or Topic), listener))

    def tell(self, *topics: Topic) -> None:
        """One topic after the other. TypeError for a topic that is none."""
        for topic in _checked(topics):
            for wanted, listener in self._listeners:
                if topic in wanted:
                    listener(topic)


def _checked(topics: tuple[Topic, ...]) -> tuple[Topic, ...]:
    for topic in topics:
        if not isinstance(topic, Topic):
            raise TypeError(f"{topic!r} is no Topic: tell and listen by one of {', '.join(map(str, Topic))}.")
    return topics
