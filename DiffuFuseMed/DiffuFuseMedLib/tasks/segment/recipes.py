"""Every recipe of a segmenter by the id of the model that it makes: what ships, and what it is compared with."""

from __future__ import annotations

from ...systems.caldiff.recipe import ABLATIONS as CALDIFF_ABLATIONS
from ...systems.caldiff.recipe import LIDC as LIDC_CALDIFF
from ...systems.caldiff.recipe import STS as STS_CALDIFF
from ...systems.diffufusemed.recipe import ABLATIONS, LATENT, STS
from ...systems.segresnet.recipe import STS_SEGRESNET
from ...training.recipe import Recipe

_ALL = (STS, LATENT, STS_SEGRESNET, STS_CALDIFF, LIDC_CALDIFF, *ABLATIONS.values(), *CALDIFF_ABLATIONS.values())
RECIPES: dict[str, Recipe] = {r.model_id: r for r in _ALL}
