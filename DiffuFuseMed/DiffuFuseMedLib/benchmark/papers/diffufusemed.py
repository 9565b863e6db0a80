"""What DiffuFuseMed prints: Tables 1 to 8, in its units (Dice and IoU in %, HD95 in mm), row by row."""

from __future__ import annotations

OURS, TRANSBTS, UNET = "DiffuFuseMed (Ours)", "TransBTS", "U-Net (2D)"
Figures = dict[str, float]

TABLE_1: dict[str, Figures] = {
    UNET: {"dice": 78.4, "iou": 72.3, "hd95_mm": 5.4, "precision": 79.0, "recall": 77.9},
    "3D U-Net": {"dice": 80.2, "iou": 74.5, "hd95_mm": 5.0, "precision": 80.7, "recall": 79.9},
    "Attention U-Net": {"dice": 81.7, "iou": 75.8, "hd95_mm": 4.7, "precision": 82.1, "recall": 81.3},
    "Multi-Encoder CNN": {"dice": 82.9, "iou": 76.9, "hd95_mm": 4.3, "precision": 83.7, "recall": 82.2},
    TRANSBTS: {"dice": 84.3, "iou": 78.3, "hd95_mm": 4.0, "precision": 85.0, "recall": 83.7},
    OURS: {"dice": 88.2, "iou": 81.9, "hd95_mm": 3.3, "precision": 89.1, "recall": 87.4},
}
TABLE_2: dict[str, Figures] = {
    "Full Model (DiffuFuseMed)": {"dice": 88.2, "iou": 81.9, "hd95_mm": 3.3},
    "Diffusion Denoiser": {"dice": 85.0, "iou": 78.3, "hd95_mm": 3.8},
    "Reliability Gating": {"dice": 86.1, "iou": 79.7, "hd95_mm": 3.6},
    "Alignment Loss": {"dice": 86.8, "iou": 80.2, "hd95_mm": 3.5},
    "Time-Conditioned Attention": {"dice": 86.4, "iou": 79.9, "hd95_mm": 3.7},
    "Modality Dropout": {"dice": 87.1, "iou": 80.7, "hd95_mm": 3.5},
    "CNN Backbone Only": {"dice": 83.6, "iou": 76.0, "hd95_mm": 4.2},
}
# By the recipe whose network has no such part, or nothing else.
ABLATIONS = {
    "sts-diffufusemed-whole": "Full Model (DiffuFuseMed)",
    "sts-diffufusemed-no-diffusion": "Diffusion Denoiser",
    "sts-diffufusemed-no-gating": "Reliability Gating",
    "sts-diffufusemed-no-alignment": "Alignment Loss",
    "sts-diffufusemed-no-time": "Time-Conditioned Attention",
    "sts-diffufusemed-no-dropout": "Modality Dropout",
    "sts-diffufusemed-cnn-only": "CNN Backbone Only",
}
# By the condition of tasks.segment.evaluate.
TABLE_3: dict[str, Figures] = {
    "clean": {"dice": 88.2, "iou": 81.9, "hd95_mm": 3.3, "drop": 0.0},
    "gaussian noise 0.1": {"dice": 87.1, "iou": 80.4, "hd95_mm": 3.4, "drop": -1.1},
    "gaussian noise 0.3": {"dice": 84.6, "iou": 77.0, "hd95_mm": 3.7, "drop": -3.6},
    "gaussian noise 0.5": {"dice": 80.3, "iou": 71.9, "hd95_mm": 4.3, "drop": -7.9},
    "motion blur mild": {"dice": 86.0, "iou": 79.0, "hd95_mm": 3.6, "drop": -2.5},
    "motion blur strong": {"dice": 82.2, "iou": 74.6, "hd95_mm": 4.0, "drop": -6.0},
    "intensity drift 20 %": {"dice": 85.4, "iou": 78.2, "hd95_mm": 3.7, "drop": -2.8},
    "bias field (MR)": {"dice": 84.1, "iou": 76.8, "hd95_mm": 3.8, "drop": -4.1},
}
# dice, iou, hd95_mm: without gating; gated: Dice with it.
TABLE_4: dict[str, Figures] = {
    "clean": {"dice": 88.2, "iou": 81.9, "hd95_mm": 3.3, "gated": 88.2},
    "no PET": {"dice": 85.7, "iou": 79.0, "hd95_mm": 3.6, "gated": 86.9},
    "no CT": {"dice": 86.9, "iou": 80.4, "hd95_mm": 3.5, "gated": 87.6},
    "no MR_T2": {"dice": 83.5, "iou": 76.0, "hd95_mm": 3.9, "gated": 85.1},
    "no MR_T1": {"dice": 84.2, "iou": 76.9, "hd95_mm": 3.8, "gated": 85.3},
}
TABLE_6: dict[str, tuple[str, str, str]] = {  # DiffuFuseMed, TransBTS, U-Net
    "Model size, MB": ("128", "115", "28"),
    "FLOPs a slice, G": ("62.5", "58", "9.2"),
    "GPU, ms a slice": ("32", "35", "18"),
    "CPU, ms a slice": ("340", "380", "190"),
    "GPU memory, GB": ("2.2", "2.1", "0.8"),
    "ONNX conversion, s": ("8.7", "9.5", "4.2"),
    "TensorRT conversion, s": ("6.1", "6.8", "3.6"),
    "Quantization, % lost": ("1.2", "1.6", "0.8"),
    "Batch size on a GPU": ("8", "8", "16"),
}
TABLE_7: dict[str, Figures] = {
    UNET: {"ece": 0.084, "brier": 0.112, "nll": 0.485, "coverage": 88.1},
    TRANSBTS: {"ece": 0.061, "brier": 0.095, "nll": 0.421, "coverage": 91.4},
    OURS: {"ece": 0.034, "brier": 0.072, "nll": 0.336, "coverage": 95.9},
}
TABLE_8: dict[tuple[str, str], str] = {  # by the other model and the metric: difference, 95 % interval; all p < 0.001
    (TRANSBTS, "dice"): "3.9 [3.2, 4.7]",
    (UNET, "dice"): "9.8 [8.2, 11.0]",
    (TRANSBTS, "iou"): "3.6 [2.6, 4.7]",
    (UNET, "iou"): "9.6 [7.9, 11.5]",
}
AREAS = {UNET: (0.91, 0.89), TRANSBTS: (0.94, 0.92), OURS: (0.97, 0.95)}  # Figures 2 and 3: AUC and average precision
LATENCY_MS = {UNET: 18, TRANSBTS: 35, OURS: 32}  # Figure 7, on its GPU
# Which row a model stands beside: a baseline by its recipe, as one system has several of them; ours by its system.
ROW_OF_RECIPE = {
    "sts-unet-2d": UNET,
    "sts-unet-3d": "3D U-Net",
    "sts-attention-unet": "Attention U-Net",
    "sts-multi-encoder": "Multi-Encoder CNN",
    "sts-transbts": TRANSBTS,
}
ROW_OF_SYSTEM = {"diffufusemed": OURS, "diffufusemed-latent": OURS}
ELSEWHERE = {  # Table 5 and Figure 6: Dice in % and the drop from STS
    "BRATS": (83.2, -5.0), "LiTS": (81.1, -7.1), "BTCV": (80.4, -7.8),
}  # fmt: skip


def row_of(method: str, system: str) -> str:
    """The row of the paper's tables that a model stands beside, "" for none."""
    return ROW_OF_RECIPE.get(method) or ROW_OF_SYSTEM.get(system, "")
