"""What clean photographs look like beyond those one has: smaller or larger, softer, darker, gray."""

import math

import torch
from torch import Generator, Tensor
from torch.nn.functional import conv2d, interpolate, pad


class Appearance:
    """Changes clean crops at random before noise is drawn, each crop in its own way.

    A data set of sharp daylight photographs of one size teaches a network what it then expects everywhere. With
    probability 1/2 each, a crop is resized, softened and darkened.

    Parameters
    ----------
    scale : (low, high)
        How many times a crop is enlarged, 0.5 to 2 or less far; below 1 it is shrunk, and cut from a larger one.
    blur : float
        Largest standard deviation of the Gaussian that softens, in pixels.
    light : float
        In (0, 1]: the smallest factor by which pictures are darkened; factors are drawn evenly on a logarithmic scale.
    gray : float
        Probability of a colour picture in gray, its colours equal.

    Raises
    ------
    ValueError
        For a setting outside these.

    Examples
    --------
    >>> appearance = Appearance(light=0.2)
    >>> appearance
    Appearance(scale=(0.5, 2), blur=1.2, light=0.2, gray=0.1)
    >>> appearance.cut(16), appearance.change(torch.rand(2, 3, 32, 32), 16).shape
    (32, torch.Size([2, 3, 16, 16]))
    """

    def __init__(
        self, *, scale: tuple[float, float] = (0.5, 2), blur: float = 1.2, light: float = 0.1, gray: float = 0.1
    ):
        if not (len(scale) == 2 and 0.5 <= scale[0] <= 1 <= scale[1] <= 2):
            raise ValueError(f"crops are resized between 0.5 and 2 times, (low, high) around 1; {scale!r} was given")
        if not (0 <= blur <= 8 and 0 < light <= 1 and 0 <= gray <= 1):
            raise ValueError(
                f"blur lies in [0, 8] pixels, light in (0, 1] and gray in [0, 1]; {blur}, {light} and {gray} were given"
            )
        self.scale, self.blur, self.light, self.gray = tuple(scale), blur, light, gray

    def __repr__(self) -> str:
        return f"Appearance(scale={self.scale}, blur={self.blur}, light={self.light}, gray={self.gray})"

    def cut(self, size: int) -> int:
        """The side of the crops to change, in pixels, for results of `size`."""
        return math.ceil(size / self.scale[0])

    def change(self, crops: Tensor, size: int, generator: Generator | None = None) -> Tensor:
        """Crops [N, C, cut(size), cut(size)] in [0, 1], changed: [N, C, size, size] in [0, 1]."""
        device = getattr(generator, "device", None)
        drawn = torch.rand((len(crops), 7), generator=generator, device=device, dtype=torch.float64).tolist()
        return torch.cat(
            [self._changed(crop[None], size, *numbers) for crop, numbers in zip(crops, drawn, strict=True)]
        )

    def _changed(self, crop: Tensor, size: int, *drawn: float) -> Tensor:
        resized, softened, darkened, to_gray, how_large, how_soft, how_dark = drawn
        low, high = self.scale
        side = round(size / (low * (high / low) ** how_large)) if resized < 0.5 else size
        crop = crop[:, :, :side, :side]
        if side != size:
            crop = interpolate(crop, size=(size, size), mode="bicubic", antialias=True).clamp(0, 1)
        if softened < 0.5 and self.blur:
            crop = _softened(crop, self.blur * how_soft)
        if darkened < 0.5:
            crop = crop * self.light**how_dark
        if to_gray < self.gray:
            crop = crop.mean(dim=1, keepdim=True).expand_as(crop)
        return crop


def _softened(crop: Tensor, sigma: float) -> Tensor:
    reach = max(1, math.ceil(3 * sigma))
    along = torch.arange(-reach, reach + 1, dtype=crop.dtype, device=crop.device)
    weights = torch.exp(-(along**2) / (2 * max(sigma, 0.1) ** 2))
    kernel = (torch.outer(weights, weights) / weights.sum() ** 2)[None, None].expand(crop.shape[1], 1, -1, -1)
    padded = pad(crop, (reach,) * 4, mode="reflect")
    return conv2d(padded, kernel, groups=crop.shape[1])
