"""Where in the body an image was taken, by the words that scanners and people use for it.

BodyPartExamined (0018,0015) is free of choice in practice; its defined terms are those of PS3.16 Annex L.
"""

from __future__ import annotations

import re

# One region by the words that name it, as whole words in upper case.
WORDS: dict[str, tuple[str, ...]] = {
    "head": ("HEAD", "BRAIN", "SKULL", "CEREBRUM", "CRANIUM", "ORBIT", "SELLA", "FACE", "JAW", "HIRN", "SCHAEDEL"),
    "neck": ("NECK", "LARYNX", "THYROID", "CSPINE", "HALS"),
    "chest": ("CHEST", "THORAX", "LUNG", "BREAST", "HEART", "MEDIASTINUM", "TSPINE", "RIB"),
    "abdomen": ("ABDOMEN", "LIVER", "KIDNEY", "PANCREAS", "SPLEEN", "COLON", "LSPINE", "STOMACH"),
    "pelvis": ("PELVIS", "HIP", "PROSTATE", "BLADDER", "UTERUS", "RECTUM", "SACRUM", "BUTTOCK", "GLUTEAL"),
    "leg": ("LEG", "THIGH", "KNEE", "CALF", "FOOT", "ANKLE", "FEMUR", "TIBIA", "TOE", "HEEL"),
    "arm": ("ARM", "SHOULDER", "ELBOW", "HAND", "WRIST", "FOREARM", "HUMERUS", "FINGER", "CLAVICLE"),
    "limb": ("EXTREMITY", "EXTREMITIES", "EXTREMETIES", "LIMB"),
}


def body_part_of(text: str) -> str:
    """The one region that a text names; "" where it names none, or several, as a whole-body scan does."""
    words = set(re.split(r"[^A-Z]+", text.upper()))
    found = [part for part, names in WORDS.items() if words & set(names)]
    return found[0] if len(found) == 1 else ""
