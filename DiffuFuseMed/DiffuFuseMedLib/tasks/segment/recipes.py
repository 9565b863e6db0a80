"""Every recipe of a segmenter by the id of the model that it makes: what ships, and what it is compared with."""

from __future__ import annotations

from ...systems.caldiff.recipe import ABLATIONS as CALDIFF_ABLATIONS
from ...systems.caldiff.recipe import JUMPS as CALDIFF_JUMPS
from ...systems.caldiff.recipe import LIDC as LIDC_CALDIFF
from ...systems.caldiff.recipe import LIDC_ABLATIONS as LIDC_CALDIFF_ABLATIONS
from ...systems.caldiff.recipe import STS as STS_CALDIFF
from ...systems.diffufusemed.recipe import ABLATIONS, LATENT, STS
from ...systems.diffufusemed.recipe import LIDC as LIDC_DIFFUFUSEMED
from ...systems.medfusion_transnet import recipe as medfusion
from ...systems.mmformer.recipe import STS_MMFORMER
from ...systems.monai_nets.recipe import RECIPES as MONAI_NETS
from ...systems.multi_encoder.recipe import STS_MULTI_ENCODER
from ...systems.phiseg import recipe as phiseg
from ...systems.prob_unet import recipe as prob_unet
from ...systems.segresnet.recipe import STS_SEGRESNET
from ...systems.trans_bts.recipe import STS_TRANS_BTS
from ...systems.unet import recipe as unet
from ...systems.unet_3d.recipe import STS_UNET_3D
from ...training.recipe import Recipe

_BASELINES = (*MONAI_NETS, STS_UNET_3D, STS_MULTI_ENCODER, STS_TRANS_BTS, STS_MMFORMER)
_RIVALS = (STS_SEGRESNET, *unet.RECIPES, prob_unet.STS, prob_unet.LIDC, phiseg.STS, phiseg.LIDC)
_ABLATIONS = (
    *ABLATIONS.values(),
    *CALDIFF_ABLATIONS.values(),
    CALDIFF_JUMPS,
    *LIDC_CALDIFF_ABLATIONS.values(),
    *medfusion.ABLATIONS.values(),
)
_PUBLISHED = (
    STS,
    LATENT,
    STS_CALDIFF,
    LIDC_CALDIFF,
    LIDC_DIFFUFUSEMED,
    medfusion.STS,
    medfusion.LIDC,
    medfusion.KVASIR,
)
_ALL = (*_PUBLISHED, *_BASELINES, *_RIVALS, *_ABLATIONS)
RECIPES: dict[str, Recipe] = {r.model_id: r for r in _ALL}
