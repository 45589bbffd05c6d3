"""J-invariance (Batson and Royer, Noise2Self, 2019): judging a denoiser by noisy pixels alone.

A function f is J-invariant if its output on a group of pixels J does not depend on the input on J.
For noise that is independent between J and the rest, with E[y | x] = x (their proposition 1):

    E |f(y) - y|^2  =  E |f(y) - x|^2  +  E |y - x|^2
    self-supervised        true             noise
         loss              loss            variance

The first can be measured without a clean image, and ranks denoisers as the second does.

Images are float arrays [H, W] or [H, W, C]. A *filter* is any function filter(image, **setting)
that returns an image of the same shape; a *setting* is a dict of its arguments.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage
from skimage.morphology import disk as skimage_disk
from skimage.restoration import calibrate_denoiser, denoise_invariant

Filter = Callable[..., np.ndarray]
Setting = dict[str, Any]


def disk(radius: int) -> np.ndarray:
    """The boolean footprint dy^2 + dx^2 <= radius^2, of shape [2 radius + 1, 2 radius + 1]."""
    if radius < 1:
        raise ValueError(f"a footprint needs a radius >= 1; {radius} was given")
    return skimage_disk(radius).astype(bool)


def donut(radius: int) -> np.ndarray:
    """A disk without its centre: whatever is computed over it ignores the pixel itself."""
    footprint = disk(radius)
    footprint[radius, radius] = False
    return footprint


def median(image: np.ndarray, radius: int) -> np.ndarray:
    """The classic median over a disk, channel by channel; borders are mirrored."""
    footprint = disk(radius)
    return per_channel(lambda plane: ndimage.median_filter(plane, footprint=footprint, mode="mirror"), image)


def donut_median(image: np.ndarray, radius: int) -> np.ndarray:
    """The median over a donut: J-invariant for J = any single pixel, in one pass, at borders too.

    Raises ValueError if the image is not larger than the radius.
    """
    footprint, inside = donut(radius), slice(radius, -radius)

    def filter(plane):
        return ndimage.median_filter(blind_pad(plane, radius), footprint=footprint)[inside, inside]

    return per_channel(filter, image)


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


def per_channel(filter: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    """Apply a filter for [H, W] to each colour of [H, W] or [H, W, C]."""
    if image.ndim == 2:
        return filter(image)
    return np.stack([filter(plane) for plane in np.moveaxis(image, -1, 0)], axis=-1)


def grid_masks(shape: tuple[int, int], stride: int = 4) -> Iterator[np.ndarray]:
    """The stride^2 phases of a grid as boolean masks [H, W]; together they hold every pixel once."""
    if stride < 2:
        raise ValueError(f"a grid needs a stride >= 2 (1 would hide every pixel at once); {stride} was given")
    rows, columns = np.indices(shape)
    for phase in range(stride**2):
        yield (rows % stride == phase // stride) & (columns % stride == phase % stride)


def single_mask(shape: tuple[int, int]) -> np.ndarray:
    """The one group of 16 that `calibrate` looks at unless told to use all (scikit-image's choice)."""
    return list(grid_masks(shape))[8]


def neighbour_mean(image: np.ndarray) -> np.ndarray:
    """Each pixel replaced by the mean of its four neighbours; borders are mirrored."""
    kernel = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype=image.dtype) / 4
    return ndimage.convolve(image, kernel if image.ndim == 2 else kernel[..., None], mode="mirror")


def invariant(filter: Filter, image: np.ndarray, *, masks: Iterable[np.ndarray] | None = None, **setting) -> np.ndarray:
    """Make any filter J-invariant: f(y)_J = filter(y with J filled from its neighbours)_J, stitched over all J.

    masks: the groups J, by default the 16 phases of a 4x4 grid, which costs 16 passes of the filter.
    This is scikit-image's `denoise_invariant`: f(y)_J = g(1_J s(y) + 1_Jc y)_J, with s the mean of four neighbours.
    """
    masks = grid_masks(image.shape[:2]) if masks is None else masks
    return denoise_invariant(
        image,
        lambda image, channel_axis: filter(image, **setting),
        masks=list(masks),
        denoiser_kwargs={"channel_axis": _channel_axis(image)},
    )


def _channel_axis(image: np.ndarray) -> int | None:
    """scikit-image fills J from neighbouring *channels* too unless it is told which axis they are."""
    return -1 if image.ndim == 3 else None


def self_supervised_loss(estimate: np.ndarray, noisy: np.ndarray, mask: np.ndarray | None = None) -> float:
    """Mean squared difference to the noisy image, over `mask` [H, W] if given.

    It means something only if the estimate is J-invariant: a copy of the noisy image would score zero.
    """
    difference = estimate - noisy if mask is None else estimate[mask] - noisy[mask]
    return float(np.mean(difference.astype(np.float64) ** 2))


@dataclass(frozen=True)
class Calibration:
    """A filter's settings and their self-supervised losses, in the order they were tried."""

    settings: tuple[Setting, ...]
    losses: tuple[float, ...]

    @property
    def best(self) -> Setting:
        return self.settings[int(np.argmin(self.losses))]

    @property
    def loss(self) -> float:
        return min(self.losses)

    def __add__(self, other: "Calibration") -> "Calibration":
        """Pool two images of equal size calibrated over the same settings."""
        return Calibration(self.settings, tuple(a + b for a, b in zip(self.losses, other.losses, strict=True)))


def calibrate(
    filter: Filter,
    image: np.ndarray,
    settings: Sequence[Setting],
    *,
    blind: bool = False,
    all_masks: bool = True,
) -> Calibration:
    """Try every setting and measure its self-supervised loss; no clean image is needed.

    blind: the filter ignores each pixel's own value (a donut): one plain pass measures every pixel.
    Otherwise scikit-image makes it J-invariant on a 4x4 grid, in 16 passes.
    all_masks=False: measure on a sixteenth of the pixels only, `single_mask`, in one pass. Losses of two
    filters can be compared only if they were measured on the same pixels, whose noise they share.
    Raises ValueError for no settings or a non-finite image.
    """
    if not settings:
        raise ValueError("no settings were given to choose from")
    if not np.isfinite(image).all():
        raise ValueError("the image holds NaN or infinite values; replace them before calibrating")
    if blind:
        mask = None if all_masks else single_mask(image.shape[:2])
        losses = [self_supervised_loss(filter(image, **setting), image, mask) for setting in settings]
    else:
        # scikit-image takes lists of arguments, we take lists of settings: pass the index.
        _, (_, losses) = calibrate_denoiser(
            image,
            lambda image, index, channel_axis: filter(image, **settings[index]),
            {"index": range(len(settings)), "channel_axis": [_channel_axis(image)]},
            approximate_loss=not all_masks,
            extra_output=True,
        )
    return Calibration(tuple(settings), tuple(float(loss) for loss in losses))


def mixing_weight(noise_variance: float, loss: float) -> float:
    """How much of a J-invariant estimate to keep when the noisy pixel is mixed back: lambda = sigma^2 / L.

    The errors of the estimate f and of the noisy pixel y are uncorrelated, with mean squares V = L - sigma^2
    and U = sigma^2; the best average weighs f with U / (U + V) = sigma^2 / L.
    (The paper's supplement swaps the two roles in one place.) Limited to [0, 1].
    Raises ValueError unless both arguments are positive.
    """
    if not (noise_variance > 0 and loss > 0):
        raise ValueError(f"noise variance and loss must be > 0; {noise_variance:.4g} and {loss:.4g} were given")
    return min(1.0, noise_variance / loss)


def mix(estimate: np.ndarray, noisy: np.ndarray, weight: float) -> np.ndarray:
    """weight * estimate + (1 - weight) * noisy."""
    return weight * estimate + (1 - weight) * noisy
