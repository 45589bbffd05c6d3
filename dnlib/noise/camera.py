"""From light to a photograph: how noise that is independent in the sensor becomes correlated in the picture.

A sensor sees one colour per pixel, behind a mosaic of filters (Bayer: R G / G B). Its noise is that of photon counting
and of reading out: variance shot * x + read^2 for light x. What makes a picture of it, demosaicking above all, spreads
the noise of one pixel over its neighbours and colours.
"""

from numbers import Integral
from typing import Literal

import torch
from torch import Generator, Tensor
from torch.nn import functional

from dnlib.images import one_of
from dnlib.noise.likelihoods import USUAL_ISO, Sensor
from dnlib.noise.models import Noise, as_written, in_full_precision, is_number
from dnlib.noise.stored import stored_as_jpeg, to_eight_bit

BALANCE = (2.0, 1.0, 1.7)  # gains of red, green and blue in daylight, as is usual
MATRIX = ((1.66, -0.54, -0.12), (-0.21, 1.46, -0.25), (0.02, -0.55, 1.53))  # from a sensor's colours to sRGB's


class Camera(Noise):
    """A photograph in sRGB is taken apart into raw light, gets the sensor's noise there, and is developed again.

    y = clean + develop(raw + noise) - develop(raw): what the pipeline does to the clean picture itself cancels out, so
    that a camera without noise changes nothing. Without gamma, 8 bits and JPEG the noise has mean 0. Gamma makes dark
    areas darker on average, clipping brighter.

    Parameters
    ----------
    iso : float or (low, high)
        The sensor's gain, as `Sensor` has it; real cameras have about 40 to 4800. A range is drawn from once per image.
    demosaic : {"malvar", "bilinear", "soft", None}
        How missing colours are filled in: as Malvar, He and Cutler (2004) do, bilinearly, or "soft" with three quarters
        of their correction, which correlates noise as phones do; None for a sensor that sees all colours everywhere.
    balance, matrix, gamma : bool
        Whether the colours are amplified for daylight, mixed, and bent along the curve of sRGB.
    eight_bit : bool
        Whether developed pictures are clipped to [0, 1] and rounded to 256 steps.
    jpeg : int, optional
        A quality from 1 to 95; needs eight_bit.
    black : float, optional
        The sensor's black level (pedestal), in [0, 1): so far below no light its numbers end. Without one (0) what
        noise makes darker than black is lost, and the dark too bright; None never clips.

    Raises
    ------
    ValueError
        For an unknown stage, for one that is neither on nor off, JPEG without 8 bits, a black level outside [0, 1),
        images without three colours.

    References
    ----------
    Brooks et al., Unprocessing Images for Learned Raw Denoising, CVPR 2019.
    Malvar, He, Cutler, High-quality linear interpolation for demosaicing of Bayer-patterned color images, ICASSP 2004.

    Examples
    --------
    >>> camera = Camera(1600, jpeg=90)
    >>> camera.sample(torch.full((1, 3, 16, 16), 0.5)).image.shape
    torch.Size([1, 3, 16, 16])
    >>> camera.expose(torch.full((1, 3, 16, 16), 0.5)).shape  # a mosaic: one colour per pixel
    torch.Size([1, 1, 16, 16])
    """

    def __init__(
        self,
        iso: float | tuple[float, float] = USUAL_ISO,
        *,
        demosaic: Literal["malvar", "bilinear", "soft"] | None = "malvar",
        balance: bool = True,
        matrix: bool = True,
        gamma: bool = True,
        eight_bit: bool = True,
        jpeg: int | None = None,
        black: float | None = None,
    ):
        super().__init__("iso", iso)
        if black is not None and not (is_number(black) and 0 <= black < 1):
            raise ValueError(
                f"a black level is a share of the sensor's range in [0, 1), or None for a sensor that never clips; "
                f"{black!r} was given: divide a level in counts by the largest count"
            )
        for stage, on in {"balance": balance, "matrix": matrix, "gamma": gamma, "eight_bit": eight_bit}.items():
            one_of(on, (True, False), stage)
        self.black = black
        self.demosaic = one_of(demosaic, (*_FILTERS, None), "demosaic")
        if jpeg is not None and not (eight_bit and is_number(jpeg, Integral) and 1 <= jpeg <= 95):
            raise ValueError(f"JPEG has a quality from 1 to 95 and needs eight_bit; {jpeg!r} was given")
        self.balance, self.matrix, self.gamma = balance, matrix, gamma
        self.eight_bit, self.jpeg = eight_bit, None if jpeg is None else int(jpeg)
        self._to_picture = torch.eye(3)  # from the sensor's colours to linear sRGB
        if balance:
            self._to_picture = torch.diag(torch.tensor(BALANCE)) @ self._to_picture
        if matrix:
            self._to_picture = torch.tensor(MATRIX) @ self._to_picture

    def __repr__(self) -> str:
        stages = {name: getattr(self, name) for name in ("demosaic", "balance", "matrix", "gamma", "eight_bit", "jpeg")}
        if self.black is not None:
            stages["black"] = self.black
        return (
            f"Camera({as_written(self.strength)}, {', '.join(f'{name}={value!r}' for name, value in stages.items())})"
        )

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        raw = self.expose(clean)
        noisy = Sensor(self.strength).corrupt(raw, parameter, generator)
        noisy = noisy if self.black is None else noisy.clamp(min=-self.black)
        return clean + self.develop(noisy) - self.develop(raw)

    def expose(self, picture: Tensor) -> Tensor:
        """The raw light of an sRGB picture [N, 3, H, W]: [N, 1, H, W] behind the mosaic, [N, 3, H, W] without one."""
        light = in_full_precision(picture, "pictures are")
        least = 1 if self.demosaic is None else 3
        if light.shape[1] != 3 or min(light.shape[2:]) < least:
            raise ValueError(
                f"a camera takes colour pictures [N, 3, H, W] of floats, with sides of at least {least}; shape "
                f"{list(light.shape)} was given"
            )
        if self.gamma:
            light = torch.where(light <= 0.04045, light / 12.92, ((light.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
        light = _mix(torch.linalg.inv(self._to_picture), light)
        return light if self.demosaic is None else mosaic(light)

    def develop(self, raw: Tensor) -> Tensor:
        """The picture [N, 3, H, W] that the camera makes of raw light, as `expose` gives it."""
        light = in_full_precision(raw, "raw light is")
        light = light if self.demosaic is None else demosaic(light, self.demosaic)
        picture = _mix(self._to_picture, light)
        if self.gamma:
            curve = 1.055 * picture.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
            picture = torch.where(picture <= 0.0031308, 12.92 * picture, curve)
        if self.eight_bit:
            picture = to_eight_bit(picture)
        return picture if self.jpeg is None else stored_as_jpeg(picture, self.jpeg)


def mosaic(light: Tensor) -> Tensor:
    """What a sensor behind Bayer's filters R G / G B records: one colour per pixel.

    Parameters
    ----------
    light : Tensor [N, 3, H, W]
        Red, green and blue light, of any dtype.

    Returns
    -------
    Tensor [N, 1, H, W]
        The values of `light`, unchanged.

    Examples
    --------
    >>> light = torch.tensor([1, 2, 3])[None, :, None, None].expand(1, 3, 2, 2)
    >>> mosaic(light)[0, 0].tolist()
    [[1, 2], [2, 3]]
    """
    if light.ndim != 4 or light.shape[1] != 3:
        raise ValueError(f"a mosaic is made of colours [N, 3, H, W]; shape {list(light.shape)} was given")
    site = _bayer_sites(light.shape[2], light.shape[3], light.device)
    colour = torch.tensor([0, 1, 1, 2], device=light.device)[site]
    return light.gather(1, colour.expand(len(light), 1, -1, -1))


def demosaic(raw: Tensor, kind: Literal["malvar", "bilinear", "soft"] = "malvar") -> Tensor:
    """Fill in the two colours that each pixel of a mosaic lacks.

    Five filters of 5x5 pixels are applied everywhere, and each pixel takes for each colour the one that fits the colour
    it has itself.

    Parameters
    ----------
    raw : Tensor [N, 1, H, W]
        A mosaic R G / G B of floats, of any size from 3x3 up.
    kind : {"malvar", "bilinear", "soft"}
        Malvar, He and Cutler's filters; the mean of the neighbours; three quarters of the one, a quarter of the other.

    Returns
    -------
    Tensor [N, 3, H, W]
        Of the mosaic's dtype; half precision is computed in float32.

    Raises
    ------
    ValueError
        For anything else than such a mosaic, an unknown kind.

    Examples
    --------
    >>> demosaic(torch.rand(1, 1, 7, 9), "bilinear").shape
    torch.Size([1, 3, 7, 9])
    """
    one_of(kind, _FILTERS, "the kind of demosaicking")
    light = in_full_precision(raw, "a mosaic is")
    if light.shape[1] != 1 or min(light.shape[2:]) < 3:
        raise ValueError(f"a mosaic is [N, 1, H, W] with sides of at least 3; shape {list(raw.shape)} was given")
    padded = functional.pad(light, (2, 2, 2, 2), mode="reflect")
    candidates = functional.conv2d(padded, _FILTERS[kind].to(light))
    site = _bayer_sites(light.shape[2], light.shape[3], light.device)
    colours = [candidates.gather(1, best[site].expand(len(raw), 1, -1, -1)) for best in _BEST_FILTER.to(raw.device)]
    return torch.cat(colours, dim=1).to(raw.dtype)


def _filters(green: list, row: list, diagonal: list) -> Tensor:
    """Five filters [5, 1, 5, 5]: the pixel itself, green from around, a colour from the row, column and diagonals."""
    itself = torch.zeros(5, 5)
    itself[2, 2] = 1
    row_filter = torch.tensor(row) / 8
    return torch.stack([itself, torch.tensor(green) / 8, row_filter, row_filter.T, torch.tensor(diagonal) / 8])[:, None]


_FILTERS = {
    "malvar": _filters(
        green=[[0, 0, -1, 0, 0], [0, 0, 2, 0, 0], [-1, 2, 4, 2, -1], [0, 0, 2, 0, 0], [0, 0, -1, 0, 0.0]],
        row=[[0, 0, 0.5, 0, 0], [0, -1, 0, -1, 0], [-1, 4, 5, 4, -1], [0, -1, 0, -1, 0], [0, 0, 0.5, 0, 0]],
        diagonal=[[0, 0, -1.5, 0, 0], [0, 2, 0, 2, 0], [-1.5, 0, 6, 0, -1.5], [0, 2, 0, 2, 0], [0, 0, -1.5, 0, 0]],
    ),
    "bilinear": _filters(
        green=[[0, 0, 0, 0, 0], [0, 0, 2, 0, 0], [0, 2, 0, 2, 0], [0, 0, 2, 0, 0], [0, 0, 0, 0, 0.0]],
        row=[[0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 4, 0, 4, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0.0]],
        diagonal=[[0, 0, 0, 0, 0], [0, 2, 0, 2, 0], [0, 0, 0, 0, 0], [0, 2, 0, 2, 0], [0, 0, 0, 0, 0.0]],
    ),
}
_FILTERS["soft"] = 0.75 * _FILTERS["malvar"] + 0.25 * _FILTERS["bilinear"]
# for red, green and blue: which filter at the sites R, G in R's row, G in B's row, B
_BEST_FILTER = torch.tensor([[0, 2, 3, 4], [1, 0, 0, 1], [4, 3, 2, 0]])


def _bayer_sites(height: int, width: int, device: torch.device) -> Tensor:
    """Where each pixel lies in the pattern: 0 at R, 1 at G in R's row, 2 at G in B's row, 3 at B. [1, 1, H, W]."""
    rows, columns = torch.arange(height, device=device) % 2, torch.arange(width, device=device) % 2
    return (2 * rows[:, None] + columns)[None, None]


def _mix(matrix: Tensor, picture: Tensor) -> Tensor:
    return torch.einsum("ij,njhw->nihw", matrix.to(picture), picture)
