"""J-invariance: judging a denoiser by noisy pixels alone (Batson and Royer, Noise2Self, 2019).

A function f is J-invariant if its output on a group of pixels J does not depend on the input on J.
For noise that is independent between J and the rest, with E[y | x] = x (their proposition 1):

    E |f(y) - y|^2  =  E |f(y) - x|^2  +  E |y - x|^2
    self-supervised        true             noise
         loss              loss            variance

The first can be measured without a clean image, and ranks denoisers as the second does.

Images are arrays [H, W] or [H, W, C] of floats; integers become floats of the same values.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy import ndimage
from skimage.restoration import denoise_invariant

from dnlib.filters.classical import Filter, Setting, channel_axis, checked_mask, disk, floats, per_channel
from dnlib.filters.threads import cores, in_threads


def donut(radius: int) -> np.ndarray:
    """A disk without its centre: whatever is computed over it ignores the pixel itself."""
    footprint = disk(radius)
    footprint[radius, radius] = False
    return footprint


def donut_median(image: np.ndarray, radius: int) -> np.ndarray:
    """The median over a donut, channel by channel: it ignores each pixel's own value, at borders too.

    It is J-invariant for J = any single pixel, in one pass.

    Parameters
    ----------
    image
        [H, W] or [H, W, C], larger than the radius.
    radius
        Of the donut, in pixels, at least 1.

    Raises
    ------
    ValueError
        For another radius, an image no larger than it, or for what is no finite image of real numbers.

    References
    ----------
    Batson, Royer: Noise2Self, ICML 2019.

    Examples
    --------
    >>> image = np.random.default_rng(0).random((9, 9))
    >>> changed = image.copy()
    >>> changed[4, 4] = 100
    >>> bool(donut_median(image, 2)[4, 4] == donut_median(changed, 2)[4, 4])
    True
    """
    footprint, inside = donut(radius), slice(radius, -radius)

    def filter(plane):
        return ndimage.median_filter(blind_pad(plane, radius), footprint=footprint)[inside, inside]

    return per_channel(filter, floats(image))


def blind_pad(image: np.ndarray, radius: int) -> np.ndarray:
    """Extend [H, W] by `radius` on each side so that no window of that radius meets its own centre again.

    A mirrored border would let it: from the second row, two rows up is the second row. Instead the
    rows next to the border are repeated in their own order, 1, 2, ..., radius | 0, 1, 2, ...
    """
    for axis, size in enumerate(image.shape):
        if size <= radius:
            raise ValueError(f"an image of shape {list(image.shape)} is too small for a radius of {radius}")
        order = [*range(1, radius + 1), *range(size), *range(size - radius - 1, size - 1)]
        image = np.take(image, order, axis=axis)
    return image


def grid_masks(shape: tuple[int, int], stride: int = 4) -> Iterator[np.ndarray]:
    """The stride^2 phases of a grid; together they hold every pixel once.

    Parameters
    ----------
    shape
        Height and width.
    stride
        Of the grid, at least 2: with 1 every pixel would be hidden at once.

    Yields
    ------
    numpy.ndarray
        Boolean masks [H, W].

    Examples
    --------
    >>> [int(mask.sum()) for mask in grid_masks((4, 5), stride=2)]
    [6, 4, 6, 4]
    """
    if stride < 2:
        raise ValueError(f"a grid needs a stride >= 2 (1 would hide every pixel at once); {stride} was given")
    rows, columns = np.indices(shape)
    for phase in range(stride**2):
        yield (rows % stride == phase // stride) & (columns % stride == phase % stride)


def neighbour_mean(image: np.ndarray) -> np.ndarray:
    """Each pixel replaced by the mean of its four neighbours; borders are mirrored.

    Parameters
    ----------
    image
        [H, W] or [H, W, C].

    Examples
    --------
    >>> neighbour_mean(np.array([[0, 4, 0], [8, 1, 0], [0, 4, 0]]))[1, 1]
    np.float64(4.0)
    """
    image = floats(image)
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=image.dtype) / 4
    return ndimage.convolve(image, kernel if image.ndim == 2 else kernel[..., None], mode="mirror")


def invariant(filter: Filter, image: np.ndarray, *, masks: Iterable[np.ndarray] | None = None, **setting) -> np.ndarray:
    """Make any filter J-invariant: the result on each group of pixels does not depend on the image there.

    f(y)_J = g(y with J filled from its neighbours)_J for the filter g, stitched together over all J: what
    `skimage.restoration.denoise_invariant` does.

    Parameters
    ----------
    filter
        Any; it is called once per group, from several threads at once. (torch's grad mode is not passed on to them.)
    image
        [H, W] or [H, W, C].
    masks
        The groups J, boolean [H, W], which together hold every pixel once; by default the 16 phases of a 4x4 grid.
        No two pixels of a group should be neighbours: they would be filled from each other.
    **setting
        The filter's arguments.

    Raises
    ------
    ValueError
        For masks that do not hold every pixel once, or for what is no finite image of real numbers.

    References
    ----------
    Batson, Royer: Noise2Self, ICML 2019.

    Examples
    --------
    >>> from dnlib.filters import total_variation
    >>> image = np.random.default_rng(0).random((12, 12))
    >>> invariant(total_variation, image, weight=0.2).shape
    (12, 12)
    """
    image = floats(image)
    height_width = image.shape[:2]
    masks = [np.asarray(mask, bool) for mask in (grid_masks(height_width) if masks is None else masks)]
    if any(mask.shape != height_width for mask in masks) or np.any(sum(mask.astype(int) for mask in masks) != 1):
        raise ValueError(f"masks are boolean arrays {list(height_width)} that together hold every pixel once")
    at_once = min(cores(), len(masks))
    shares = [masks[first::at_once] for first in range(at_once)]
    return sum(in_threads(lambda share: blindly(filter, image, setting, share), shares))


def blindly(filter: Filter, image: np.ndarray, setting: Setting, masks: list[np.ndarray] | None = None) -> np.ndarray:
    """A filter's result on each group of pixels, the image there filled from its neighbours; 0 outside of all masks.

    Without masks on the 16 phases of a 4x4 grid.
    """
    return denoise_invariant(
        image,
        lambda image, channel_axis: filter(image, **setting),
        masks=masks,
        denoiser_kwargs={"channel_axis": channel_axis(image)},  # by which scikit-image, too, knows colours
    )


def self_supervised_loss(estimate: np.ndarray, noisy: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Mean squared difference between an estimate and the noisy image.

    It means something only if the estimate is J-invariant: a copy of the noisy image would score zero.

    Parameters
    ----------
    estimate, noisy
        [H, W] or [H, W, C], of equal shape.
    mask
        Boolean, [H, W] or of the image's shape: what counts, by default all.

    Raises
    ------
    ValueError
        For different shapes, or a mask of no pixels.

    References
    ----------
    Batson, Royer: Noise2Self, ICML 2019, proposition 1.

    Examples
    --------
    >>> self_supervised_loss(np.zeros((2, 2)), np.array([[0, 2], [4, 0]]))
    5.0
    """
    _check_alike(estimate, noisy)
    if mask is not None:
        mask = checked_mask(mask, noisy)
        estimate, noisy = estimate[mask], noisy[mask]
    if np.size(noisy) == 0:
        raise ValueError(f"a loss is a mean over at least one pixel; estimate and mask leave {np.shape(noisy)}")
    return float(np.mean((estimate.astype(np.float64) - noisy) ** 2))


def mixing_weight(noise_variance: float, loss: float) -> float:
    """How much of a J-invariant estimate to keep when the noisy pixel is mixed back: lambda = sigma^2 / L.

    The errors of the estimate f and of the noisy pixel y are uncorrelated, with mean squares V = L - sigma^2 and
    U = sigma^2; the best average weighs f with U / (U + V) = sigma^2 / L. (The paper's supplement swaps the two roles
    in one place.)

    Parameters
    ----------
    noise_variance
        sigma^2, above 0.
    loss
        The self-supervised loss L, above 0, in the same units.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    ValueError
        Unless both are positive.

    References
    ----------
    Batson, Royer: Noise2Self, ICML 2019, supplement.

    Examples
    --------
    >>> mixing_weight(0.25, 0.5)
    0.5
    """
    if not (noise_variance > 0 and loss > 0):
        raise ValueError(f"noise variance and loss must be > 0; {noise_variance:.4g} and {loss:.4g} were given")
    return min(1.0, noise_variance / loss)


def mix(estimate: np.ndarray, noisy: np.ndarray, weight: float) -> np.ndarray:
    """The average weight * estimate + (1 - weight) * noisy, of arrays or tensors.

    Parameters
    ----------
    estimate, noisy
        Of equal shape.
    weight
        Of the estimate, as `mixing_weight` gives it.

    Raises
    ------
    ValueError
        For different shapes.

    Examples
    --------
    >>> mix(np.array([[1.0]]), np.array([[2.0]]), 0.75).tolist()
    [[1.25]]
    """
    _check_alike(estimate, noisy)
    return weight * estimate + (1 - weight) * noisy


def _check_alike(estimate, noisy) -> None:
    if estimate.shape != noisy.shape:
        raise ValueError(
            f"estimate and noisy image have one shape; {list(estimate.shape)} and {list(noisy.shape)} were given"
        )
