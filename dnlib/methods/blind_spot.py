"""Laine et al. 2019: a blind-spot network forms a belief about each clean pixel, and Bayes' rule adds the noisy one.

The network sees the surroundings of a pixel and answers with N(mean_x, cov_x). Pushed through the noise model this is a
belief about the noisy pixel, and the likelihood of what was measured trains it, so no clean image is needed. At test
time the noisy pixel itself, which the network never saw, sharpens the belief.
"""

import itertools
import warnings
from typing import Literal

import torch
from torch import Tensor, nn

from dnlib.images import by_tiles, one_of
from dnlib.methods.base import Estimate, Method, channels_of, check_blind, evaluating, one_for_each
from dnlib.methods.batch import Batch
from dnlib.networks import Noise2CleanUNet
from dnlib.noise import AddedGaussian, Belief, Impulse, Likelihood, beliefs, read_noise

COVARIANCES, PARAMETERS = ("full", "diagonal", "none"), ("known", "global", "per_image")
GLOBAL_SPEED = 20  # Adam moves every number by about the learning rate per step; a global parameter has further to go
PIECE = 512  # Bayes' rule takes this many pixels to a side at a time, for beliefs take much memory


class BlindSpotBayes(Method):
    """A blind-spot network's belief about each pixel, updated by the pixel itself.

    Loss: the mean of -log N(y; mean_y, cov_y), less 0.1 times the noise's mean deviation if that is unknown (0.05 for
    gray images). That last term rewards calling the unpredictable noise rather than texture; the likelihood alone
    cannot tell them apart.

    Parameters
    ----------
    network : nn.Module
        Blind, with `outputs(channels, covariance)` outputs: the mean, then what `covariance` asks for.
    noise : Likelihood or str
        Gaussian, Poisson, Impulse, or a camera's Sensor on packed raw frames; or the text of one.
    covariance : {"full", "diagonal", "none"}
        "full": the network answers with the triangle U of cov = U U^T; "diagonal": with its square roots; "none": the
        loss is (mean - y)^2, annealed to the mode for impulses, and the noisy pixel is not used.
    parameter : {"known", "global", "per_image"}
        Of the noise: known, one number that is learnt, or read off the noisy image by a second network (its last layer
        starts at zero).
    estimator_width : int
        Of that second network; 48 as published.
    start : float, optional
        Where an unknown parameter starts, in the paper's unit; None is the most noise that `noise` draws. From there
        the likelihood leads down to the truth within a hundred steps. The paper starts at sigma = 4.88, and from so
        little noise the likelihood hardly leads up: the network then explains the rest of the noise by its covariance.
    regularise : bool
        Whether the loss has its last term.
    floor : float
        The least deviation that a prediction is credited with, as a share of the noise's deviation: its square is added
        to each variance before the `std` of the answer is computed. Training and the answer itself do without. The
        likelihood of a single noisy pixel hardly depends on errors smaller than this, so that where the network is
        surest it is too sure. 0 as published.

    Raises
    ------
    ValueError
        For a network that is not blind or has another number of outputs, for unknown names, for a floor that is no
        number from 0 on, or that noise without a variance cannot have.

    References
    ----------
    Laine, Karras, Lehtinen, Aila, High-Quality Self-Supervised Deep Image Denoising, NeurIPS 2019, section 3.

    Examples
    --------
    >>> from dnlib.networks import TwoWayBlindSpotUNet
    >>> method = BlindSpotBayes(TwoWayBlindSpotUNet(3, 8), "Gaussian((5, 50))")
    >>> mean, std = method.denoise(torch.rand(1, 3, 21, 30), parameter=25)
    >>> mean.shape, bool((std < 25 / 255).all())
    (torch.Size([1, 3, 21, 30]), True)
    """

    def __init__(
        self,
        network: nn.Module,
        noise: Likelihood | str,
        *,
        covariance: Literal["full", "diagonal", "none"] = "full",
        parameter: Literal["known", "global", "per_image"] = "known",
        estimator_width: int = 48,
        start: float | None = None,
        regularise: bool = True,
        floor: float = 0.0,
    ):
        super().__init__(network)
        self.noise = read_noise(noise) if isinstance(noise, str) else noise
        _check(network, self.noise, covariance, parameter, floor)
        self.covariance, self.parameter, self.regularise, self.floor = covariance, parameter, regularise, floor
        starts = self.noise.bounds if start is None else (self.noise.to_internal(start),)
        free = max(self.noise.to_free(value) for value in starts)
        if parameter == "global":
            self.free = nn.Parameter(torch.full((1,), free / GLOBAL_SPEED))
        if parameter == "per_image":
            self.estimator = Noise2CleanUNet(network.channels, estimator_width, outputs=1)
            nn.init.zeros_(self.estimator.tail[-1].weight)
            nn.init.constant_(self.estimator.tail[-1].bias, free)

    @property
    def needs(self) -> frozenset[str]:
        """The parameter is needed where it is known and differs from image to image."""
        asks = self.covariance != "none" and self.parameter == "known" and self.noise.bounds[0] < self.noise.bounds[1]
        return frozenset({"noisy", "parameter"} if asks else {"noisy"})

    def loss(self, batch: Batch) -> Tensor:
        if self.covariance == "none":
            power = 2 * (1 - batch.progress) if isinstance(self.noise, Impulse) else 2
            return torch.mean(((self.network(batch.noisy) - batch.noisy).abs() + 1e-8) ** power)
        belief = self.belief(batch.noisy)
        parameter = self._parameter(batch.noisy, batch.parameter if "parameter" in self.needs else None).double()
        marginal = self.noise.marginal(*belief, parameter)
        loss = -beliefs.log_density(batch.noisy.double(), marginal).mean()
        if self.parameter != "known" and self.regularise and isinstance(self.noise, AddedGaussian):
            weight = 0.05 if batch.noisy.shape[1] == 1 else 0.1
            loss = loss - weight * self.noise.variance(belief.mean, parameter).sqrt().mean()
        return loss

    def belief(self, noisy: Tensor) -> Belief:
        """What the surroundings say about each clean pixel, in float64; no covariance for "none"."""
        return self._belief(self.network(noisy), noisy.shape[1])

    def _belief(self, answer: Tensor, channels: int) -> Belief:
        mean, roots = answer.double().tensor_split([channels], dim=1)
        if self.covariance == "none":
            return Belief(mean, beliefs.diagonal(torch.zeros_like(mean)))
        if self.covariance == "diagonal" or channels == 1:
            return Belief(mean, beliefs.diagonal(roots**2))
        triangle = list(itertools.combinations_with_replacement(range(channels), 2))  # i <= j, row by row
        u = dict(zip(triangle, roots.unbind(dim=1), strict=True))
        cov = {(i, j): sum(u[i, k] * u[j, k] for k in range(j, channels)) for i, j in triangle}  # U U^T
        rows = [[cov[min(i, j), max(i, j)] for j in range(channels)] for i in range(channels)]
        return Belief(mean, torch.stack([torch.stack(row, dim=1) for row in rows], dim=1))

    def estimate(self, noisy: Tensor, parameter: Tensor | None = None) -> Estimate:
        """As `Method.estimate`; `parameter` [N] in internal units, None where the method finds it itself."""
        answer, channels = self.network(noisy), noisy.shape[1]
        if self.covariance == "none":
            return Estimate(answer)
        strength = self._parameter(noisy, parameter).double()

        def update(pixels: Tensor) -> tuple[Tensor, Tensor]:
            noisy_pixels, (mean, cov) = pixels[:, :channels].double(), self._belief(pixels[:, channels:], channels)
            after = stated = self.noise.posterior(noisy_pixels, mean, cov, strength)
            if self.floor:
                least = beliefs.diagonal(self.floor**2 * self.noise.variance(mean, strength))
                stated = self.noise.posterior(noisy_pixels, mean, cov + least, strength)
            return after.mean.to(noisy), stated.std.to(noisy)

        return Estimate(
            *by_tiles(update, torch.cat([noisy, answer.to(noisy)], dim=1), side=PIECE, margin=0, multiple=1)
        )

    @torch.no_grad()
    def estimate_parameter(self, noisy: Tensor) -> Tensor:
        """What the method takes for the noise parameter of each image.

        Parameters
        ----------
        noisy : Tensor [N, C, H, W]
            As `denoise` takes them.

        Returns
        -------
        Tensor [N]
            In the paper's unit: sigma of 8-bit images, lambda, alpha or iso.

        Raises
        ------
        ValueError
            For a method that has to be told, image by image.
        """
        with evaluating(self):
            return self.noise.to_paper(self._parameter(self._as_network(noisy), None)).to(noisy)

    @property
    def _networks(self) -> list[nn.Module]:
        return [self.network, *([self.estimator] if self.parameter == "per_image" else [])]

    def _parameter(self, noisy: Tensor, known: Tensor | None) -> Tensor:
        if known is not None:
            return known
        if "parameter" in self.needs:
            raise ValueError(
                f"trained with the parameter of {self.noise} known, this method cannot estimate it: to denoise, it "
                f"needs `parameter`, in the unit of {type(self.noise).__name__}"
            )
        if self.parameter == "known":
            return noisy.new_full((len(noisy),), self.noise.bounds[0])
        if self.parameter == "global":
            return self.noise.from_free(GLOBAL_SPEED * self.free.float()).expand(len(noisy))
        return self.noise.from_free(self.estimator(noisy).float().mean(dim=(1, 2, 3)))

    def _strength(self, noisy: Tensor, parameter: Tensor | float | None) -> Tensor | None:
        if parameter is not None and "parameter" in self.needs:
            strength = self.noise.to_internal(one_for_each(parameter, noisy))
        elif parameter is not None:
            how = f"was trained for {self.noise}" if self.parameter == "known" else "estimates it from the noisy image"
            raise ValueError(f"no parameter can be given: this method {how}; {parameter} was given")
        elif self.covariance == "none":
            return None
        else:
            strength = self._parameter(noisy, None)
        self._warn_beyond(strength)
        return strength

    def _warn_beyond(self, strength: Tensor) -> None:
        low, high = self.noise.strength
        beyond = [value for value in self.noise.to_paper(strength).tolist() if not low / 1.1 <= value <= high * 1.1]
        if beyond:
            warnings.warn(
                f"the noise parameter {beyond[0]:.3g} lies outside {low:.3g} to {high:.3g}, with which this method was "
                f"trained ({self.noise}); expect less of the result",
                stacklevel=5,  # `denoise` is wrapped by `no_grad`
            )


def outputs(channels: int, covariance: str) -> int:
    """How many channels the network of `BlindSpotBayes` answers with.

    Examples
    --------
    >>> [outputs(3, covariance) for covariance in ("full", "diagonal", "none")]
    [9, 6, 3]
    """
    return channels + {"full": channels * (channels + 1) // 2, "diagonal": channels, "none": 0}[covariance]


def _check(network: nn.Module, noise: object, covariance: str, parameter: str, floor: float) -> None:
    one_of(covariance, COVARIANCES, "the covariance")
    one_of(parameter, PARAMETERS, "the parameter")
    if covariance == "none" and parameter != "known":
        raise ValueError(f"without a covariance there is no use for a noise parameter; {parameter!r} was given")
    if not hasattr(noise, "posterior"):
        raise ValueError(f"Gaussian, Poisson, Sensor and Impulse noise have a likelihood; {noise} was given")
    if not 0 <= floor < float("inf"):
        raise ValueError(f"a floor is a share of the noise's deviation, a number from 0 on; {floor} was given")
    if floor and not isinstance(noise, AddedGaussian):
        raise ValueError(f"{noise} has no variance that a floor of {floor} could be a share of; leave it at 0")
    check_blind(network, outputs(channels_of(network), covariance))
