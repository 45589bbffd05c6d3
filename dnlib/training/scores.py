"""PSNR and SSIM of many images, by name, and what is made of them: means, differences, parts of the error."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dnlib.training.parts import Parts


@dataclass(frozen=True)
class Scores:
    """PSNR and SSIM of each image, with the names without which they mean nothing.

    Attributes
    ----------
    names : tuple of str
        Of the images; a name stands once for each draw of noise.
    psnr : tuple of float
        In dB, in the same order.
    ssim : dict
        For each variant, "uniform" and the one that the protocol's papers print, a tuple in the same order.
    protocol : str
        A key of `PROTOCOLS`.
    parts : tuple of Parts
        What the error of each is made of, in the same order.

    Examples
    --------
    >>> scores = Scores(("a", "b"), (30.0, 32.0), {"uniform": (0.8, 0.9)}, "float")
    >>> scores.mean_psnr, round(scores.mean_ssim["uniform"], 6)
    (31.0, 0.85)
    >>> print(scores)
    31.00 dB, SSIM 0.850 (uniform), 2 images, protocol float
    """

    names: tuple[str, ...]
    psnr: tuple[float, ...]
    ssim: dict[str, tuple[float, ...]]
    protocol: str
    parts: tuple[Parts, ...] = ()

    @property
    def by_image(self) -> dict[str, float]:
        """PSNR of each image by its name, in dB: the mean over its draws of noise.

        Examples
        --------
        >>> Scores(("a", "b", "b"), (30.0, 31.0, 33.0), {}, "float").by_image
        {'a': 30.0, 'b': 32.0}
        """
        return _by_name(self.names, self.psnr)

    def above(self, other: "Scores") -> dict[str, float]:
        """How far each image's PSNR lies above its PSNR in other scores, in dB by its name.

        Raises ValueError if other images were scored there: means of unlike images say nothing of two methods.

        Examples
        --------
        >>> noisy, denoised = (Scores(("a", "b"), psnr, {}, "float") for psnr in ((20.0, 21.0), (30.0, 26.5)))
        >>> denoised.above(noisy)
        {'a': 10.0, 'b': 5.5}
        """
        mine, theirs = self.by_image, other.by_image
        if mine.keys() != theirs.keys():
            apart = ", ".join(sorted(mine.keys() ^ theirs.keys()))
            raise ValueError(f"methods are compared image by image; only one of the two was scored on {apart}")
        return {name: value - theirs[name] for name, value in mine.items()}

    @property
    def ssim_by_image(self) -> dict[str, dict[str, float]]:
        """SSIM of each image by variant and name.

        Examples
        --------
        >>> Scores(("a",), (30.0,), {"uniform": (0.8,)}, "float").ssim_by_image
        {'ssim uniform': {'a': 0.8}}
        """
        return {f"ssim {variant}": _by_name(self.names, values) for variant, values in self.ssim.items()}

    @property
    def parts_by_image(self) -> dict[str, dict[str, float]]:
        """Flat, texture (in dB) and colour (in 8-bit units), each by image; images without such pixels are left out.

        Examples
        --------
        >>> found = Parts(30.0, float("nan"), 1.0, 0.0), Parts(31.0, 27.0, 0.5, 0.4)
        >>> Scores(("a", "b"), (29.0, 28.0), {}, "float", found).parts_by_image["texture"]
        {'b': 27.0}
        """
        columns = {part: [getattr(found, part) for found in self.parts] for part in ("flat", "texture", "colour")}
        return {
            part: {name: value for name, value in _by_name(self.names, values).items() if np.isfinite(value)}
            for part, values in columns.items()
        }

    @property
    def mean_parts(self) -> dict[str, float]:
        """Mean over the images that have such pixels; NaN where none has.

        Examples
        --------
        >>> Scores(("a",), (29.0,), {}, "float", (Parts(30.0, 27.0, 1.0, 0.5),)).mean_parts
        {'flat': 30.0, 'texture': 27.0, 'colour': 1.0}
        """
        return {
            part: float(np.mean(list(values.values()))) if values else float("nan")
            for part, values in self.parts_by_image.items()
        }

    @property
    def mean_psnr(self) -> float:
        """Mean over images, in dB."""
        return float(np.mean(self.psnr))

    @property
    def mean_ssim(self) -> dict[str, float]:
        """Mean over images, by variant."""
        return {variant: float(np.mean(values)) for variant, values in self.ssim.items()}

    def __str__(self) -> str:
        ssims = ", ".join(f"{value:.3f} ({variant})" for variant, value in self.mean_ssim.items())
        return f"{self.mean_psnr:.2f} dB, SSIM {ssims}, {len(self.names)} images, protocol {self.protocol}"


def _by_name(names: Sequence[str], values: Sequence[float]) -> dict[str, float]:
    """The mean of what belongs to one name."""
    draws = {name: [] for name in names}
    for name, value in zip(names, values, strict=True):
        draws[name].append(value)
    return {name: float(np.mean(values)) for name, values in draws.items()}
