"""Every public set that can be imported, by the name that the command line takes."""

from __future__ import annotations

from .autopet import AUTOPET
from .brats import BRATS
from .hecktor import HECKTOR
from .isbi_ms import ISBI_MS
from .lits import LITS
from .plan import PublicSet
from .promise12 import PROMISE12

SETS: dict[str, PublicSet] = {s.name: s for s in (AUTOPET, BRATS, HECKTOR, ISBI_MS, LITS, PROMISE12)}
