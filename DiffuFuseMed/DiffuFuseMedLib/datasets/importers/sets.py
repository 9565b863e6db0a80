"""Every public set that can be imported, by the name that the command line takes."""

from __future__ import annotations

from .autopet import AUTOPET
from .brats import BRATS
from .btcv import BTCV
from .hecktor import HECKTOR
from .ircadb import IRCADB
from .isbi_ms import ISBI_MS
from .lidc_idri import LIDC_IDRI
from .lits import LITS
from .plan import PublicSet
from .promise12 import PROMISE12
from .soft_tissue_sarcoma import STS

_ALL = (AUTOPET, BRATS, BTCV, HECKTOR, IRCADB, ISBI_MS, LIDC_IDRI, LITS, PROMISE12, STS)
SETS: dict[str, PublicSet] = {s.name: s for s in _ALL}
