"""What CalDiff (docs/systems/caldiff.md) prints: its Tables I and II, and which model stands beside which row."""

from __future__ import annotations

from ...models.registry import ModelRecord

Figures = tuple[str, str, str, str]
COLUMNS = {"s_ncc": "S_NCC ↑", "d_max": "D_max ↑", "ci": "CI ↑", "ged2": "GED² ↓"}
BESIDE = {
    "s_ncc_band": "S_NCC in band", "s_c": "S_c", "d_a": "D_a", "hm_iou": "HM-IoU", "crps_ml": "CRPS, mL",
    "dice": "Dice", "nsd_2mm": "surface Dice", "ece": "ECE", "ace": "ACE", "brier": "Brier", "nll": "NLL",
    "seconds": "s a case",
}  # fmt: skip
LIDC, MS = "LIDC-IDRI", "MS-MRI"
CALDIFF = "CalDiff"
# Table I, and of Table II the rows that are not in it, as printed: mean ± standard deviation over the test slices.
TABLE_1: dict[str, dict[str, Figures]] = {
    LIDC: {
        "Prob U-Net": ("0.8382±0.09", "0.8795±0.10", "0.7147±0.21", "0.2522±0.24"),
        "PHiSeg": ("0.8529±0.08", "0.8595±0.11", "0.7422±0.19", "0.2432±0.21"),
        "SegDiff": ("0.8523±0.09", "0.8815±0.10", "0.7268±0.21", "0.2546±0.24"),
        "CIMD": ("0.8688±0.08", "0.8811±0.11", "0.7955±0.19", "0.2413±0.21"),
        CALDIFF: ("0.8857±0.07", "0.9019±0.08", "0.8171±0.16", "0.2240±0.18"),
    },
    MS: {
        "Prob U-Net": ("0.5028±0.19", "0.4873±0.26", "0.2869±0.20", "0.6545±0.29"),
        "PHiSeg": ("0.5375±0.17", "0.4997±0.26", "0.3126±0.19", "0.6374±0.28"),
        "SegDiff": ("0.6717±0.16", "0.5141±0.22", "0.3566±0.23", "0.5988±0.33"),
        "CIMD": ("0.7360±0.10", "0.5052±0.19", "0.4064±0.20", "0.5134±0.20"),
        CALDIFF: ("0.7602±0.11", "0.5462±0.18", "0.4279±0.19", "0.4777±0.16"),
    },
}
TABLE_2: dict[str, dict[str, Figures]] = {
    LIDC: {
        "Step-UC": ("0.8714±0.08", "0.8911±0.10", "0.8024±0.17", "0.2391±0.19"),
        "Seq-UC, S = 2": ("0.8799±0.07", "0.8964±0.07", "0.7878±0.17", "0.2284±0.18"),
        "Seq-UC, S = 3": ("0.8780±0.07", "0.8909±0.07", "0.7801±0.17", "0.2385±0.21"),
        "Seq-UC, S = 4": ("0.8794±0.08", "0.8827±0.10", "0.7942±0.18", "0.2410±0.22"),
        CALDIFF: TABLE_1[LIDC][CALDIFF],
    },
    MS: {
        "Step-UC": ("0.7429±0.14", "0.5538±0.19", "0.3910±0.20", "0.5079±0.22"),
        "Seq-UC, S = 2": ("0.7433±0.11", "0.5406±0.18", "0.4214±0.20", "0.4888±0.21"),
        "Seq-UC, S = 3": ("0.7266±0.14", "0.5326±0.21", "0.3683±0.20", "0.5493±0.26"),
        "Seq-UC, S = 4": ("0.7099±0.12", "0.5104±0.21", "0.4020±0.21", "0.5353±0.22"),
        CALDIFF: TABLE_1[MS][CALDIFF],
    },
}
DATASETS = {"lidc": LIDC, "ms": MS}
SYSTEMS_OF_PAPER = {"prob_unet": "Prob U-Net", "phiseg": "PHiSeg", "segdiff": "SegDiff", "cimd": "CIMD"}


def paper_row(record: ModelRecord) -> str:
    """Which row of the paper's tables a model stands beside, by its system and settings; "" for none."""
    if record.system != "caldiff":
        return SYSTEMS_OF_PAPER.get(record.system, "")
    # diffusion of masks with neither module is what SegDiff is
    step_uc, consecutive = bool(record.config.get("step_uc", True)), int(record.config.get("consecutive", 2))
    if step_uc:
        return CALDIFF if consecutive > 1 else "Step-UC"
    return f"Seq-UC, S = {consecutive}" if consecutive > 1 else "SegDiff"
