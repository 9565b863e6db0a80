"""Network parts that more than one system may use."""

from .cross_modal import CrossModalBlock
from .decoder import FusionDecoder
from .embeddings import TimeEmbedding, window_position
from .encoder import PyramidEncoder
from .joint_denoiser import JointDenoiser
from .latent_denoiser import LatentDenoiser
from .reliability import Reliability, gates, texture, uniform_gates
from .standardise import Standardise

__all__ = [
    "CrossModalBlock",
    "FusionDecoder",
    "JointDenoiser",
    "LatentDenoiser",
    "PyramidEncoder",
    "Reliability",
    "Standardise",
    "TimeEmbedding",
    "gates",
    "texture",
    "uniform_gates",
    "window_position",
]
