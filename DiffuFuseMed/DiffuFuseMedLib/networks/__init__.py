"""Network parts that more than one system may use."""

from .cross_modal import CrossModalBlock
from .decoder import FusionDecoder
from .embeddings import TimeEmbedding, window_position
from .encoder import PyramidEncoder
from .latent_denoiser import LatentDenoiser
from .reliability import Reliability, gates, texture, uniform_gates

__all__ = [
    "CrossModalBlock",
    "FusionDecoder",
    "LatentDenoiser",
    "PyramidEncoder",
    "Reliability",
    "TimeEmbedding",
    "gates",
    "texture",
    "uniform_gates",
    "window_position",
]
