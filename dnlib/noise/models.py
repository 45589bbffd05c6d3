"""What every noise model shares: how strong it is, in which unit, and how it draws.

Every model draws from images in [0, 1] and never clips: clipping makes the mean of the noise depend on the image, and
self-supervised methods rest on noise whose mean is zero.
"""

import copy
import math
from numbers import Real
from typing import ClassVar, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Generator, Tensor

Strength = TypeVar("Strength", float, np.ndarray, Tensor)


class NoisyImage(NamedTuple):
    """Noisy images and how strong the noise of each is.

    Parameters
    ----------
    image : Tensor [N, C, H, W]
        The noisy images, not clipped.
    parameter : Tensor [N]
        The strength in internal units (see `Noise`): sigma / 255, lambda, iso or alpha of each image.

    Examples
    --------
    >>> from dnlib.noise import Gaussian
    >>> noisy, parameter = Gaussian(51).sample(torch.zeros(2, 3, 8, 8))
    >>> parameter
    tensor([0.2000, 0.2000])
    """

    image: Tensor
    parameter: Tensor


class Noise:
    """A noise model: subclass it and define `corrupt`.

    The strength of noise is a number in one of two units. *Paper units* are what users write and read: sigma in 8-bit
    units, lambda, alpha, iso. *Internal units*, those of `NoisyImage.parameter`, fit images in [0, 1]: sigma / 255, and
    all else as in the papers. `to_internal` and `to_paper` are the only bridge. A model's repr says all that decides
    what it draws, and `read_noise` makes a model of it again, if it is one of this room.

    Parameters
    ----------
    what : str
        What the strength is called, such as sigma or iso; kept, so that no other quantity is taken for it.
    strength : float or (low, high)
        In paper units, > 0; a range is drawn from uniformly, once per image.

    Attributes
    ----------
    strength : (low, high)
        In paper units; both are equal where the strength is one number.
    bounds : (low, high)
        The same in internal units.
    paper_units : float
        How many paper units are one internal unit.

    Raises
    ------
    ValueError
        For a strength that is no number > 0 and no range of them.

    Examples
    --------
    >>> from dnlib.noise import Gaussian
    >>> noise = Gaussian((5, 50))
    >>> noise.strength
    (5.0, 50.0)
    >>> noise.to_internal(25.5), noise.to_paper(0.1)
    (0.1, 25.5)
    >>> noise.sample(torch.full((4, 3, 8, 8), 0.5)).image.shape
    torch.Size([4, 3, 8, 8])

    A model of one's own:

    >>> class Stripes(Noise):
    ...     paper_units = 255
    ...
    ...     def corrupt(self, clean, parameter, generator):
    ...         n, c, h, w = clean.shape
    ...         return clean + per_image(parameter) * torch.randn(n, c, h, 1, generator=generator).to(clean)
    >>> Stripes("sigma", 25).sample(torch.full((1, 3, 8, 8), 0.5)).image.shape
    torch.Size([1, 3, 8, 8])
    """

    paper_units: ClassVar[float] = 1

    def __init__(self, what: str, strength: float | tuple[float, float]):
        self.what, self.strength = what, strength_range(what, strength)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({as_written(self.strength)})"

    @property
    def bounds(self) -> tuple[float, float]:
        low, high = self.strength
        return self.to_internal(low), self.to_internal(high)

    def to_internal(self, parameter: Strength) -> Strength:
        """A strength in paper units (a number, array or tensor), in internal units."""
        return parameter / self.paper_units

    def to_paper(self, parameter: Strength) -> Strength:
        """A strength in internal units (a number, array or tensor), in paper units."""
        return parameter * self.paper_units

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        """Draw one noisy version of each image.

        Parameters
        ----------
        clean : Tensor [N, C, H, W]
            Floats in [0, 1]. Half precision is computed in float32.
        generator : torch.Generator, optional
            Where all randomness comes from; torch's global one if none is given.

        Returns
        -------
        NoisyImage
            Images of the dtype of `clean`, not clipped, and the strength of each in internal units.

        Raises
        ------
        ValueError
            For anything but a float tensor [N, C, H, W], for an empty one.
        """
        return self._draws(clean, 1, generator)[0]

    def pair(self, clean: Tensor, generator: Generator | None = None) -> tuple[NoisyImage, NoisyImage]:
        """Two noisy versions of each image: their noise is of one strength (and kind), and independent.

        Parameters, errors and each of the two are those of `sample`.

        Examples
        --------
        >>> from dnlib.noise import Gaussian
        >>> first, second = Gaussian((5, 50)).pair(torch.zeros(2, 3, 8, 8))
        >>> torch.equal(first.parameter, second.parameter), torch.equal(first.image, second.image)
        (True, False)
        """
        first, second = self._draws(clean, 2, generator)
        return first, second

    def settled(self, generator: Generator | None = None) -> "Noise":
        """The model of one image: what is drawn once per image is drawn now, and only the noise is left to chance.

        Examples
        --------
        >>> from dnlib.noise import Gaussian
        >>> low, high = Gaussian((5, 50)).settled().strength
        >>> low == high
        True
        """
        one = copy.copy(self)
        one.strength = (uniform(self.strength, generator),) * 2
        return one

    def settled_draw(self, clean: Tensor, generator: Generator | None) -> Tensor:
        """Noisy images of a settled model: `corrupt` with the one strength that it has."""
        return self.corrupt(clean, clean.new_full((len(clean),), self.bounds[0]), generator)

    def _draws(self, clean: Tensor, times: int, generator: Generator | None) -> list[NoisyImage]:
        exact = in_full_precision(clean)
        low, high = self.strength
        drawn = torch.full((len(exact),), low, dtype=torch.float32, device=exact.device)
        if low < high:
            drawn = low + (high - low) * torch.rand(len(exact), generator=generator, device=exact.device)
        parameter = self.to_internal(drawn)
        return [NoisyImage(self.corrupt(exact, parameter, generator).to(clean.dtype), parameter) for _ in range(times)]

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        """The noisy images: `clean` [N, C, H, W] is float32 or float64, `parameter` [N] in internal units."""
        raise NotImplementedError


class PerImage(Noise):
    """A noise model of which more than the strength is drawn once per image: subclasses define `settled`.

    The parameter of an image is the standard deviation of the noise that it got, divided by 255 as all deviations are,
    for kinds of noise count their strength in units of their own. An image of a single value has no deviation: 0.
    """

    paper_units = 255

    def __init__(self):
        super().__init__("sigma", (0, 255))

    def _draws(self, clean: Tensor, times: int, generator: Generator | None) -> list[NoisyImage]:
        exact = in_full_precision(clean)
        models = [self.settled(generator) for _ in exact]
        noisy = [
            torch.cat([one.settled_draw(image[None], generator) for one, image in zip(models, exact, strict=True)])
            for _ in range(times)
        ]
        free = min(1, exact[0].numel() - 1)
        return [
            NoisyImage(image.to(clean.dtype), (image - exact).flatten(1).std(dim=1, correction=free)) for image in noisy
        ]


def in_full_precision(images: Tensor, what: str = "clean images are") -> Tensor:
    """Float images [N, C, H, W] in float32, or in float64 if they are; anything else is refused by name."""
    if not isinstance(images, Tensor):
        raise ValueError(f"{what} a tensor; {type(images).__name__} was given: images.to_tensor makes one of an array")
    if images.ndim != 4 or not images.numel() or not images.is_floating_point():
        raise ValueError(
            f"{what} a float tensor [N, C, H, W] with values in [0, 1], not empty; {images.dtype} of shape "
            f"{list(images.shape)} was given"
        )
    return images if images.dtype == torch.float64 else images.float()


def normal(shape: tuple[int, ...], like: Tensor, generator: Generator | None) -> Tensor:
    """Standard normal numbers of a tensor's dtype, on its device."""
    return torch.randn(shape, generator=generator, device=like.device, dtype=like.dtype)


def uniform(bounds: tuple[float, float], generator: Generator | None) -> float:
    """A number of [low, high]; nothing is drawn where both are equal."""
    low, high = bounds
    if low == high:
        return low
    return low + (high - low) * torch.rand((), generator=generator, device=getattr(generator, "device", None)).item()


def per_image(parameter: Tensor) -> Tensor:
    """[N] as [N, 1, 1, 1], to go with images."""
    return parameter[:, None, None, None]


def is_number(value: object, kind: type = Real) -> bool:
    """Whether this is a number of that kind; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def as_range(value: float | tuple[float, float]) -> tuple[float, float] | None:
    """A number, or a range (low, high), as (low, high); None for what is neither."""
    pair = value if isinstance(value, tuple | list) else (value, value)
    ordered = len(pair) == 2 and all(map(is_number, pair)) and pair[0] <= pair[1]
    return (float(pair[0]), float(pair[1])) if ordered else None


def strength_range(what: str, value: float | tuple[float, float]) -> tuple[float, float]:
    """A strength, or a range of it, as (low, high); anything else is refused by name."""
    pair = as_range(value)
    if pair is None or not (pair[0] >= 0 and 0 < pair[1] < math.inf):
        raise ValueError(f"{what} is a number > 0, or a range (low, high) with 0 <= low < high; {value!r} was given")
    return pair


def as_written(value: float | tuple[float, float]) -> str:
    """A number, or a range, as one would write it, to the last digit: 25 and not 25.0, one number where both agree."""
    if isinstance(value, tuple):
        low, high = value
        return as_written(low) if low == high else f"({as_written(low)}, {as_written(high)})"
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)
