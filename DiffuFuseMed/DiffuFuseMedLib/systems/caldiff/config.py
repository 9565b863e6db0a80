"""Every setting of CalDiff: the paper's own, and the switches of its ablations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...networks.config import config_from


@dataclass(frozen=True)
class Config:
    """The settings that docs/systems/caldiff.md explains; switches for the ablations of Table II last."""

    modalities: tuple[str, ...] = ("CT", "PET", "MR_T1")
    spatial_dims: int = 3
    channels: tuple[int, ...] = (16, 40, 56, 72)  # of the images' encoders, at strides 2, 4, 8, 16
    blocks: tuple[int, ...] = (1, 2, 1, 1)
    denoiser: tuple[int, int, int] = (16, 48, 72)  # at strides 2, 4, 8
    diffusion_steps: int = 1000  # T
    beta_first: float = 1e-4
    beta_last: float = 0.02
    sampler_steps: int = 10  # of the T, evenly spaced; T of them are the reference
    stochastic: bool = True  # sampling by (10) with the learned variance, or by DDIM with eta 0
    mse_weights: tuple[float, float] = (1.0, 5.0)  # least and most that a step weighs in (7); (0, inf) is the printed
    lambda_vlb: float = 0.001  # lambda of (8)
    latents: int = 6  # D, per position and level of the pyramid
    pyramid: tuple[int, ...] = (16, 24, 32)  # channels of both nets of Step-UC, finest level first
    pyramid_stride: int = 2  # of the finest level
    gamma: float = 0.001  # of L_Hier
    anchor: float = 10.0  # times gamma: how much it weighs that a reader's latents tell its mask; 0 is without
    own_trajectory: bool = True  # S steps of the model's own predictions; False: each from the reference, Algorithm 1
    relative_weights: bool = True  # tau_s of (17) with a mean of one over the S steps
    step_uc: bool = True
    consecutive: int = 2  # S; 1 is without Seq-UC
    longest_jump: int = 1  # of its steps, each drawn from 1 to it: 1 is the paper's t, t - 1; T / 2 a sampler's of two
    kappa: float = 1.0  # of L_SA: 1.0, 0.2, 0.2 for S = 2, 3, 4

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Config:
        return config_from(cls, values)
