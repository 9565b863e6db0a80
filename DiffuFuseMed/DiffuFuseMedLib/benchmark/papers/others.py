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
