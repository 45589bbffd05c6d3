"""A perceptual loss whose features were trained here (after Johnson, Alahi, Fei-Fei 2016, equation 2).

Two images are compared by what the encoder of a trained network makes of them, level by level. Johnson et al. take the
classifier VGG: it knows what objects look like, from a million clean and labelled photographs. The encoders of this
course learned to denoise. They know edges, and what is grain; they know no objects, and they see no farther than
denoising asks for. The one of Noise2Noise has, as everything else here, never seen a clean image.
"""

import copy
import math
from typing import Literal

import torch
from torch import Tensor, nn

from dnlib.methods.base import Estimate, Method, evaluating
from dnlib.methods.batch import Batch
from dnlib.networks import UNet

TARGETS = "second_noisy", "noisy", "clean"


class Features(nn.Module):
    """How far images are apart in the encoder of a trained U-Net, which stays as it is.

    Parameters
    ----------
    network : UNet
        A copy is taken.
    levels : tuple of int, optional
        Of the encoder, from fine (1: half the height and width) to coarse; all by default.

    Raises
    ------
    ValueError
        For a network of another kind, and for levels that it does not have.

    Examples
    --------
    >>> from dnlib.networks import Noise2CleanUNet
    >>> features, image = Features(Noise2CleanUNet(3, 8, depth=2)), torch.rand(1, 3, 20, 24)
    >>> [list(level.shape) for level in features(image)], features.distance(image, image).item()
    ([[1, 8, 10, 12], [1, 8, 5, 6]], 0.0)
    """

    def __init__(self, network: UNet, levels: tuple[int, ...] | None = None):
        super().__init__()
        if not isinstance(network, UNet):
            raise ValueError(f"features are those of a U-Net's encoder; {type(network).__name__} was given")
        self.levels = tuple(range(1, network.depth + 1)) if levels is None else tuple(levels)
        if not self.levels or not set(self.levels) <= set(range(1, network.depth + 1)):
            raise ValueError(f"this encoder has the levels 1 to {network.depth}; {self.levels} were given")
        # a copy, in a tuple, where nn.Module does not take it for a part that learns
        self._network = (copy.deepcopy(network).eval().requires_grad_(False),)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Of [N, C, H, W] in [0, 1] the chosen levels, [N, width, H / 2^level, W / 2^level] each, with gradients."""
        (network,) = self._network
        with evaluating(network):
            found = network.to(image.device).encode(image)
        return [found[level - 1] for level in self.levels]

    def distance(self, answer: Tensor, target: Tensor) -> Tensor:
        """The mean over levels of |phi(answer) - phi(target)|^2 / |phi(target)|^2: 0 for equal images, no unit.

        The target, [N, C, H, W] like the answer, is a constant: gradients go to the answer alone.
        """
        with torch.no_grad():
            wanted = self(target)
        pairs = zip(self(answer), wanted, strict=True)
        return torch.stack([torch.mean((f - w) ** 2) / (torch.mean(w**2) + 1e-8) for f, w in pairs]).mean()


class Perceptual(Method):
    """Another method's loss plus weight times the distance of its answer from a target, as `features` see both.

    A self-supervised method has no clean target, and what stands for it decides what is learnt:

    - "second_noisy": another noisy image of the same scene, as in Noise2Noise. Its noise cannot be predicted, so an
      answer gains nothing by keeping the noise of the input. But features are not linear: on average those of noisy
      images differ from those of clean ones. The answer is asked for noisy features, and grain gives them.
    - "noisy": the image that the network sees. A blind spot hides from each answer its own pixel only. A feature joins
      the answers of many pixels, and each of these may carry the noise of its neighbours, which is the very noise of
      the target: keeping it is rewarded, and blindness no longer protects.
    - A trained method: its estimate from the same noisy image. No noise comes back, but nothing new is learnt either:
      the answer becomes like that estimate.
    - "clean": the clean image, as Johnson et al. have it, where there is one: the control for the others.

    The answer is what the method says when it denoises: its `estimate`, with gradients. (For Noise2Self to answer
    without seeing the pixel, its inference must be "invariant".)

    Parameters
    ----------
    method : Method
        The one that learns, in place, and denoises; its network is stored and used as ever.
    features : Features
        What compares images.
    weight : float
        >= 0; with 0 it is the method's own loss. Else each step takes a second pass of the network.
    target : {"second_noisy", "noisy", "clean"} or Method
        See above.

    Raises
    ------
    ValueError
        For a weight that is negative or no number, or an unknown target.

    References
    ----------
    Johnson, Alahi, Fei-Fei, Perceptual Losses for Real-Time Style Transfer and Super-Resolution, ECCV 2016, equation 2.

    Examples
    --------
    >>> from dnlib.methods import Noise2Noise
    >>> from dnlib.networks import DnCNN, Noise2CleanUNet
    >>> features = Features(Noise2CleanUNet(3, 8, depth=2))
    >>> method = Perceptual(Noise2Noise(DnCNN(3, 3, 8)), features, 0.1, target="noisy")
    >>> sorted(method.needs), sorted(method.teachers)
    (['noisy', 'second_noisy'], ['features'])
    """

    def __init__(
        self,
        method: Method,
        features: Features,
        weight: float,
        *,
        target: Literal["second_noisy", "noisy", "clean"] | Method = "second_noisy",
    ):
        nn.Module.__init__(self)  # the network is the method's, and no second part
        if not 0 <= weight < math.inf:
            raise ValueError(
                f"a perceptual weight is a number >= 0; {weight} was given. 0 leaves the loss as it is; below zero, "
                f"training would drive the answer away from the target"
            )
        if not isinstance(target, Method) and target not in TARGETS:
            raise ValueError(f"the target is one of {', '.join(TARGETS)}, or a trained method; {target!r} was given")
        self.method, self.features, self.weight = method, features, weight
        self.target, self._teacher = (target, None) if isinstance(target, str) else (type(target).__name__, (target,))

    @property
    def network(self) -> nn.Module:
        return self.method.network

    @property
    def teachers(self) -> dict[str, nn.Module]:
        (encoder,) = self.features._network
        taught = {} if self._teacher is None else {"target": self._teacher[0]}
        return self.method.teachers | {"features": encoder} | taught

    @property
    def needs(self) -> frozenset[str]:
        if not self.weight:
            return self.method.needs
        asked = {self.target} if self._teacher is None else self._teacher[0].needs & {"parameter"}
        return self.method.needs | {"noisy"} | asked

    def loss(self, batch: Batch) -> Tensor:
        plain = self.method.loss(batch)
        if not self.weight:
            return plain
        return plain + self.weight * self.features.distance(_said(self.method, batch), self._wanted(batch))

    def _wanted(self, batch: Batch) -> Tensor:
        if self._teacher is None:
            return getattr(batch, self.target)
        (teacher,) = self._teacher
        with torch.no_grad(), evaluating(teacher.to(batch.noisy.device)):
            return _said(teacher, batch)

    def estimate(self, noisy: Tensor, *parameter: Tensor) -> Estimate:
        return self.method.estimate(noisy, *parameter)

    def denoise(self, noisy: Tensor, parameter: Tensor | float | None = None, *, tile: int | None = None) -> Estimate:
        """As the method denoises that learned."""
        return self.method.denoise(noisy, parameter, tile=tile)


def _said(method: Method, batch: Batch) -> Tensor:
    return method.estimate(batch.noisy, *([batch.parameter] if "parameter" in method.needs else [])).mean
