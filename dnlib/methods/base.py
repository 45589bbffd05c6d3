"""What a method is: what it needs to learn, its loss, and how it denoises."""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from dnlib.methods.batch import Batch


class Estimate(NamedTuple):
    mean: Tensor  # [N, C, H, W]
    std: Tensor | None = None  # of each pixel, where the method knows


def check_blind(network: nn.Module) -> None:
    """Raises ValueError for a network that does not state its `hole`."""
    if not hasattr(network, "hole"):
        raise ValueError(f"{type(network).__name__} sees the pixel it estimates; a network with a `hole` is needed")


class Method(nn.Module):
    """A network and one paper's way to train and to use it.

    needs: what a training batch must hold, of `batches.PARTS`; the honest account of what was measured.
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

    def answer(self, noisy: Tensor) -> Tensor:
        """What the method says to [N, C, H, W] while it learns, with gradients: one image of the same shape."""
        return self.network(noisy)

    def forward(self, batch: Batch) -> Tensor:
        return self.loss(batch)

    @torch.no_grad()
    def denoise(self, noisy: Tensor) -> Estimate:
        """Denoise images [N, C, H, W] on any device; the answer comes back on theirs, as floats of their kind.

        Under `torch.autocast` the network computes in bfloat16: about twice as fast where the processor does so
        natively, and off by a gray level of 255 or two (benchmarks/ssid.py).
        Leaves the method in the mode, training or evaluation, it was in. Raises ValueError for what is not an image
        of the network's kind, or has pixels that are not finite.
        """
        return self._used(self.estimate, noisy)

    def _used(self, estimate: Callable[[Tensor], Estimate], noisy: Tensor) -> Estimate:
        if noisy.ndim != 4 or not noisy.is_floating_point():
            raise ValueError(
                f"noisy images are a float tensor [N, C, H, W]; {noisy.dtype} of shape {list(noisy.shape)} was given"
            )
        if not torch.isfinite(noisy).all():
            raise ValueError("the noisy images have pixels that are NaN or infinite; replace them before denoising")
        training, device = self.training, next((p.device for p in self.parameters()), noisy.device)
        self.eval()
        try:
            return Estimate(*(part if part is None else part.to(noisy) for part in estimate(noisy.to(device))))
        finally:
            self.train(training)

    def estimate(self, noisy: Tensor) -> Estimate:
        """How `denoise` works where it is more than one pass of the network."""
        return Estimate(self.network(noisy))
