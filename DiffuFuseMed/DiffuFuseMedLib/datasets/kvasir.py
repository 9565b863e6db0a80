"""Kvasir-SEG: polyps on pictures of colonoscopes, in color."""

from __future__ import annotations

from ..training.data import Collection, TrainingData
from ..training.windows import WindowSettings

COLLECTION = Collection(
    "Kvasir-SEG, for research and education alone",
    "Jha D, Smedsrud PH, Riegler MA, et al. (2020). Kvasir-SEG: A Segmented Polyp Dataset. MultiMedia Modeling, LNCS "
    "11962:451-462, https://doi.org/10.1007/978-3-030-37734-2_37",
)
DATA = TrainingData((COLLECTION,), (1, 2, 3))
# A pixel counts as a millimeter: nothing tells how large it is. Most pictures are some 500 to 600 pixels wide.
PICTURES = WindowSettings(
    shape=(1, 192, 192),
    spacing_kji_mm=(1.0, 3.0, 3.0),
    margin_mm=(30.0, 300.0),
    rotation_degrees=(180.0, 0.0, 0.0),
    corrupt=0.0,
)
