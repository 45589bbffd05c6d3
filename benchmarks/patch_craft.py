"""How far does a few minutes of Patch-Craft come, for noise of each strength and correlation that its authors tried?

DAVIS, the middles of the videos, 7 frames each; the last four are held out. For each sigma and kernel: the network for
independent noise as it ships, and adapted by STEPS steps on tiles of the other videos, with the authors' patch sizes.
At sigma 20, kernel 3 also a network taught by clean tiles, and BM3D told the spectrum of the noise where the package
bm3d is installed. Beside it the published PSNR, on other frames, after 30 epochs on 90 videos. Ten minutes.
"""

import time
from unittest import mock

import numpy as np
import torch
from outcome import heading, store
from torch import Tensor

from dnlib.images import datasets, middle, to_image, to_tensor
from dnlib.methods import PatchCraft, craft_tiles
from dnlib.noise import CorrelatedGaussian, noisy_burst
from dnlib.training import fit, metrics, tile_crops
from dnlib.zoo import cards
from dnlib.zoo.recipe import HELD_OUT

START, STEPS, SIDE, RADIUS, TILE, STRIDE = "bias_free_rgb_sigma0to55", 100, 352, 16, 50, 30
PATCHES = {5: (19, 19, 25), 10: (27, 37, 43), 15: (31, 41, 43), 20: (33, 43, 45)}  # for kernels 2, 3, 4
PUBLISHED = {5: (38.98, 38.26, 37.83), 10: (35.51, 34.81, 34.28), 15: (33.45, 32.61, 32.00), 20: (31.89, 31.06, 30.42)}
KERNELS = (2, 3, 4)
MOST = (20, 3)  # where the others are compared as well


def videos() -> list[Tensor]:
    """Seven frames of each, [7, 3, SIDE, SIDE]."""
    found = datasets.load("davis480p")
    return [torch.cat([to_tensor(middle(frame, SIDE)) for frame in video.clean[:7]]) for video in found]


def learned(tiles, seed: int = 0) -> PatchCraft:
    method = PatchCraft(cards.load_method(START).network)
    fit(method, tile_crops(tiles, 16), steps=STEPS, learning_rate=5e-4, average=0.97, seed=seed, progress=False)
    return method


def tiles_of(frame: Tensor) -> Tensor:
    """The tiles that `craft_tiles` cuts of an image [1, C, H, W]."""
    return frame.unfold(2, TILE, STRIDE).unfold(3, TILE, STRIDE)[0].permute(1, 2, 0, 3, 4).flatten(0, 1)


def bm3d_with_spectrum(noisy: Tensor, noise: CorrelatedGaussian) -> Tensor:
    from bm3d import bm3d_rgb

    height, width = noisy.shape[2:]
    spectrum = np.abs(np.fft.fft2(noise.kernel.numpy(), (height, width))) ** 2
    spectrum *= noise.bounds[0] ** 2 * height * width
    with mock.patch.object(np, "trapz", np.trapezoid, create=True):  # bm3d calls it by a name that NumPy has dropped
        return to_tensor(bm3d_rgb(to_image(noisy), spectrum).astype(np.float32))


def main():
    every, grid = videos(), {}
    print(heading())
    learn, held_out = every[:-HELD_OUT], every[-HELD_OUT:]

    def score(denoise, noise) -> float:
        found = []
        for index, burst in enumerate(held_out):
            clean = burst[3:4]
            noisy = noise.sample(clean, torch.Generator().manual_seed(100 + index)).image
            found.append(metrics.psnr(denoise(noisy), clean, "clamped"))
        return float(np.mean(found))

    for sigma, patches in PATCHES.items():
        for kernel, patch, published in zip(KERNELS, patches, PUBLISHED[sigma], strict=True):
            started, noise = time.perf_counter(), CorrelatedGaussian(sigma, kernel)
            noisy = [noisy_burst(c, noise, torch.Generator().manual_seed(i)).image for i, c in enumerate(learn)]
            sizes = {"patch": patch, "radius": RADIUS, "side": TILE, "stride": STRIDE}
            tiles, blind = craft_tiles(noisy, **sizes), cards.load_method(START)
            good = tiles.good()
            methods = {"start": blind, "adapted": learned(tiles.filtered())}
            if (sigma, kernel) == MOST:
                clean = torch.cat([tiles_of(burst[3:4]) for burst in learn])
                methods["adapted, all tiles"] = learned(tiles)
                methods["clean tiles"] = learned(tiles._replace(target=clean).only(good))
            row = {name: score(lambda y, m=m: m.denoise(y).mean, noise) for name, m in methods.items()}
            row |= {"published": published, "kept": float(good.mean()), "peak": tiles.peak * 255**2 / sigma**2}
            row["seconds"] = time.perf_counter() - started
            if (sigma, kernel) == MOST:
                try:
                    row["BM3D, true spectrum"] = score(lambda y, noise=noise: bm3d_with_spectrum(y, noise), noise)
                except ModuleNotFoundError:
                    print("bm3d is not installed: it takes no part")
            grid[f"sigma {sigma}, kernel {kernel}"] = row
            print(
                f"  sigma {sigma:2}, kernel {kernel}: " + ", ".join(f"{k} {v:.2f}" for k, v in row.items()), flush=True
            )
    store("patch_craft", grid=grid, steps=STEPS)


if __name__ == "__main__":
    main()
