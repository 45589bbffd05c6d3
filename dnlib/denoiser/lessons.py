"""What a network can learn from without clean pictures: recorrupted pairs of one picture, or shots of one scene."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dnlib.denoiser.strength import Strength
from dnlib.images import to_image, to_tensor

if TYPE_CHECKING:
    from torch import Tensor, nn

    from dnlib.denoiser.judging import Judge
    from dnlib.methods import Method
    from dnlib.training import Crops

CROP, SMALLEST, STEP, COUNT = 64, 40, 8, 4  # pixels to a side of crops, at most, at least, in steps; how many at a time
STRENGTH, LEARNING_RATE = 0.5, 1e-5
SIDE, STRIDE, RADIUS = 50, 25, 16  # of shots: pixels of a tile, to the next, and that the scene may have moved by
TILES, SHOTS_RATE = 8, 1e-4  # of shots: tiles at a time, and how fast is learnt
PATCHES = {5: 19, 10: 37, 15: 41, 20: 43}  # noise in 8-bit units: pixels to a side of patches, as its authors have them


class Lessons(Protocol):
    """What a network learns from: what a line calls it, how fast, and what is to be said of it."""

    what: str
    learning_rate: float
    notes: Sequence[str]

    def __bool__(self) -> bool:
        """Whether there is anything to learn from."""

    def for_network(self, network: "nn.Module", judge: "Judge") -> "tuple[Method, Crops]":
        """What trains a network, and what on."""


@dataclass(frozen=True)
class Pairs:
    """Recorrupted pairs of pictures [H, W, 3] in [0, 1]."""

    pictures: list[np.ndarray]
    what = "this picture"
    notes = ()

    @property
    def learning_rate(self) -> float:
        return LEARNING_RATE

    def __bool__(self) -> bool:
        return bool(self.pictures)

    def for_network(self, network: "nn.Module", judge: "Judge") -> "tuple[Method, Crops]":
        from dnlib.denoiser.detail import Detail
        from dnlib.training import Crops

        side = min(CROP, max(min(one.shape[:2]) for one in self.pictures) // STEP * STEP)  # that one of them holds
        large = [one for one in self.pictures if min(one.shape[:2]) >= side]
        crops = Crops(large, size=side, count=COUNT, turn=bool(judge.strength.white))
        return Detail(network, drawn_by(judge.strength), STRENGTH), crops


@dataclass(frozen=True)
class Shots:
    """Bursts [M, 3, h, w] in [0, 1], shots of one scene: Patch-Craft (Vaksman and Elad 2023).

    The noise may be anything of mean zero that is new in every shot, whatever was estimated of it.
    """

    bursts: "Sequence[Tensor]"
    notes: Sequence[str] = ()
    what = "these shots"
    learning_rate = SHOTS_RATE

    def __bool__(self) -> bool:
        return bool(self.bursts)

    def for_network(self, network: "nn.Module", judge: "Judge") -> "tuple[Method, Crops]":
        from dnlib.denoiser.detail import DetailOfShots
        from dnlib.methods import craft_tiles
        from dnlib.training import tile_crops

        patch = patch_for(judge.level)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what there is to say of the bursts is in the notes
            tiles = craft_tiles(self.bursts, patch=patch, radius=RADIUS, side=SIDE, stride=STRIDE).filtered()
        return DetailOfShots(network), tile_crops(tiles, TILES)


def patch_for(level: float) -> int:
    """Pixels to a side of the patches for noise of this standard deviation in [0, 1]; odd.

    Examples
    --------
    >>> patch_for(0.01), patch_for(10 / 255), patch_for(0.5)
    (19, 37, 43)
    """
    return int(np.interp(255 * level, list(PATCHES), list(PATCHES.values()))) // 2 * 2 + 1


def drawn_by(strength: Strength) -> Callable:
    """Noise of this strength, as recorrupted pairs want it drawn."""

    def draw(light, generator):
        import torch

        seed = torch.randint(2**31, (1,), generator=generator, device=generator.device).item()
        rng = np.random.default_rng(seed)
        return torch.cat([to_tensor(strength.draw(to_image(one[None]), rng)) for one in light]).to(light)

    return draw
