"""What a denoiser's output means, as (x0, eps): eps (DiffuFuseMed eq. 8), v (its optional variant, 3.8.2) or x0."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor


def _eps(output: Tensor, noisy: Tensor, abar: Tensor) -> tuple[Tensor, Tensor]:
    return (noisy - (1 - abar).sqrt() * output) / abar.sqrt(), output


def _v(output: Tensor, noisy: Tensor, abar: Tensor) -> tuple[Tensor, Tensor]:
    x0 = abar.sqrt() * noisy - (1 - abar).sqrt() * output
    return x0, abar.sqrt() * output + (1 - abar).sqrt() * noisy


def _x0(output: Tensor, noisy: Tensor, abar: Tensor) -> tuple[Tensor, Tensor]:
    # at abar = 1 nothing was added and eps is undefined; the clamp makes it 0 / small instead of 0 / 0
    return output, (noisy - abar.sqrt() * output) / (1 - abar).sqrt().clamp(min=1e-4)


DECODERS: dict[str, Callable[[Tensor, Tensor, Tensor], tuple[Tensor, Tensor]]] = {"eps": _eps, "v": _v, "x0": _x0}


def decode(kind: str, output: Tensor, noisy: Tensor, abar: Tensor) -> tuple[Tensor, Tensor]:
    """(x0, eps) that the output stands for, (B, d, *space); abar broadcasts over the tensors."""
    return DECODERS[kind](output, noisy, abar)


def target(kind: str, clean: Tensor, noise: Tensor, abar: Tensor) -> Tensor:
    """What the denoiser should put out; v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans and Ho, 2022).

    clean, noise: (B, d, *space); abar: (B, 1, ..., 1).
    """
    if kind == "eps":
        return noise
    if kind == "v":
        return abar.sqrt() * noise - (1 - abar).sqrt() * clean
    return clean
