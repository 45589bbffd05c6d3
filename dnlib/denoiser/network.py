"""The learned candidate of the 60-second denoiser: the shipped blind-spot network for noise of unknown strength.

It was trained on photographs with Gaussian noise of sigma 5 to 50, and reads the level off the image. Its prediction of
a pixel never sees the pixel, so its self-supervised loss can be compared with that of the filters as it is.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch

from dnlib.filters import single_mask
from dnlib.images import by_tiles, to_image, to_tensor
from dnlib.methods import Method
from dnlib.training import choose_device
from dnlib.zoo import cards

NAME = "blind_spot_rgb_sigma5to50_unknown"


def is_there() -> bool:
    """Whether the weights are installed."""
    return NAME in cards.available()


@cache
def _method(home: Path, device: str) -> Method:
    """The network is read once per process, not once per image."""
    return cards.load_method(NAME, device=device)


class BlindSpot:
    """The network, with the noise level that it reads off sample tiles [H, W, 3] in [0, 1].

    sigma: that level, as a standard deviation in units of the image. loss: self-supervised, the mean over the tiles.
    """

    @torch.no_grad()
    def __init__(self, tiles: list[np.ndarray], device: str = "auto"):
        self.device = choose_device(device)
        self.method = _method(cards.HOME, self.device)
        noisy = [self._tensor(tile) for tile in tiles]
        levels = [self.method.estimate_parameter(tile) for tile in noisy]
        self.parameter = self.method.noise.to_internal(torch.cat(levels).mean(dim=0, keepdim=True))
        self.sigma = float(self.parameter)
        self.loss = float(np.mean([self._loss(tile) for tile in noisy]))

    @torch.no_grad()
    def denoise(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The posterior mean of an image [H, W, 3] and its standard deviation, pixel by pixel."""
        network = self.method.network
        mean, std = by_tiles(
            lambda tile: self.method.estimate(tile, self.parameter),
            self._tensor(frame),
            side=512,
            margin=network.reach,
            multiple=network.multiple,
        )
        return to_image(mean), to_image(std)

    def _loss(self, noisy: torch.Tensor) -> float:
        """The mean squared distance of noisy pixels from what their surroundings predict, where filters are judged."""
        mask = torch.from_numpy(single_mask(tuple(noisy.shape[2:])))
        return float(((self.method.belief(noisy).mean - noisy) ** 2)[:, :, mask].mean())

    def _tensor(self, image: np.ndarray) -> torch.Tensor:
        return to_tensor(image).to(self.device)
