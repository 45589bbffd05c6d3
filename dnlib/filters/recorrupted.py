"""Judging any denoiser by one noisy image, once the covariance of its noise is known; neighbours may share the noise.

For y = x + n with n ~ N(0, S), and z ~ N(0, S) drawn anew, recorrupted pairs y1 = y + a z and y2 = y - z / a have
independent noise, of covariance (1 + a^2) S and (1 + 1 / a^2) S, whatever S is (Pang et al. 2021). So for every f

    E |f(y1) - y2|^2  =  E |f(y1) - x|^2  +  (1 + 1 / a^2) tr S
       what can be          the risk           known
       measured

Doing nothing has the loss |y1 - y2|^2 on the same pair. With r = f(y1) - y1 the difference of the two losses, which
scatters far less than either, is 2 (a + 1/a) z.r + |r|^2, and (a + 1/a) z.r stands for m.r, where m is the noise of y1.
For the blend y1 + w r it is 2 w (a + 1/a) z.r + w^2 |r|^2: a parabola in w.

The smaller a, the closer is y1 to y. In the limit this is Stein's lemma, E n.f(y) = E tr(S J) with f's Jacobian J, and
z.(f(y + a z) - f(y)) / a is its trace by Monte Carlo (Ramani, Blu and Unser 2008): the risk at y itself.

Images are arrays [H, W] or [H, W, C] of floats. All candidates are judged by the same z.
"""

from collections.abc import Callable, Sequence

import numpy as np

from dnlib.filters.classical import checked_mask, floats
from dnlib.filters.risk import Risk, summed

STRENGTH = 0.5  # as published


def recorrupt(noisy, noise, strength: float = STRENGTH):
    """The pair y + a z and y - z / a, whose noise is independent if z is drawn as the noise of y was.

    Parameters
    ----------
    noisy
        Any array or tensor.
    noise
        z, of equal shape.
    strength
        a, above 0.

    Raises
    ------
    ValueError
        For different shapes, another strength.

    References
    ----------
    Pang, Zheng, Quan, Ji: Recorrupted-to-Recorrupted, CVPR 2021.

    Examples
    --------
    >>> first, second = recorrupt(np.array([1.0]), np.array([0.25]), strength=0.5)
    >>> first.tolist(), second.tolist()
    ([1.125], [0.5])
    """
    if noisy.shape != noise.shape:
        raise ValueError(f"noise has the image's shape {list(noisy.shape)}; {list(noise.shape)} was given")
    _check_strength(strength)
    return noisy + strength * noise, noisy - noise / strength


def thin(counts: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Photon counts dealt out to two images: of counts y ~ Poisson(x), Poisson((1 - share) x) and Poisson(share x).

    The two are independent, so one is a target for what is made of the other; their sum is y. An image of another gain
    is divided by it first.

    Parameters
    ----------
    counts
        Whole numbers >= 0 of any shape and any real type that holds them exactly: up to 2048 in float16, 2^24 in
        float32, 2^53 in all wider ones.
    share
        Of the photons that the second image gets, in (0, 1).
    rng
        Where all randomness comes from.

    Raises
    ------
    ValueError
        For counts that are not whole or negative, or too large for their type, another share.

    References
    ----------
    Monroy, Bacca, Tachella: Generalized Recorrupted-to-Recorrupted, CVPR 2025.

    Examples
    --------
    >>> first, second = thin(np.array([0, 7, 1000]), 0.25, np.random.default_rng(0))
    >>> (first + second).tolist()
    [0, 7, 1000]
    """
    counts = np.asarray(counts)
    if not 0 < share < 1:
        raise ValueError(f"a share of the photons lies between 0 and 1; {share} was given")
    if counts.dtype.kind not in "iuf" or not np.all((counts >= 0) & (counts < np.inf) & (counts == np.rint(counts))):
        raise ValueError("photon counts are whole numbers >= 0; others were given: divide the image by its gain")
    exact = min(2**53, 2 ** (np.finfo(counts.dtype).nmant + 1)) if counts.dtype.kind == "f" else 2**53
    if (largest := counts.max(initial=0)) > exact:
        raise ValueError(
            f"photon counts of type {counts.dtype} go up to {exact}, above which they are not exact; {largest:.6g} was "
            f"given: {'scale them' if exact == 2**53 else 'give them as float64'}"
        )
    second = rng.binomial(counts.astype(np.int64), share)
    return (counts - second).astype(counts.dtype), second.astype(counts.dtype)


Denoiser = Callable[[np.ndarray], np.ndarray]


def recorrupted_risk(
    denoise: Denoiser,
    noisy: np.ndarray,
    noises: Sequence[np.ndarray],
    *,
    strength: float = STRENGTH,
    mask: np.ndarray | None = None,
) -> Risk:
    """The risk of a denoiser on y1 = y + a z, whose noise is stronger than the image's by sqrt(1 + a^2).

    Unbiased for any a, if the noise is Gaussian and z is drawn as it was. Since E z.(f(y) - y) = 0, that is subtracted,
    so that a small a does not let z.r / a scatter.

    Parameters
    ----------
    denoise
        Any function from [H, W] or [H, W, C] to the same shape; blind or not.
    noisy
        [H, W] or [H, W, C].
    noises
        One or more drawn z of the image's shape and the covariance of its noise. Give all candidates the same ones:
        then they differ by what they do, not by what was drawn.
    strength
        a, above 0.
    mask
        Boolean, [H, W] or of the image's shape: what counts. The noise of pixels that were clipped has not mean zero;
        leaving them out made no measurable difference to what was chosen (`benchmarks/judge.py`).

    Raises
    ------
    ValueError
        For no noises or some of another shape, another strength, a mask of another shape or of no pixels, a denoiser
        that answers in another shape, or for what is no finite image of real numbers.

    References
    ----------
    Pang, Zheng, Quan, Ji: Recorrupted-to-Recorrupted, CVPR 2021.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy, noise = rng.normal(0.5, 0.1, (2, 64, 64))  # the truth is gray
    >>> recorrupted_risk(lambda y: np.full_like(y, 0.5), noisy, [noise - 0.5]).best_weight.round(1)
    array([1.])
    """
    noisy, noises, mask = _checked(noisy, noises, strength, mask)
    plain, products = _residual(denoise, noisy), []
    for noise in noises:
        shown, _ = recorrupt(noisy, noise, strength)
        residual = _residual(denoise, shown)
        overlap = (strength + 1 / strength) * noise * (residual - plain)
        products.append((overlap, residual**2, (1 + strength**2) * noise**2))
    return summed(products, mask)


def stein_risk(
    denoise: Denoiser,
    noisy: np.ndarray,
    noises: Sequence[np.ndarray],
    *,
    strength: float = 0.1,
    mask: np.ndarray | None = None,
) -> Risk:
    """The risk of a denoiser on the noisy image itself, by Stein's lemma: E n.f(y) = E z.(f(y + a z) - f(y)) / a.

    Unbiased for small a; for linear f, for any a. It needs no more of f than how it answers to a little more noise.

    Parameters
    ----------
    denoise, noisy, noises, mask
        As `recorrupted_risk` takes them.
    strength
        a, above 0. A median answers alike from 0.003 to 0.5; filters that adapt to the noise, such as non-local means,
        drift from 0.3 on.

    Raises
    ------
    ValueError
        As `recorrupted_risk`.

    References
    ----------
    Stein: Estimation of the mean of a multivariate normal distribution, Annals of Statistics, 1981.
    Ramani, Blu, Unser: Monte-Carlo SURE, IEEE TIP, 2008.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> noisy, noise = rng.normal(0.5, 0.1, (2, 64, 64))  # the truth is gray
    >>> risk = stein_risk(lambda y: np.full_like(y, 0.5), noisy, [noise - 0.5])
    >>> abs(risk.at(1)) < 3 * risk.error(1) < 0.002
    True
    """
    noisy, noises, mask = _checked(noisy, noises, strength, mask)
    plain, products = _residual(denoise, noisy), []
    for noise in noises:
        residual = _residual(denoise, noisy + strength * noise)
        products.append((noise * (residual - plain) / strength, plain**2, noise**2))
    return summed(products, mask)


def _residual(denoise: Denoiser, image: np.ndarray) -> np.ndarray:
    estimate = np.asarray(denoise(image))
    if estimate.shape != image.shape:
        raise ValueError(f"a denoiser answers in the image's shape {list(image.shape)}, not {list(estimate.shape)}")
    return estimate - image


def _checked(
    noisy: np.ndarray, noises: Sequence[np.ndarray], strength: float, mask: np.ndarray | None
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray]:
    """The image and what is drawn for it as floats of one type, the mask in the image's shape."""
    noisy = floats(noisy)
    _check_strength(strength)
    noises = [np.asarray(noise, dtype=noisy.dtype) for noise in noises]
    if not noises or any(noise.shape != noisy.shape for noise in noises):
        shapes = ", ".join(str(list(noise.shape)) for noise in noises) or "none"
        raise ValueError(f"one or more noises of the image's shape {list(noisy.shape)} are needed; {shapes} were given")
    mask = checked_mask(np.ones(noisy.shape[:2], bool) if mask is None else mask, noisy)
    return noisy, noises, np.broadcast_to(mask if mask.ndim == noisy.ndim else mask[..., None], noisy.shape)


def _check_strength(strength: float) -> None:
    if not 0 < strength < np.inf:
        raise ValueError(f"a recorrupted pair has a strength > 0; {strength} was given")
