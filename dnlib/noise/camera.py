"""From light to a photograph: how noise that is independent in the sensor becomes correlated in the picture.

A sensor sees one colour per pixel, behind a mosaic of filters (Bayer: R G / G B). Its noise is that of photon counting
and of reading out: variance shot * x + read^2 for light x. What makes a picture of it, demosaicking above all, spreads
the noise of one pixel over its neighbours and colours.
"""

import io
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor
from torch.nn import functional

from dnlib.noise.models import USUAL_ISO, Noise, NoisyImage, Sensor, _plain, _range

BALANCE = (2.0, 1.0, 1.7)  # gains of red, green and blue in daylight, as is usual
MATRIX = ((1.66, -0.54, -0.12), (-0.21, 1.46, -0.25), (0.02, -0.55, 1.53))  # from a sensor's colours to sRGB's
DEMOSAICS = ("malvar", "bilinear", None)


class Camera(Noise):
    """A photograph in sRGB is taken apart into raw light, gets the sensor's noise there, and is developed again.

    y = clean + develop(raw + noise) - develop(raw): what the pipeline does to the clean picture itself cancels out, so
    that a camera without noise changes nothing. Every stage can be left out:

    demosaic: "malvar" (Malvar, He and Cutler 2004), "bilinear", or None for a sensor that sees all colours everywhere.
    balance: gains for the three colours.   matrix: mixes the colours.   gamma: the curve of sRGB.
    eight_bit: developed pictures are clipped to [0, 1] and rounded to 256 steps.   jpeg: a quality from 1 to 95.
    iso: the sensor's gain, or (low, high) drawn per image. shot = 2.5e-6 iso, and read follows from it by the line that
        Brooks et al. (2019) fitted to real cameras, whose range is about 40 to 4800.
    Without gamma, 8 bits and JPEG the noise has mean 0. Gamma makes dark areas darker on average, clipping brighter.
    Raises ValueError for unknown stages, JPEG without 8 bits, images without three colours.
    """

    def __init__(
        self,
        iso: float | tuple[float, float] = USUAL_ISO,
        *,
        demosaic: Literal["malvar", "bilinear"] | None = "malvar",
        balance: bool = True,
        matrix: bool = True,
        gamma: bool = True,
        eight_bit: bool = True,
        jpeg: int | None = None,
    ):
        self.iso = _range("iso", iso)
        if demosaic not in DEMOSAICS:
            raise ValueError(f"demosaic is malvar, bilinear or None; {demosaic!r} was given")
        if jpeg is not None and not (eight_bit and 1 <= jpeg <= 95):
            raise ValueError(f"JPEG has a quality from 1 to 95 and needs eight_bit; {jpeg!r} was given")
        self.demosaic, self.balance, self.matrix, self.gamma = demosaic, balance, matrix, gamma
        self.eight_bit, self.jpeg = eight_bit, jpeg
        self._forward = torch.eye(3)
        if balance:
            self._forward = torch.diag(torch.tensor(BALANCE)) @ self._forward
        if matrix:
            self._forward = torch.tensor(MATRIX) @ self._forward

    def __repr__(self) -> str:
        stages = {name: getattr(self, name) for name in ("demosaic", "balance", "matrix", "gamma", "eight_bit", "jpeg")}
        return f"Camera({_plain(self.iso)}, {', '.join(f'{name}={value!r}' for name, value in stages.items())})"

    def sample(self, clean: Tensor, generator: Generator | None = None) -> NoisyImage:
        """As every noise model: sRGB photographs [N, 3, H, W] in [0, 1]; the parameter is iso."""
        if clean.ndim != 4 or clean.shape[1] != 3 or not clean.is_floating_point():
            raise ValueError(
                f"a camera takes colour pictures [N, 3, H, W] of floats; {clean.dtype} {list(clean.shape)} was given"
            )
        raw = self.expose(clean)
        noisy, iso = Sensor(self.iso).sample(raw, generator)
        return NoisyImage(clean + self.develop(noisy) - self.develop(raw), iso)

    def expose(self, picture: Tensor) -> Tensor:
        """The raw light of an sRGB picture: [N, 1, H, W] behind the mosaic, [N, 3, H, W] without one."""
        light = picture
        if self.gamma:
            light = torch.where(light <= 0.04045, light / 12.92, ((light.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
        light = _mix(torch.linalg.inv(self._forward), light)
        return light if self.demosaic is None else mosaic(light)

    def develop(self, raw: Tensor) -> Tensor:
        """The picture [N, 3, H, W] that the camera makes of raw light."""
        light = raw if self.demosaic is None else demosaic(raw, self.demosaic)
        picture = _mix(self._forward, light)
        if self.gamma:
            curve = 1.055 * picture.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
            picture = torch.where(picture <= 0.0031308, 12.92 * picture, curve)
        if self.eight_bit:
            picture = torch.round(255 * picture.clamp(0, 1)) / 255
        return picture if self.jpeg is None else _through_jpeg(picture, self.jpeg)


def mosaic(light: Tensor) -> Tensor:
    """What a sensor behind Bayer's filters R G / G B keeps of [N, 3, H, W]: [N, 1, H, W]."""
    seen = _colour_seen(light.shape[2], light.shape[3], light.device)
    return light.gather(1, seen.expand(len(light), 1, -1, -1))


def demosaic(raw: Tensor, kind: Literal["malvar", "bilinear"] = "malvar") -> Tensor:
    """Three colours [N, 3, H, W] from a mosaic [N, 1, H, W], of any size from 3x3 up.

    Five filters of 5x5 pixels are applied everywhere, and each pixel takes for each colour the one that fits its place.
    """
    if raw.ndim != 4 or raw.shape[1] != 1 or min(raw.shape[2:]) < 3:
        raise ValueError(f"a mosaic is [N, 1, H, W] with sides of at least 3; shape {list(raw.shape)} was given")
    filters = _FILTERS[kind].to(raw)
    found = functional.conv2d(functional.pad(raw, (2, 2, 2, 2), mode="reflect"), filters)
    place = _place(raw.shape[2], raw.shape[3], raw.device)
    colours = [found.gather(1, choice[place].expand(len(raw), 1, -1, -1)) for choice in _CHOICE.to(raw.device)]
    return torch.cat(colours, dim=1)


def _filters(green: list, row: list, diagonal: list) -> Tensor:
    """The pixel itself; green from a cross; a colour from left and right, from above and below, from the diagonals."""
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
# for red, green and blue: which filter at the places R, G in R's row, G in B's row, B
_CHOICE = torch.tensor([[0, 2, 3, 4], [1, 0, 0, 1], [4, 3, 2, 0]])


def _place(height: int, width: int, device: torch.device) -> Tensor:
    """0 at R, 1 at G in R's row, 2 at G in B's row, 3 at B: [1, 1, H, W]."""
    rows, columns = torch.arange(height, device=device) % 2, torch.arange(width, device=device) % 2
    return (2 * rows[:, None] + columns)[None, None]


def _colour_seen(height: int, width: int, device: torch.device) -> Tensor:
    return torch.tensor([0, 1, 1, 2], device=device)[_place(height, width, device)]


def _mix(matrix: Tensor, picture: Tensor) -> Tensor:
    return torch.einsum("ij,njhw->nihw", matrix.to(picture), picture)


def _through_jpeg(picture: Tensor, quality: int) -> Tensor:
    """Each picture stored as JPEG and read again."""
    results = []
    for image in picture:
        pixels = (255 * image).round().byte().permute(1, 2, 0).cpu().numpy()
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=quality)
        results.append(torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1))
    return torch.stack(results).to(picture) / 255
