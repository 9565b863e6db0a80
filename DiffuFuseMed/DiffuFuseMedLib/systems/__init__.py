"""The published systems and what they are compared with: one folder a paper, and the table of what each is for.

No torch at import.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ..core.errors import input_error


@dataclass(frozen=True)
class SystemEntry:
    """task: a folder of tasks/ whose contract the network keeps; network: module and class, imported when built."""

    task: str
    network: str


SYSTEMS: dict[str, SystemEntry] = {
    "diffufusemed": SystemEntry("segment", "diffufusemed.network:DiffuFuseMed"),
    "diffufusemed-latent": SystemEntry("segment", "diffufusemed.latent:LatentDiffuFuseMed"),
    "caldiff": SystemEntry("segment", "caldiff.network:CalDiff"),
    "medfusion-transnet": SystemEntry("segment", "medfusion_transnet.network:MedFusionTransNet"),
    "unet": SystemEntry("segment", "unet.network:UNet"),
    "prob_unet": SystemEntry("segment", "prob_unet.network:ProbabilisticUNet"),
    "phiseg": SystemEntry("segment", "phiseg.network:PHiSeg"),
    "segresnet": SystemEntry("segment", "segresnet.network:SegResNet"),
    "monai-nets": SystemEntry("segment", "monai_nets.network:MonaiNet"),
    "unet-3d": SystemEntry("segment", "unet_3d.network:UNet3D"),
    "multi-encoder": SystemEntry("segment", "multi_encoder.network:MultiEncoder"),
    "trans-bts": SystemEntry("segment", "trans_bts.network:TransBTS"),
    "mmformer": SystemEntry("segment", "mmformer.network:MMFormer"),
    "clin-fusediff-teacher": SystemEntry("fuse", "clin_fusediff.teacher:Teacher"),
    "clin-fusediff-student": SystemEntry("fuse", "clin_fusediff.student:Student"),
    "diff4mmlits-inpainter": SystemEntry("synthesize", "diff4mmlits.inpainter:Inpainter"),
    "diff4mmlits-autoencoder": SystemEntry("synthesize", "diff4mmlits.autoencoder:TumorAutoencoder"),
    "diff4mmlits-synthesizer": SystemEntry("synthesize", "diff4mmlits.synthesizer:TumorSynthesizer"),
}


def network_class(system: str) -> type[Any]:
    """The network's class of a system; loads torch. Raises InputError for a system that this version does not know."""
    if system not in SYSTEMS:
        raise input_error(f"a model of the system {system!r}", f"one of {list(SYSTEMS)}", "update DiffuFuseMed")
    module, name = SYSTEMS[system].network.split(":")
    return getattr(import_module(f".{module}", __name__), name)


def build(system: str, config: Any) -> Any:
    """A network of this system with fresh weights; config: an instance of its config_type."""
    return network_class(system)(config)
