"""What happens to a noisy picture before anybody sees it: it is turned, resized, and stored with 8 bits or as JPEG.

Each is wrapped around a noise model and changes its noise only: y = clean + f(noisy) - f(clean), so that no noise stays
none, and the clean picture is what one would see without it.
"""

import io

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor
from torch.nn.functional import interpolate

from dnlib.noise.models import Noise, PerImage, as_range, as_written, uniform


class Around(PerImage):
    """A model around another one, and its setting: a number, or a range that is drawn from once per image."""

    def __init__(self, noise: Noise, setting: tuple[float, float] | None = None):
        super().__init__()
        if not isinstance(noise, Noise):
            raise ValueError(
                f"{type(self).__name__} goes around a noise model, such as Gaussian(25); {noise!r} was given"
            )
        self.noise, self.setting = noise, setting

    def __repr__(self) -> str:
        setting = "" if self.setting is None else f", {as_written(self.setting)}"
        return f"{type(self).__name__}({self.noise}{setting})"

    def settled(self, generator: Generator | None = None) -> Noise:
        setting = self.setting if self.setting is None else (uniform(self.setting, generator),) * 2
        return type(self)(self.noise.settled(generator), setting)


class Resized(Around):
    """Noise drawn at another size, then enlarged or shrunk with its picture: broad, or fine and weak.

    Parameters
    ----------
    noise : Noise
        What is drawn at the other size.
    scale : float or (low, high)
        How many times the other size the picture is, from 0.1 to 10: noise becomes broad above 1. A range is drawn from
        once per image, evenly.

    Raises
    ------
    ValueError
        For a scale beyond these.

    Examples
    --------
    >>> from dnlib.noise import Gaussian
    >>> noise = Resized(Gaussian(25), (1, 3))
    >>> noise.sample(torch.full((1, 3, 16, 16), 0.5)).image.shape
    torch.Size([1, 3, 16, 16])
    """

    def __init__(self, noise: Noise, scale: float | tuple[float, float]):
        super().__init__(noise, _range("a scale", scale, 0.1, 10))

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        scale, size = self.setting[0], tuple(clean.shape[2:])
        other = _resize(clean, [max(3, round(side / scale)) for side in size]).clamp(0, 1)
        return clean + _resize(self.noise.settled_draw(other, generator) - other, size)


class Stored(Around):
    """Noisy pictures as files hold them: clipped to [0, 1], rounded to 8 bits, and compressed if a quality is given.

    Parameters
    ----------
    noise : Noise
        Of the picture that is stored.
    jpeg : float or (low, high), optional
        A quality from 1 to 95, rounded; a range is drawn from once per image.

    Raises
    ------
    ValueError
        For another quality, for JPEG of images without one or three colours.

    Examples
    --------
    >>> from dnlib.noise import Gaussian
    >>> Stored(Gaussian(25)).sample(torch.ones(1, 3, 16, 16)).image.max().item()
    1.0
    """

    def __init__(self, noise: Noise, jpeg: float | tuple[float, float] | None = None):
        super().__init__(noise, None if jpeg is None else _range("a quality of JPEG", jpeg, 1, 95))

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        return clean + self._kept(self.noise.settled_draw(clean, generator)) - self._kept(clean)

    def _kept(self, picture: Tensor) -> Tensor:
        eight_bit = to_eight_bit(picture)
        return eight_bit if self.setting is None else stored_as_jpeg(eight_bit, round(self.setting[0]))


class Turned(Around):
    """Noise turned and mirrored at random: rows become columns, and the pattern of a camera begins with any colour.

    Parameters
    ----------
    noise : Noise
        What is turned.
    way : float or (low, high)
        From 0 to 8; its whole part says how: 1 upside down, 2 mirrored, 4 rows and columns exchanged, and their sums. A
        range is drawn from once per image.

    Raises
    ------
    ValueError
        For another way.

    Examples
    --------
    >>> from dnlib.noise import Lines
    >>> Turned(Lines(10)).sample(torch.full((1, 3, 16, 20), 0.5)).image.shape
    torch.Size([1, 3, 16, 20])
    """

    def __init__(self, noise: Noise, way: float | tuple[float, float] = (0, 8)):
        super().__init__(noise, _range("a way to turn", way, 0, 8))

    def __repr__(self) -> str:
        return f"Turned({self.noise})" if self.setting == (0, 8) else super().__repr__()

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        way = int(self.setting[0]) % 8
        axes = [axis for axis, bit in ((2, 1), (3, 2)) if way & bit]
        turned = clean.flip(axes).transpose(2, 3) if way & 4 else clean.flip(axes)
        noisy = self.noise.settled_draw(turned, generator)
        return (noisy.transpose(2, 3) if way & 4 else noisy).flip(axes)


def to_eight_bit(picture: Tensor) -> Tensor:
    """Clipped to [0, 1] and rounded to 256 steps."""
    return torch.round(255 * picture.clamp(0, 1)) / 255


def stored_as_jpeg(picture: Tensor, quality: int) -> Tensor:
    """Each picture [C, H, W] of one or three colours in [0, 1], stored as JPEG and read again."""
    if picture.shape[1] not in (1, 3):
        raise ValueError(f"JPEG takes pictures of one or three colours; shape {list(picture.shape)} was given")
    results = []
    for image in picture:
        pixels = (255 * image).round().byte().permute(1, 2, 0).cpu().numpy()
        file = io.BytesIO()
        Image.fromarray(pixels.squeeze(2) if len(image) == 1 else pixels).save(file, "JPEG", quality=quality)
        results.append(torch.from_numpy(np.array(Image.open(file)).reshape(pixels.shape)).permute(2, 0, 1))
    return torch.stack(results).to(picture) / 255


def _resize(picture: Tensor, size: tuple[int, int] | list[int]) -> Tensor:
    return interpolate(picture, size=tuple(size), mode="bicubic", antialias=True)


def _range(what: str, value: float | tuple[float, float], lowest: float, highest: float) -> tuple[float, float]:
    """A setting, or a range of it, as (low, high); anything else is refused by name."""
    pair = as_range(value)
    if pair is None or not (lowest <= pair[0] and pair[1] <= highest):
        raise ValueError(
            f"{what} is a number from {lowest} to {highest}, or a range (low, high) of them; {value!r} was given"
        )
    return pair
