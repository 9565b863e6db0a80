"""What a network has to be to take lesions out of images, or to put tumors in.

docs/systems/diff4mmlits.md tells where both come from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from ...core.errors import input_error

Images = dict[str, Tensor]


@runtime_checkable
class Inpaints(Protocol):
    """Fills a hole in every modality at once, slice by slice.

    config: modalities, spacing_mm of a pixel and window_px, the least that is seen around a hole; stride: height and
    width of a window are multiples of it.
    """

    config: Any

    @property
    def stride(self) -> tuple[int, int]: ...

    def inpaint(self, images: Images, hole: Tensor) -> Images:
        """images: (B, 2, H, W) by present modality, intensity and valid; hole: (B, 1, H, W), 1 where nothing is known.
        By the same keys (B, 1, H, W): as it was where it is known, filled in where not."""


def check_inpaints(network: Any, system: str) -> None:
    """Raises InputError for a network that fills no holes, whatever its record says."""
    if not isinstance(network, Inpaints):
        given = f"a model of the system {system}, which does not fill holes"
        raise input_error(given, "an inpainter, such as sts-inpainter", "choose another with --model")


@runtime_checkable
class SynthesizesTumors(Protocol):
    """Draws a tumor into a window of every modality at once.

    config: modalities, sampler_steps and autoencoder, with a window's voxels along each axis and their spacing_mm;
    statistics: draws size, depth and appearance.
    """

    config: Any
    statistics: Any

    def sample(
        self,
        images: Images,
        lesion: Tensor,
        looks: list[Any],
        generator: Any = None,
        steps: int | None = None,
        tell: Callable[[float], None] | None = None,
    ) -> Images:
        """images: (B, 2, *space) by present modality, nothing known where the tumor goes; lesion: (B, 1, *space) in
        0..1; looks: an Appearance each. (B, 1, *space) by modality; tell gets the share done, and may raise to stop."""
        ...


def check_synthesizes(network: Any, system: str) -> None:
    """Raises InputError for a network that makes no tumors, whatever its record says."""
    if not isinstance(network, SynthesizesTumors):
        given = f"a model of the system {system}, which makes no tumors"
        raise input_error(given, "a synthesizer, such as sts-tumor-synthesizer", "choose another with --model")
