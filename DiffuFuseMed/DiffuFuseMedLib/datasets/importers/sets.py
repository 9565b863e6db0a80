"""Every public set that can be imported, by the name that the command line takes."""

from __future__ import annotations

from .autopet import AUTOPET
from .brats import BRATS
from .btcv import BTCV
from .chase_db1 import CHASE_DB1
from .hecktor import HECKTOR
from .ircadb import IRCADB
from .isbi_ms import ISBI_MS
from .kvasir_seg import KVASIR_SEG
from .lidc_idri import LIDC_IDRI
from .lits import LITS
from .plan import PublicSet
from .promise12 import PROMISE12
from .soft_tissue_sarcoma import STS

_MOST = (AUTOPET, BRATS, BTCV, HECKTOR, IRCADB, ISBI_MS, LIDC_IDRI, LITS, PROMISE12, STS)
_ALL = (*_MOST, CHASE_DB1, KVASIR_SEG)
SETS: dict[str, PublicSet] = {s.name: s for s in _ALL}
