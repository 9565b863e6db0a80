"""Phase congruency: where the waves of a picture agree in phase, which is at edges and lines whatever their contrast.

Kovesi, Videre 1999, 1(3), eqs. 10 to 21, in the two-dimensional form that FSIM uses (Zhang et al., IEEE Trans. Image
Process. 2011, 20(8) 2378, section II.A): log-Gabor filters at 4 scales and 4 orientations, noise estimated from the
smallest scale.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import fft

SCALES, ORIENTATIONS = 4, 4
SHORTEST_PX, RATIO = 6.0, 2.0  # wavelength of the smallest scale, and from one scale to the next
SIGMA_ON_F = 0.55  # bandwidth of a log-Gabor filter
THETA_SIGMA = np.pi / ORIENTATIONS / 1.2
CUTOFF, ORDER = 0.45, 15  # Butterworth, keeps the corners of the spectrum out
NOISE_SIGMAS = 2.0
NOISE_SCALE = 1.7  # Kovesi's empirical factor from the noise of PC1 to that of PC2
EPSILON = 1e-4


class Bank(NamedTuple):
    """filters: [orientation, scale, H, W] over unshifted frequencies; noise_gain: [orientation], energy that white
    noise of power 1 leaves in the sum of an orientation's even filters over that in its smallest filter."""

    filters: np.ndarray
    noise_gain: np.ndarray


def phase_congruency(picture: np.ndarray) -> np.ndarray:
    """PC2 (H, W), 0 to 1, of a picture 0..255; 0 where nothing stands out of the noise. The border wraps around."""
    bank = filter_bank(picture.shape)
    spectrum = fft.fft2(picture)
    energy, amplitude = np.zeros(picture.shape), np.full(picture.shape, EPSILON)
    for filters, gain in zip(bank.filters, bank.noise_gain, strict=True):
        responses = fft.ifft2(spectrum * filters)
        energy += np.maximum(_agreement(responses) - _noise_threshold(responses[0], gain), 0)
        amplitude += np.abs(responses).sum(0)
    return energy / amplitude


@lru_cache(maxsize=4)
def filter_bank(shape: tuple[int, int]) -> Bank:
    """The filters for pictures of this shape, kept for the next one."""
    radius, angle = _polar(shape)
    radial, angular = _log_gabor(radius), _orientations(angle)
    filters = angular[:, None] * radial[None]
    even = fft.ifft2(filters.sum(1)).real * np.sqrt(radius.size)
    return Bank(filters, np.sum(even**2, axis=(1, 2)) / np.sum(filters[:, 0] ** 2, axis=(1, 2)))


def _polar(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Frequency in cycles per pixel and direction, unshifted. Odd sizes are divided by n - 1, as in the original."""
    y, x = (fft.ifftshift((np.arange(n) - n // 2) / max(n - n % 2, 1)) for n in shape)
    return np.hypot(x[None], y[:, None]), np.arctan2(-y[:, None], x[None])


def _log_gabor(radius: np.ndarray) -> np.ndarray:
    """[scale, H, W], 0 at frequency 0."""
    center = 1 / (SHORTEST_PX * RATIO ** np.arange(SCALES))[:, None, None]
    lowpass = 1 / (1 + (radius / CUTOFF) ** (2 * ORDER))
    log_ratio = np.log(np.where(radius > 0, radius, 1) / center)
    return np.where(radius > 0, lowpass * np.exp(-(log_ratio**2) / (2 * np.log(SIGMA_ON_F) ** 2)), 0)


def _orientations(angle: np.ndarray) -> np.ndarray:
    """[orientation, H, W]: Gaussian of the angular distance to each orientation, on one half of the plane."""
    turned = angle - (np.arange(ORIENTATIONS) * np.pi / ORIENTATIONS)[:, None, None]
    distance = np.abs((turned + np.pi) % (2 * np.pi) - np.pi)
    return np.exp(-(distance**2) / (2 * THETA_SIGMA**2))


def _agreement(responses: np.ndarray) -> np.ndarray:
    """Sum over scales of A (cos - |sin|) of each response's deviation from the mean phase (Kovesi, eq. 14)."""
    mean = responses.sum(0)
    aligned = responses * np.conj(mean / (np.abs(mean) + EPSILON))
    return np.sum(aligned.real - np.abs(aligned.imag), axis=0)


def _noise_threshold(smallest: np.ndarray, gain: float) -> float:
    """The energy that noise alone reaches (Kovesi, eqs. 18 to 21): its magnitude is Rayleigh distributed."""
    mean_squared = np.median(np.abs(smallest) ** 2) / np.log(2)  # mean of an exponential from its median
    rayleigh = np.sqrt(mean_squared * gain)
    return rayleigh * (np.sqrt(np.pi / 2) + NOISE_SIGMAS * np.sqrt(2 - np.pi / 2)) / NOISE_SCALE
