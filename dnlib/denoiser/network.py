"""The learned candidate of the 60-second denoiser: the shipped blind-spot network for noise of unknown strength.

It was trained on photographs with Gaussian noise of sigma 5 to 50, and reads the level off the image. Its prediction of
a pixel never sees the pixel, so its self-supervised loss can be compared with that of the filters as it is.
"""

import warnings

import numpy as np
import torch

from dnlib.images import by_tiles, to_image, to_tensor
from dnlib.zoo import cards

NAME = "blind_spot_rgb_sigma5to50_unknown"


def is_there() -> bool:
    return NAME in cards.available()


class BlindSpot:
    """The network, with the noise level that it reads off sample tiles [H, W, 3] in [0, 1].

    sigma: that level, as a standard deviation in units of the image.
    """

    def __init__(self, tiles: list[np.ndarray]):
        self.method = cards.load_method(NAME)
        levels = [self.method.estimate_parameter(to_tensor(tile)) for tile in tiles]
        self.parameter = self.method.noise.to_internal(torch.cat(levels).mean(dim=0, keepdim=True))
        self.sigma = float(self.parameter)

    @torch.no_grad()
    def loss(self, tile: np.ndarray) -> float:
        """The mean squared distance of noisy pixels from what their surroundings predict."""
        noisy = to_tensor(tile)
        return float(((self.method.belief(noisy).mean - noisy) ** 2).mean())

    @torch.no_grad()
    def denoise(self, frame: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The posterior mean of an image [H, W, 3] and its standard deviation, pixel by pixel."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # levels it was not trained for: the loss has judged
            mean, std = by_tiles(
                lambda tile: self.method.estimate(tile, self.parameter),
                to_tensor(frame),
                side=512,
                margin=80,  # this network reaches 75 pixels far
                multiple=8,
            )
        return to_image(mean), to_image(std)
