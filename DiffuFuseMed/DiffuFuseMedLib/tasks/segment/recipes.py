"""Every recipe of a segmenter by the id of the model that it makes: what ships, and what it is compared with."""

from __future__ import annotations

from ...systems.diffufusemed.recipe import ABLATIONS, LATENT, STS
from ...systems.segresnet.recipe import STS_SEGRESNET
from ...training.recipe import Recipe

RECIPES: dict[str, Recipe] = {r.model_id: r for r in (STS, LATENT, STS_SEGRESNET, *ABLATIONS.values())}
