"""Who drew a lesion, in the words that DICOM has for it (PS3.3, C.8.20.2 and C.8.8.5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LONGEST = 64  # characters of a DICOM long string (LO)
HASH_SHOWN = 12


@dataclass(frozen=True)
class DrawnBy:
    """model: its id, empty for a hand alone; version: of program and weights; corrected: by a reader, afterwards."""

    model: str = ""
    version: str = ""
    corrected: bool = False

    @classmethod
    def of(cls, provenance: Mapping[str, Any], corrected: bool = False) -> DrawnBy:
        """As a Prediction's provenance says."""
        program = str(provenance.get("versions", {}).get("DiffuFuseMed") or "")
        weights = str(provenance.get("sha256") or "")[:HASH_SHOWN]
        parts = [program, f"weights {weights}" if weights else ""]
        return cls(str(provenance.get("model") or ""), ", ".join(filter(None, parts))[:LONGEST], corrected)

    @property
    def kind(self) -> str:
        """AUTOMATIC: as the model drew it; SEMIAUTOMATIC: the model's, corrected by a reader; MANUAL: a reader's."""
        if not self.model:
            return "MANUAL"
        return "SEMIAUTOMATIC" if self.corrected else "AUTOMATIC"
