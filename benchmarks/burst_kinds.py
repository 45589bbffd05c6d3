"""Does Patch-Craft repair noise of other kinds than Gaussian noise averaged over a box?

DAVIS, as in patch_craft.py, four videos held out, three seeds. Four kinds of noise, 20 of 255 strong or about: Gaussian
noise averaged over 3 x 3 pixels, each colour its own; the same, shared by the colours; photon counts averaged so,
stronger where it is bright; a simulated camera at ISO 3200. For each, in dB over the network as it ships: adapted to
tiles of the other videos, to the same without the filter, and to clean tiles. Beside it the share of tiles kept, and
how far the peak's place lies from minus the noise's variance, in variances. Twenty minutes.
"""

import numpy as np
import torch
from outcome import heading, store
from patch_craft import PATCHES, RADIUS, START, STRIDE, TILE, learned, tiles_of, videos
from torch import Generator, Tensor
from torch.nn.functional import conv2d, pad

from dnlib.methods import craft_tiles
from dnlib.noise import Camera, CorrelatedGaussian, Noise, noisy_burst
from dnlib.training import metrics
from dnlib.zoo import cards
from dnlib.zoo.recipe import HELD_OUT

SEEDS = (0, 1, 2)


class AveragedPhotons(Noise):
    """Counts of photons, `strength` at white; what they are off is averaged over 3 x 3 pixels, as strong as before."""

    def __init__(self, photons: float):
        super().__init__("lambda", photons)

    def corrupt(self, clean: Tensor, parameter: Tensor, generator: Generator | None) -> Tensor:
        white = parameter[:, None, None, None]
        off = torch.poisson(white * clean.clip(min=0), generator=generator) / white - clean
        box = torch.full((1, 1, 3, 3), 1 / 3)
        return clean + conv2d(pad(off, (1, 1, 1, 1), "reflect").flatten(0, 1)[:, None], box).view(clean.shape)


KINDS = {
    "box": CorrelatedGaussian(20, 3),
    "box, shared by colours": CorrelatedGaussian(20, 3, between=1.0),
    "photons, averaged": AveragedPhotons(65),  # mid-gray has a deviation of 22 of 255
    "camera": Camera(3200),
}


def gains(noise: Noise, learn: list[Tensor], held_out: list[Tensor], seed: int) -> dict[str, float]:
    """What each way of learning gains over the network as it ships, over the middle frames held out."""
    noisy = [noisy_burst(c, noise, torch.Generator().manual_seed(100 * seed + i)).image for i, c in enumerate(learn)]
    tiles = craft_tiles(noisy, patch=PATCHES[20][1], radius=RADIUS, side=TILE, stride=STRIDE)
    clean = torch.cat([tiles_of(burst[3:4]) for burst in learn])
    variance = float(np.mean([((y - x) ** 2).mean() for y, x in zip(noisy, learn, strict=True)]))
    good = tiles.good()
    ways = {
        "filtered": tiles.filtered(),
        "all tiles": tiles,
        "clean tiles": tiles._replace(target=clean).only(good),
    }

    def score(method) -> float:
        found = []
        for index, burst in enumerate(held_out):
            seen = noise.sample(burst[3:4], torch.Generator().manual_seed(1000 + 100 * seed + index)).image
            found.append(metrics.psnr(method.denoise(seen).mean, burst[3:4], "clamped"))
        return float(np.mean(found))

    start = score(cards.load_method(START))
    found = {name: score(learned(seen, seed)) - start for name, seen in ways.items()}
    return found | {"start": start, "kept": float(good.mean()), "peak is off": tiles.peak / variance + 1}


def main():
    every = videos()
    learn, held_out = every[:-HELD_OUT], every[-HELD_OUT:]
    print(heading())
    kinds = {}
    for name, noise in KINDS.items():
        rows = [gains(noise, learn, held_out, seed) for seed in SEEDS]
        kinds[name] = {what: [row[what] for row in rows] for what in rows[0]}
        print(f"  {name:24}", ", ".join(f"{w} {np.mean(v):.2f} ± {np.ptp(v) / 2:.2f}" for w, v in kinds[name].items()))
    store("burst_kinds", kinds=kinds, seeds=list(SEEDS))


if __name__ == "__main__":
    main()
