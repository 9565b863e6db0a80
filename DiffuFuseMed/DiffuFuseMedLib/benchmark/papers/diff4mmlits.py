"""What Diff4MMLiTS (docs/systems/diff4mmlits.md) prints in its Tables III to V, and which recipe stands beside which
row. In %, on mmLiTS: CT phases of livers."""

from __future__ import annotations

Figures = dict[str, float]


def _of(dsc: float, jac: float, se: float, pre: float) -> Figures:
    return {"dice": dsc, "iou": jac, "recall": se, "precision": pre}


BACKBONE = "sts-multi-encoder"  # of Tables IV and V: the one that makes most steps in a minute
HYBRID = f"{BACKBONE}+synthetic"
WHOLE = _of(79.02, 66.33, 74.47, 85.24)
# By recipe: the backbone, trained on real cases and on both.
TABLE_3: dict[str, tuple[str, Figures]] = {
    BACKBONE: ("U-Net", _of(75.46, 61.29, 68.12, 87.69)),
    HYBRID: ("U-Net w/ Diff4MMLiTS", _of(77.41, 64.25, 72.22, 85.17)),
    "sts-attention-unet": ("AttentionUNet", _of(67.80, 53.75, 65.25, 77.72)),
    "sts-attention-unet+synthetic": ("AttentionUNet w/ Diff4MMLiTS", _of(74.38, 60.40, 67.37, 84.58)),
    "sts-segresnet": ("nnUNet", _of(76.34, 62.77, 69.84, 86.47)),
    "sts-segresnet+synthetic": ("nnUNet w/ Diff4MMLiTS", WHOLE),
}
TABLE_4: dict[str, tuple[str, Figures]] = {
    f"{BACKBONE}+only-CT": ("uni 100 %", _of(71.24, 56.08, 64.31, 85.11)),
    f"{HYBRID}+patients-10": ("multi 10 %", _of(73.87, 59.58, 76.40, 73.13)),
    f"{HYBRID}+patients-30": ("multi 30 %", _of(75.26, 60.53, 70.24, 84.14)),
    f"{HYBRID}+patients-50": ("multi 50 %", _of(76.97, 63.45, 70.25, 87.43)),
    f"{HYBRID}+patients-70": ("multi 70 %", _of(78.49, 65.47, 75.66, 82.47)),
    HYBRID: ("multi 100 %", WHOLE),
}
TABLE_5: dict[str, tuple[str, Figures]] = {
    f"{HYBRID}-median": ("Median for the inpainter", _of(74.79, 60.75, 79.43, 73.37)),
    f"{HYBRID}-pasted": ("CUT-GAN for the diffusion; here copy and paste", _of(77.64, 63.92, 74.78, 84.62)),
    HYBRID: ("Diff4MMLiTS", WHOLE),
}
RECIPES = tuple(dict.fromkeys(("sts-segresnet", *TABLE_3, *TABLE_4, *TABLE_5)))
ELSEWHERE = {
    "Diff4MMLiTS, Table I": "It compares segmenters on mmLiTS, CT phases of livers that are not public; here Table 1 "
    "of the suite sts compares them on sarcomas.",
    "Diff4MMLiTS, Table II": "It tests on LiTS, which this suite does not score.",
}
WHY = (
    "The paper's figures are of livers, 29 training patients and 1000 epochs on an RTX 3090: to be compared by the "
    "sign of a difference alone. Here a U-Net with an encoder a modality stands for its U-Net, SegResNet for nnU-Net."
)
