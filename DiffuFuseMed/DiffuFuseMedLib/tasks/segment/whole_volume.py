"""A sampler on the whole volume: one noise field, and windows merged at every step, so that no seam shows.

A network that is drawn window by window makes up its mind in each of them, and averaging two minds blurs the border
between them. Here the windows agree at every step (MultiDiffusion, O. Bar-Tal et al., ICML 2023).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import torch
from torch import Tensor

from ...networks.draw import Draw
from .contract import SamplesWholeVolume

Merge = Callable[[Tensor, Callable[[Tensor], Tensor]], Tensor]
Inputs = Callable[[Tensor, int], Any]


def sample_whole_volume(
    network: SamplesWholeVolume,
    images: Tensor,
    merge: Merge,
    inputs: Inputs,
    generator: torch.Generator,
    before_step: Callable[[int], None],
    options: dict[str, Any],
) -> Draw:
    """One draw of the whole volume.

    images: (B, C, *space); merge: goes over a tensor of this layout in windows and merges what a function says of each;
    inputs: what the network's denoise() takes for the images of a window and its number; before_step: is told how many
    steps are done, and may raise to stop. The noise depends on the generator and the volume's shape alone.
    """
    channels, steps = network.noise_channels, count()
    noise = torch.randn((images.shape[0], channels, *images.shape[2:]), generator=generator)

    def denoise(noisy: Tensor, t: Any) -> Tensor:
        before_step(next(steps))
        window = count()

        def one_window(batch: Tensor) -> Tensor:
            return network.denoise(batch[:, :channels], inputs(batch[:, channels:], next(window)), t)

        return merge(torch.cat([noisy, images], dim=1), one_window)

    return network.sample(denoise, noise, generator, **options)
