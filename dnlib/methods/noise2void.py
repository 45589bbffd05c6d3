"""Noise2Void (Krull et al. 2019), StructN2V (Broaddus et al. 2020), and the training side of N2V2 (Hoeck et al. 2022).

A few pixels of the noisy image are hidden, each overwritten by something else, and the network is asked for the
noisy values that were there. If noise is independent from pixel to pixel and of mean zero, the best answer is the
clean value.

A *manipulator* says what is written: manipulator(image, places, radius, generator) -> values [K] for the K pixels
`places` [K, 4] (image, channel, row, column) of `image` [N, C, H, W]. The neighbourhood of radius r is the
(2r + 1) x (2r + 1) window, cut at the borders.
"""

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from torch import Generator, Tensor, nn

from dnlib.images import one_of
from dnlib.methods.base import Estimate, Method
from dnlib.methods.batch import Batch

Manipulator = Callable[[Tensor, Tensor, int, Generator], Tensor]


def uniform_withCP(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """A random pixel of the window, the centre included: with probability 1 / (2r + 1)^2 nothing is hidden."""
    return _pick(*windows(image, places, radius), generator)


def uniform_withoutCP(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """A random pixel of the window, never the centre."""
    return _pick(*windows(image, places, radius, centre=False), generator)


def median(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """The median of the window without its centre (N2V2)."""
    window, others = windows(image, places, radius, centre=False)
    return window.masked_fill(~others, float("nan")).nanquantile(0.5, dim=1)


def mean(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """The mean of the window without its centre (N2V2)."""
    window, others = windows(image, places, radius, centre=False)
    return (window * others).sum(dim=1) / others.sum(dim=1)


def normal_withoutCP(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """The pixel at a normal offset of deviation 4, whatever the radius.

    As published it does *not* leave out the centre, for all its name: the test that should never comes true.
    """
    offsets = torch.randn((len(places), 2), generator=generator, device=image.device) * 4
    height, width = image.shape[2:]
    rows = (places[:, 2] + offsets[:, 0]).round().clamp(0, height - 1).long()
    columns = (places[:, 3] + offsets[:, 1]).round().clamp(0, width - 1).long()
    return image[places[:, 0], places[:, 1], rows, columns]


def normal_additive(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """The pixel itself plus normal noise of deviation 1 (of the normalised image)."""
    values = image[tuple(places.T)]
    return values + torch.randn(values.shape, generator=generator, device=image.device)


def normal_fitted(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """A normal number with mean and deviation of the window, the centre included."""
    window, inside = windows(image, places, radius)
    count = inside.sum(dim=1)
    centre = (window * inside).sum(dim=1) / count
    variance = ((window - centre[:, None]) ** 2 * inside).sum(dim=1) / count
    return centre + variance.sqrt() * torch.randn(centre.shape, generator=generator, device=image.device)


def identity(image: Tensor, places: Tensor, radius: int, generator: Generator) -> Tensor:
    """The pixel itself: nothing is hidden, and the network learns to copy."""
    return image[tuple(places.T)]


_ALL = (uniform_withCP, uniform_withoutCP, median, mean, normal_withoutCP, normal_additive, normal_fitted, identity)
MANIPULATORS: dict[str, Manipulator] = {one.__name__: one for one in _ALL}


def stratified_places(shape: torch.Size, share: float, generator: Generator) -> Tensor:
    """About `share` of the pixels, one at random in each box of a grid.

    Drawn for each channel on its own. Boxes have the side round(1 / sqrt(share)); what falls outside is dropped.

    Parameters
    ----------
    shape : torch.Size
        Of images [N, C, H, W].
    share : float
        In (0, 1].
    generator : torch.Generator
        Where all randomness comes from.

    Returns
    -------
    Tensor [K, 4] of int
        Image, channel, row and column of each.

    Examples
    --------
    >>> stratified_places((1, 1, 8, 8), 1 / 16, torch.Generator()).shape
    torch.Size([4, 4])
    """
    count, channels, height, width = shape
    box = round(share**-0.5)
    grid = torch.cartesian_prod(
        *(torch.arange(n, device=generator.device) for n in (count, channels, -(-height // box), -(-width // box)))
    )
    grid[:, 2:] = grid[:, 2:] * box + torch.randint(box, (len(grid), 2), generator=generator, device=generator.device)
    return grid[(grid[:, 2] < height) & (grid[:, 3] < width)]


def windows(image: Tensor, places: Tensor, radius: int, *, centre: bool = True) -> tuple[Tensor, Tensor]:
    """The values around each place [K, (2r + 1)^2], and which of them may be written there [K, (2r + 1)^2].

    These are the values inside the image; without `centre`, the place itself is not one of them.
    """
    reach = torch.arange(-radius, radius + 1, device=image.device)
    height, width = image.shape[2:]
    rows = (places[:, 2, None] + reach)[:, :, None].expand(-1, -1, len(reach)).flatten(1)
    columns = (places[:, 3, None] + reach)[:, None, :].expand(-1, len(reach), -1).flatten(1)
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    inside[:, inside.shape[1] // 2] &= centre
    index = places[:, 0, None], places[:, 1, None], rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    return image[index], inside


class Noise2Void(Method):
    """The network estimates a few hidden pixels. Loss: the mean of |f(masked y) - y|^p over these.

    Parameters
    ----------
    network : nn.Module
        Takes images normalised to mean 0 and deviation 1, such as Noise2VoidUNet.
    manipulator : str
        What hidden pixels show: a name of `MANIPULATORS`.
    radius : int
        Of its window.
    share : float
        Of pixels hidden per step (0.198 %), in (0, 1/4].
    struct : array of 0 and 1, optional
        A kernel with odd sides (StructN2V): its ones, centre excepted, are overwritten around every hidden pixel by
        U[-2, 2], so that noise which is correlated along them cannot be copied (train with `Crops(turn=False)`).
    power : {1, 2}
        Of the difference.
    mean, deviation : float
        Of the images, all channels alike, to normalise by.

    Raises
    ------
    ValueError
        For an unknown manipulator, a share outside (0, 1/4], a kernel with an even side.

    References
    ----------
    Krull, Buchholz, Jug, Noise2Void, CVPR 2019. Broaddus et al., StructN2V, ISBI 2020. Hoeck et al., N2V2, ECCV
    workshops 2022.

    Examples
    --------
    >>> from dnlib.networks import Noise2VoidUNet
    >>> method = Noise2Void(Noise2VoidUNet(1, 8), struct=[1, 1, 0, 1, 1])
    >>> method.denoise(torch.rand(1, 1, 21, 30)).mean.shape
    torch.Size([1, 1, 21, 30])
    """

    needs: ClassVar = frozenset({"noisy"})

    def __init__(
        self,
        network: nn.Module,
        *,
        manipulator: str = "uniform_withCP",
        radius: int = 2,
        share: float = 0.00198,
        struct: np.ndarray | list[list[int]] | None = None,
        power: int = 2,
        mean: float = 0.5,
        deviation: float = 0.25,
    ):
        super().__init__(network)
        one_of(manipulator, MANIPULATORS, "the manipulator")
        if radius < 1 or not 0 < share <= 0.25 or power not in (1, 2) or not deviation > 0:
            raise ValueError(
                f"radius >= 1, a share in (0, 1/4], power 1 or 2 and deviation > 0 are accepted; "
                f"radius {radius}, share {share}, power {power}, deviation {deviation} were given"
            )
        self.manipulator, self.radius, self.share, self.power = MANIPULATORS[manipulator], radius, share, power
        self.offsets = None if struct is None else _offsets(np.asarray(struct))
        self.mean, self.deviation = mean, deviation

    def loss(self, batch: Batch) -> Tensor:
        image = (batch.noisy - self.mean) / self.deviation
        places = stratified_places(image.shape, self.share, batch.generator)
        masked = self.hide(image, places, batch.generator)
        hidden = tuple(places.T)
        difference = self.network(masked)[hidden] - image[hidden]
        return (difference.abs() ** self.power).sum() / max(1, len(places))  # a small crop may have none

    def hide(self, image: Tensor, places: Tensor, generator: Generator) -> Tensor:
        """The image with `places` overwritten by the manipulator, and around them what `struct` names."""
        masked = image.clone()
        if self.offsets is not None:
            around = places.repeat_interleave(len(self.offsets), dim=0)
            around[:, 2:] += self.offsets.to(image.device, non_blocking=True).repeat(len(places), 1)
            (row, column), (height, width) = around[:, 2:].T, image.shape[2:]
            around = around[(row >= 0) & (row < height) & (column >= 0) & (column < width)]
            values = 4 * torch.rand(len(around), generator=generator, device=image.device) - 2
            masked[tuple(around.T)] = values.to(image.dtype)
        masked[tuple(places.T)] = self.manipulator(image, places, self.radius, generator).to(image.dtype)
        return masked

    def estimate(self, noisy: Tensor) -> Estimate:
        """One pass over the whole noisy image, nothing hidden: as published, and not J-invariant."""
        return Estimate(self.network((noisy - self.mean) / self.deviation) * self.deviation + self.mean)


def _pick(window: Tensor, allowed: Tensor, generator: Generator) -> Tensor:
    choice = torch.multinomial(allowed.float(), 1, generator=generator)
    return window.gather(1, choice)[:, 0]


def _offsets(kernel: np.ndarray) -> Tensor:
    """The places of the ones relative to the centre [S, 2], without the centre."""
    if kernel.ndim == 1:
        kernel = kernel[None]
    if kernel.ndim != 2 or not all(side % 2 for side in kernel.shape) or not set(np.unique(kernel)) <= {0, 1}:
        raise ValueError(f"a StructN2V kernel holds zeros and ones and has odd sides; {kernel.tolist()} was given")
    offsets = np.argwhere(kernel) - np.array(kernel.shape) // 2
    return torch.from_numpy(offsets[offsets.any(axis=1)])
