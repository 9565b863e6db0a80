"""Diffusion mathematics: schedules, the forward process, parametrisations and samplers, without any network."""

from .forward import add_noise, at_time, gaussian_like
from .parametrisation import decode, target
from .reverse import learned_log_variance, posterior_log_variance, posterior_mean
from .samplers import ddim, ddim_step, ddpm_mean
from .schedules import cosine_alphas_cumprod, ddim_times, linear_alphas_cumprod

__all__ = [
    "add_noise",
    "at_time",
    "cosine_alphas_cumprod",
    "ddim",
    "ddim_step",
    "ddim_times",
    "ddpm_mean",
    "decode",
    "gaussian_like",
    "learned_log_variance",
    "linear_alphas_cumprod",
    "posterior_log_variance",
    "posterior_mean",
    "target",
]
