"""Noise that whole rows share."""

from torch import Generator, Tensor

from dnlib.noise.models import Noise, normal, per_image


class Lines(Noise):
    """One number per row, N(0, sigma^2), added to all its pixels and colours alike, as sensors do that read row by row.

    Parameters
    ----------
    sigma : float or (low, high)
        Standard deviation in 8-bit units, > 0; a range is drawn from once per image.

    Examples
    --------
    >>> import torch
    >>> noise = Lines(20).sample(torch.full((1, 3, 4, 4), 0.5)).image - 0.5
    >>> torch.equal(noise, noise[:, :1, :, :1].expand_as(noise))
    True
    """

    paper_units = 255

    def __init__(self, sigma: float | tuple[float, float]):
        super().__init__("sigma", sigma)

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        n, _, h, _ = clean.shape
        return clean + per_image(parameter) * normal((n, 1, h, 1), clean, generator)
