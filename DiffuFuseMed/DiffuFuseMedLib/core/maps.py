"""Maps: everything that is known of each map of uncertainty, once.

Whoever gives another one adds a MapSpec to MAPS, and it is offered in both panels, has its legend, stands in the report
and is exported by what it says here.

Nobody keeps a copy of the table, or of a part of it, at import: a test, or a lab, may extend it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

LN_2 = log(2)  # the entropy of a fair coin, in nats: no binary measure reaches more


@dataclass(frozen=True)
class MapSpec:
    """title, meaning: in the report; caption: over its column there, "" for the title and its range; choice, words: in
    the panels; node: the name in the scene; role: of that node, "" for the key; file: what is exported, without .nrrd.

    of_fusion: belongs to the fused image, else to a prediction, whose `uncertainty` has it by its key.
    unit: behind a value; units: in a sentence; file_unit: in the file's header, "" for the unit. highest: what the
    measure can reach; shown: (dark, bright) on screen, None for zero to a high percentile of the values. colors: of the
    color node; digits: behind the point.
    """

    title: str
    meaning: str
    choice: str
    words: str
    node: str
    file: str
    unit: str
    units: str
    highest: float
    role: str = ""
    file_unit: str = ""
    shown: tuple[float, float] | None = None
    of_fusion: bool = False
    caption: str = ""
    colors: str = "Inferno"
    digits: int = 2

    @property
    def heading(self) -> str:
        """Over a column of the report."""
        return self.caption or f"{self.title.lower()}, 0 to {self.top}"

    @property
    def top(self) -> str:
        """What the measure can reach, in words."""
        return f"{self.highest:.{self.digits}f} {self.unit}"


# In the order in which they are offered.
MAPS: dict[str, MapSpec] = {
    "predictive_entropy": MapSpec(
        title="Predictive entropy",
        meaning="All of the doubt: how undecided the calibrated probability is, from 0 nat (certain) to 0.69 nat "
        "(even odds).",
        choice="all (predictive entropy)",
        words="How open it is whether a voxel is lesion, whatever the reason.",
        node="Uncertainty",
        file="uncertainty",
        unit="nat",
        units="nats",
        highest=LN_2,
    ),
    "expected_entropy": MapSpec(
        title="Expected entropy",
        meaning="Doubt that every sample shares: the images themselves leave the border open here.",
        choice="images (expected entropy)",
        words="The part that comes from the images: no further sample would settle it.",
        node="Uncertainty, of the images",
        file="uncertainty_expected_entropy",
        unit="nat",
        units="nats",
        highest=LN_2,
    ),
    "mutual_information": MapSpec(
        title="Mutual information",
        meaning="Doubt from disagreement: single samples are sure, but not of the same thing; the model lacks "
        "experience here.",
        choice="model (mutual information)",
        words="The part that comes from the model: its samples disagree, more data could settle it.",
        node="Uncertainty, of the model",
        file="uncertainty_mutual_information",
        unit="nat",
        units="nats",
        highest=LN_2,
    ),
    "fusion": MapSpec(
        title="Probability that a gray value is off by more than 0.1",
        caption="off by more than 0.1",
        meaning="Doubt is the calibrated probability that the fused gray value is off by more than 0.1 of the gray "
        "scale.",
        choice="fusion (gray value off)",
        words="Probability that the fused gray value is off by more than a tenth of its range.",
        node="Fusion uncertainty",
        role="fusion_uncertainty",
        file="fusion_uncertainty",
        unit="probability of an error above 0.1 gray",
        units="probability",
        file_unit="probability that the gray value is off by more than 0.1",
        highest=1.0,
        shown=(0.0, 0.5),
        of_fusion=True,
    ),
}


def of_prediction() -> dict[str, MapSpec]:
    """The maps that a segmenter may give."""
    return {key: spec for key, spec in MAPS.items() if not spec.of_fusion}


def role_of(key: str) -> str:
    """The role of the map's node in the scene."""
    return MAPS[key].role or key
