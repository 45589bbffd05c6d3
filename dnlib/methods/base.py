"""What a method is: what it needs to learn, its loss, and how it denoises."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from dnlib.methods.batch import Batch
from dnlib.methods.tiled import tiled


class Estimate(NamedTuple):
    """What a method says about clean images.

    Parameters
    ----------
    mean : Tensor [N, C, H, W]
        The denoised images.
    std : Tensor [N, C, H, W], optional
        How far each value may be off, as a standard deviation; None where the method does not know.

    Examples
    --------
    >>> Estimate(torch.zeros(1, 3, 4, 4)).std is None
    True
    """

    mean: Tensor
    std: Tensor | None = None


class Method(nn.Module):
    """A network and one paper's way to train and to use it.

    A method of one's own names what it `needs`, and defines `loss`. Where denoising is more than one pass of the
    network, it defines `estimate`, too; `denoise` is made of it.

    Parameters
    ----------
    network : nn.Module
        Images [N, C, H, W] to images of the same size.

    Attributes
    ----------
    needs : frozenset of str
        What a batch must hold to learn from, of `PARTS`: the honest account of what was measured.

    Examples
    --------
    >>> class Smooth(Method):
    ...     needs = frozenset({"noisy"})
    ...
    ...     def loss(self, batch):
    ...         return (self.network(batch.noisy) - batch.noisy).square().mean()
    >>> Smooth(nn.AvgPool2d(3, 1, 1)).denoise(torch.rand(1, 3, 20, 31)).mean.shape
    torch.Size([1, 3, 20, 31])
    """

    needs: ClassVar[frozenset[str]]

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network

    @property
    def stages(self) -> tuple["Method", ...]:
        """What is trained, one after the other: the method itself, unless it learns in several goes."""
        return (self,)

    @property
    def teachers(self) -> dict[str, nn.Module]:
        """Modules that it learns from and does not train, by name; their weights are not among its own."""
        return {}

    def loss(self, batch: Batch) -> Tensor:
        """A number to minimise. It uses nothing but what `needs` names."""
        raise NotImplementedError

    def forward(self, batch: Batch) -> Tensor:
        return self.loss(batch)

    def estimate(self, noisy: Tensor) -> Estimate:
        """What the method says about [N, C, H, W], with gradients; on the network's device, in its dtype and mode."""
        return Estimate(self.network(noisy))

    @torch.no_grad()
    def denoise(self, noisy: Tensor, parameter: Tensor | float | None = None, *, tile: int | None = None) -> Estimate:
        """Denoise images: `estimate`, in evaluation mode and without gradients.

        Every part of the method is left in the mode, training or evaluation, that it was in. Under `torch.autocast` the
        network computes in bfloat16: about twice as fast where the processor does so natively, and off by a gray level
        of 255 or two.

        Parameters
        ----------
        noisy : Tensor [N, C, H, W]
            Floats of any precision, on any device; the network computes in its own, on its own.
        parameter : float or Tensor [N], optional
            How strong the noise is, in the paper's unit (sigma of 8-bit images, lambda, alpha, iso), one for all images
            or one for each. For methods that need to be told, and for these only.
        tile : int, optional
            Let the network see at most about this many pixels in height and width at a time, and what it needs around
            them, so that memory stays bounded. The answer is the same, to rounding.

        Returns
        -------
        Estimate
            Of the dtype and on the device of `noisy`.

        Raises
        ------
        ValueError
            For what is no float image of the network's kind or has pixels that are not finite; for a parameter that is
            missing, or not asked for; for tiles smaller than the network's reach, or with a network that pools over the
            whole image.
        """
        image = self._as_network(noisy)
        with evaluating(self), tiled(self._networks, tile):
            strength = self._strength(image, parameter)
            said = self.estimate(image) if strength is None else self.estimate(image, strength)
        return Estimate(*(part if part is None else part.to(noisy) for part in said))

    @property
    def _networks(self) -> list[nn.Module]:
        """The networks that `estimate` runs."""
        return [self.network]

    def _strength(self, noisy: Tensor, parameter: Tensor | float | None) -> Tensor | None:
        """The noise parameter [N] in internal units; None for a method whose `estimate` takes none."""
        if parameter is not None:
            raise ValueError(f"{type(self).__name__} is told no noise parameter; {parameter} was given: leave it out")
        return None

    def _as_network(self, noisy: Tensor) -> Tensor:
        """Noisy images, checked, in the network's dtype and on its device."""
        if not isinstance(noisy, Tensor):
            raise ValueError(f"noisy images are a tensor; {type(noisy).__name__} was given: use dnlib.images.to_tensor")
        if noisy.ndim != 4 or not noisy.is_floating_point():
            raise ValueError(
                f"noisy images are a float tensor [N, C, H, W]; {noisy.dtype} of shape {list(noisy.shape)} was given"
            )
        if not torch.isfinite(noisy).all():
            raise ValueError("the noisy images have pixels that are NaN or infinite; replace them before denoising")
        return noisy.to(next((p for p in self.parameters() if p.is_floating_point()), noisy))


@contextmanager
def evaluating(*modules: nn.Module) -> Iterator[None]:
    """Modules are in evaluation mode for a while; afterwards each part of them is in the mode it was in."""
    before = [(part, part.training) for module in modules for part in module.modules()]
    for part, _ in before:
        part.training = False
    try:
        yield
    finally:
        for part, training in before:
            part.training = training


def one_for_each(parameter: Tensor | float, noisy: Tensor) -> Tensor:
    """A noise parameter, one for all images or one for each, as [N] beside them."""
    given = torch.as_tensor(parameter, dtype=torch.float32, device=noisy.device)
    given = given.expand(len(noisy)) if given.ndim == 0 else given
    if given.shape != (len(noisy),) or not (given.isfinite().all() and (given > 0).all()):
        raise ValueError(
            f"one parameter > 0 is taken for each of the {len(noisy)} images; "
            f"shape {list(given.shape)}, {given.tolist()} was given"
        )
    return given


def channels_of(network: nn.Module) -> int:
    """For how many channels a network was made."""
    if not isinstance(getattr(network, "channels", None), int):
        raise ValueError(f"{type(network).__name__} does not say for how many channels it is: give it `channels`")
    return network.channels


def check_blind(network: nn.Module, outputs: int | None = None) -> int:
    """Try a blind network on a small image.

    Networks that pool over the whole image (`reach` is None) see a little of every pixel; their hole is not tried.

    Parameters
    ----------
    network : nn.Module
        Has `channels`, and a `hole`: square, with odd sides, True at the offsets that its answer does not depend on.
    outputs : int, optional
        With how many channels it must answer.

    Returns
    -------
    int
        How many channels it answers with.

    Raises
    ------
    ValueError
        For a network that lacks one of the two, whose answer changes with a pixel of its hole, or has other channels.

    Examples
    --------
    >>> from dnlib.networks import DilatedBlindSpot, DnCNN
    >>> check_blind(DilatedBlindSpot(1, 8, outputs=2, blocks=1))
    2
    >>> check_blind(DnCNN(1, 3, 8))
    Traceback (most recent call last):
    ValueError: DnCNN sees the pixel it estimates; a network with a `hole` is needed
    """
    name = type(network).__name__
    if not hasattr(network, "hole"):
        raise ValueError(f"{name} sees the pixel it estimates; a network with a `hole` is needed")
    channels, hole = channels_of(network), torch.as_tensor(network.hole).cpu()
    middle = len(hole) // 2 if hole.ndim else 0
    if hole.dtype != torch.bool or hole.shape != (2 * middle + 1,) * 2 or not hole[middle, middle]:
        raise ValueError(
            f"a hole is a square of True and False with odd sides, its middle True; that of {name} is {hole.dtype} of "
            f"shape {list(hole.shape)}"
        )
    side = 32 * (1 + middle // 8)
    image = torch.rand(1, channels, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.enable_grad():
        # in float64: fast float32 convolutions round where they should multiply by zero
        answer = copy.deepcopy(network).cpu().double().eval()(image.requires_grad_())
        for place in () if getattr(network, "reach", 0) is None else (side // 2, side - 1):
            (seen,) = torch.autograd.grad(answer[0, :, place, place].sum(), image, retain_graph=True)
            around = nn.functional.pad(seen[0].abs().sum(dim=0), (middle,) * 4)
            if around[place : place + len(hole), place : place + len(hole)][hole].any():
                raise ValueError(
                    f"{name} says that it does not see a hole of {hole.sum()} pixels, and its answer changes with one "
                    f"of them; correct its `hole`"
                )
    if outputs not in (None, answer.shape[1]):
        raise ValueError(
            f"the blind network answers with {answer.shape[1]} channels to images of {channels}; make it with "
            f"outputs={outputs}"
        )
    return answer.shape[1]
