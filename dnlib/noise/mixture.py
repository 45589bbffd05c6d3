"""Noise whose kind differs from image to image, as in the photographs of the world: mixtures and sums of models."""

import math
from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from dnlib.noise.models import Noise, PerImage, as_written, is_number


class Mixture(PerImage):
    """Each image gets the noise of one of several models.

    Parameters
    ----------
    models : sequence of Noise
        At least one.
    weights : sequence of float, optional
        How often each is drawn, >= 0, of any sum > 0; equally often if not given.

    Raises
    ------
    ValueError
        For anything but noise models, and for weights that are not one for each.

    Examples
    --------
    >>> from dnlib.noise import Gaussian, Poisson
    >>> noise = Mixture([Gaussian((0, 50)), Poisson(30)], [3, 1])
    >>> noise
    Mixture([Gaussian((0, 50)), Poisson(30)], [3, 1])
    >>> noise.sample(torch.full((4, 3, 8, 8), 0.5)).image.shape
    torch.Size([4, 3, 8, 8])
    """

    def __init__(self, models: Sequence[Noise], weights: Sequence[float] | None = None):
        super().__init__()
        self.models = _all_noise(models, "a mixture")
        self.weights = [1.0] * len(self.models) if weights is None else _checked(weights, len(self.models))

    def __repr__(self) -> str:
        weights = "" if len(set(self.weights)) == 1 else f", [{', '.join(map(as_written, self.weights))}]"
        return f"Mixture({self.models}{weights})"

    def settled(self, generator: Generator | None = None) -> Noise:
        device = getattr(generator, "device", None)
        weights = torch.tensor(self.weights, dtype=torch.float64, device=device)
        return self.models[torch.multinomial(weights, 1, generator=generator).item()].settled(generator)


class Sum(PerImage):
    """The noise of several models, each drawn for the same clean image, added up.

    Parameters
    ----------
    models : sequence of Noise
        At least one.

    Raises
    ------
    ValueError
        For anything but noise models.

    Examples
    --------
    >>> from dnlib.noise import Gaussian, Lines
    >>> Sum([Gaussian(10), Lines((5, 20))])
    Sum([Gaussian(10), Lines((5, 20))])
    """

    def __init__(self, models: Sequence[Noise]):
        super().__init__()
        self.models = _all_noise(models, "a sum")

    def __repr__(self) -> str:
        return f"Sum({self.models})"

    def settled(self, generator: Generator | None = None) -> Noise:
        return Sum([model.settled(generator) for model in self.models])

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        return clean + sum(model.settled_draw(clean, generator) - clean for model in self.models)


def _all_noise(models: Sequence[Noise], what: str) -> list[Noise]:
    """The models in a list; anything else is refused by name."""
    if not isinstance(models, list | tuple) or not models or not all(isinstance(model, Noise) for model in models):
        raise ValueError(f"{what} is made of a list of noise models, such as [Gaussian(25)]; {models!r} was given")
    return list(models)


def _checked(weights: Sequence[float], count: int) -> list[float]:
    numbers = isinstance(weights, list | tuple) and all(is_number(one) and 0 <= one < math.inf for one in weights)
    if not numbers or len(weights) != count or not any(weights):
        raise ValueError(
            f"weights are numbers >= 0, one for each of the {count} models and not all 0; {weights!r} was given"
        )
    return [float(weight) for weight in weights]
