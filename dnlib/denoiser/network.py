"""The learned candidate of the 60-second denoiser: the shipped blind-spot network for noise of unknown strength.

It was trained on photographs with Gaussian noise of sigma 5 to 50, and reads the level off the image. Its prediction of
a pixel never sees the pixel, so its self-supervised loss can be compared with that of the filters as it is.
"""

import warnings
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

    sigma: that level, as a standard deviation in units of the image.
    """

    def __init__(self, tiles: list[np.ndarray], device: str = "auto"):
        self.device = choose_device(device)
        self.method = _method(cards.HOME, self.device)
        levels = [self.method.estimate_parameter(self._tensor(tile)) for tile in tiles]
        self.parameter = self.method.noise.to_internal(torch.cat(levels).mean(dim=0, keepdim=True))
        self.sigma = float(self.parameter)

    @torch.no_grad()
    def loss(self, tile: np.ndarray) -> float:
        """The mean squared distance of noisy pixels from what their surroundings predict, where filters have it."""
        noisy, mask = self._tensor(tile), torch.from_numpy(single_mask(tile.shape[:2]))
        return float(((self.method.belief(noisy).mean - noisy) ** 2)[:, :, mask].mean())

    @torch.no_grad()
    def denoise(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The posterior mean of an image [H, W, 3] and its standard deviation, pixel by pixel."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # levels it was not trained for: the loss has judged
            mean, std = by_tiles(
                lambda tile: self.method.estimate(tile, self.parameter),
                self._tensor(frame),
                side=512,
                margin=80,  # this network reaches 75 pixels far
                multiple=8,
            )
        return to_image(mean), to_image(std)

    def _tensor(self, image: np.ndarray) -> torch.Tensor:
        return to_tensor(image).to(self.device)
