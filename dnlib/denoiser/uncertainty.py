"""How far off a result may be, value by value, whatever denoised it: the spread over fresh draws of the noise.

The result x^ is taken for the truth. Noise z of the kind that was found makes pictures x^ + z, as noisy as the one that
was given; each is denoised in the same way, D, and how far that ends from x^ tells how far x^ is from the truth
(parametric bootstrap; Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 6.5):

    deviation^2  =  T^2 mean_k (D(x^ + z_k) - x^)^2,       averaged over the pixels around

x^ lacks the finest detail of the truth and is easier to denoise, so T > 1; it is 1 where nothing is taken off, for then
D(x^ + z) - x^ is the noise itself. A bias that all pictures like x^ share, the spread does not show.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from dnlib.denoiser.choice import DRAWS
from dnlib.denoiser.choosing import Chosen

AROUND = 2.0  # pixels: squares of few draws are averaged over their surroundings with Gaussian weights of this width
EASIER = 1.23  # T where all that a filter removes is taken off; `benchmarks/uncertainty.py` says how well it holds
EASIER_COUNTS = 1.6  # the same for photon counts, whose filter takes off more detail; too small rather than too large
SEED = 1_993_060_005  # not the judge's: the draws that made a choice look better than others do


def kind_of(chosen: Chosen) -> str:
    """What the uncertainty of a result is made from, as `Choice` has it."""
    if chosen.judged is None:
        return "noise"
    return "posterior" if chosen.judged.candidate.deviation else "spread"


def spread(chosen: Chosen, result: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The standard deviation [H, W, C] of every value of a result, in its own units, float32.

    result: [H, W, C], as `chosen.apply` gives it. inside: [H, W], False where pixels do not count.
    """
    if chosen.judged is None:
        return (chosen.span * np.sqrt(chosen.strength.variance(chosen.range.to_unit(result)))).astype(np.float32)
    rng, power = np.random.default_rng(SEED), np.zeros(result.shape, np.float32)
    for _ in range(DRAWS):
        denoised, _ = chosen.apply(noisy_again(chosen, result, rng), inside)
        power += np.square(denoised - result)
    scale = 1 + ((EASIER_COUNTS if chosen.counts else EASIER) - 1) * chosen.judged.weight
    return (scale * np.sqrt(_around(power / DRAWS, inside))).astype(np.float32)


def noisy_again(chosen: Chosen, result: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A result [H, W, C] with fresh noise of the kind that was found; photons are counted anew."""
    if chosen.counts:
        return rng.poisson(result.clip(0)).astype(np.float64)
    return result + chosen.span * chosen.strength.draw(chosen.range.to_unit(result), rng)


def _around(power: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """The mean of [H, W, C] over the pixels around each that count; 0 where none does."""
    counts = inside[..., None].astype(np.float32)
    widths = (AROUND, AROUND, 0)
    total, share = gaussian_filter(power * counts, widths), gaussian_filter(counts, widths)
    return np.divide(total, share, out=np.zeros_like(power), where=share > 1e-6)
