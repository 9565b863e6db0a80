"""What the other papers print and nothing here can be put beside, each with the reason in a sentence."""

from __future__ import annotations

FUSION = (
    "CLIN-FuseDiff++ names its measures and prints no result, so there is no figure of the paper to stand beside. The "
    "second column holds what was aimed for: what learned peers reach on unseen CT-MRI series of the brain."
)
TRANSNET = (
    "MedFusion-TransNet's Tables 1 to 4 (Dice 93.45, 92.10, 92.67 and 91.56 %) are on Kvasir-SEG, PROMISE12, CHASE_DB1 "
    "and LiTS17: photographs of polyps, prostates on MRI, vessels of the retina, livers on CT. This "
    "suite scores none of these, so none of its rows is filled."
)
SYNTHESIS = {
    "Diff4MMLiTS, Table I": "compares segmenters on mmLiTS, CT phases of livers, which is not scored here.",
    "Diff4MMLiTS, Table II": "tests on LiTS, which this suite does not score.",
    "Diff4MMLiTS, Table III": "trains three backbones on mmLiTS with synthetic tumors.",
    "Diff4MMLiTS, Table IV": "trains on parts of mmLiTS.",
    "Diff4MMLiTS, Table V": "replaces inpainter and synthesizer on mmLiTS.",
}
NO_SYNTHESIS = "No system of this version makes synthetic tumors, so nothing was run."
UNSCORED = "This version has systems of that kind ({}), but this suite does not score them yet: nothing was run."
