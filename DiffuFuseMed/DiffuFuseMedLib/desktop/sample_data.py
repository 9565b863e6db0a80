"""The shipped case in Slicer's Sample Data module."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

CATEGORY = "DiffuFuseMed"
CASE = "STS_010"
SHA256 = {
    "CT": "183a1cbba12508d814b44d0071d502ceec2bd5b3de4d539947d1001b333e5a0c",
    "PET": "6ba449b6fde72944b36cbd01c12364deca95985bf1a5e1f3312c222c65001ae3",
    "MR_T1": "9ed4fe210737aac15574a92d3505e07ede3a37a348abd198492bad57e01ffed4",
}


def register(resource: Callable[[str], str]) -> None:
    """Its three images; nothing is fetched, for they are in the package."""
    import SampleData

    folder = Path(resource(f"SampleData/{CASE}"))
    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category=CATEGORY,
        sampleName="STS_010 sarcoma, CT PET MR (CC BY 3.0)",
        thumbnailFileName=resource("Icons/STS_010.png"),
        uris=[(folder / f"{key}.nii.gz").as_uri() for key in SHA256],
        fileNames=[f"{CASE}_{key}.nii.gz" for key in SHA256],
        nodeNames=[f"{CASE} {key.replace('MR_', '')}" for key in SHA256],
        checksums=[f"SHA256:{checksum}" for checksum in SHA256.values()],
    )
