"""Where do the shipped networks stand in the talk's table, beside CBM3D, on the whole photographs of both its sets?

PSNR at sigma 25, not clipped, the same noise for every row, on Kodak24 and on BSD300's 100 test photographs, which are
the part "val" of BSDS500; nothing that ships has learnt from them. CBM3D is told sigma, or an estimate by
scikit-image; it takes part where `bm3d` is installed (free for non-commercial use only). Beside each row the number of
Laine et al. 2019, table 1. A row takes 2 to 20 minutes of one core. Cut short, it goes on where it was.
"""

import sys

import numpy as np
from outcome import store, stored
from skimage.restoration import estimate_sigma
from torch import Tensor

from dnlib.images import arrays, datasets
from dnlib.noise import Gaussian
from dnlib.training import evaluate
from dnlib.zoo import cards

SIGMA = 25
SETS = {"kodak24": ("kodak24", None), "BSD300": ("bsds500", "val")}
NETWORKS = {
    "Noise2Clean": "noise2clean_rgb_sigma25",
    "Noise2Noise": "noise2noise_rgb_sigma25",
    "full": "blind_spot_rgb_sigma25_long",
    "diagonal": "blind_spot_rgb_sigma25_diagonal_long",
    "mean only": "blind_spot_rgb_sigma25_mean_only_long",
}
PUBLISHED = {
    "kodak24": {"Noise2Clean": 32.46, "Noise2Noise": 32.45, "full": 32.45, "diagonal": 31.60, "mean only": 30.64}
    | {"CBM3D, told sigma": 31.82, "CBM3D, estimate": 31.81},
    "BSD300": {"Noise2Clean": 31.08, "Noise2Noise": 31.07, "full": 31.03, "diagonal": 29.91, "mean only": 28.65}
    | {"CBM3D, told sigma": 30.40, "CBM3D, estimate": 30.40},
}


def cbm3d(noisy: Tensor, *, told: bool) -> Tensor:
    from bm3d import bm3d_rgb

    image = arrays.to_image(noisy).astype(np.float64)
    sigma = SIGMA / 255 if told else estimate_sigma(image, channel_axis=-1, average_sigmas=True)
    return arrays.to_tensor(bm3d_rgb(image, sigma).astype(np.float32))


def denoiser(row: str):
    if row in NETWORKS:
        return cards.load_method(NETWORKS[row])
    return lambda noisy: cbm3d(noisy, told=row == "CBM3D, told sigma")


def main() -> None:
    psnr = stored("talk").get("psnr", {})
    asked = [argument for argument in sys.argv[1:] if not argument.startswith("-")] or list(PUBLISHED)
    for name in asked:
        dataset, split = SETS[name]
        pictures, by_row = (
            datasets.load(dataset, split=split) if split else datasets.load(dataset),
            psnr.setdefault(name, {}),
        )
        for row, published in PUBLISHED[name].items():
            if row not in by_row:
                by_row[row] = evaluate(denoiser(row), pictures, Gaussian(SIGMA), progress=True).mean_psnr
                store("talk", sigma=SIGMA, psnr=psnr, published=PUBLISHED)
            print(f"{name:8} {row:18} {by_row[row]:6.2f} dB, published {published:.2f}")


if __name__ == "__main__":
    main()
