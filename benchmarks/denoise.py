"""Is the 60-second denoiser better than scikit-image's filters as they come, and how long does it take?

Gaussian noise of sigma 25; Kodak24 if it is here, else the bundled photographs; 256x256 crops, protocol float.
Every method is told nothing but the noisy image; `dnlib.denoise` may take any of its candidates, networks too, or leave
the image as it is. BM3D takes part where it is installed (free for non-commercial use only), with the noise level that
scikit-image estimates.
"""

import time

import numpy as np
from outcome import heading, store
from skimage.restoration import (
    calibrate_denoiser,
    denoise_nl_means,
    denoise_tv_chambolle,
    denoise_wavelet,
    estimate_sigma,
)

import dnlib
from dnlib.images import arrays, datasets
from dnlib.training import psnr

SIGMA, SIDE = 25, 256


def scikit_image_calibrated(noisy: np.ndarray) -> np.ndarray:
    """`calibrate_denoiser` on NL-means as its gallery shows it: J-invariant with 16 masks at the end."""
    sigma = estimate_sigma(noisy, channel_axis=-1, average_sigmas=True)
    grid = {
        "h": np.linspace(0.3, 1.2, 6) * sigma,
        "patch_size": [5],
        "patch_distance": [6],
        "fast_mode": [True],
        "channel_axis": [-1],
    }
    return calibrate_denoiser(noisy, denoise_nl_means, grid)(noisy)


def bm3d(noisy: np.ndarray) -> np.ndarray:
    from bm3d import bm3d_rgb

    return bm3d_rgb(noisy, estimate_sigma(noisy, channel_axis=-1, average_sigmas=True))


METHODS = {
    "noisy image": lambda noisy: noisy,
    "scikit-image denoise_wavelet, as it comes": lambda noisy: denoise_wavelet(noisy, channel_axis=-1),
    "scikit-image denoise_tv_chambolle, as it comes": lambda noisy: denoise_tv_chambolle(noisy, channel_axis=-1),
    "scikit-image denoise_nl_means, as it comes": lambda noisy: denoise_nl_means(noisy, channel_axis=-1),
    "scikit-image NL-means by calibrate_denoiser": scikit_image_calibrated,
    "dnlib ridge regression with estimated level": lambda noisy: dnlib.denoise(noisy, filter="ridge"),
    "dnlib.denoise": dnlib.denoise,
}


def photographs() -> tuple[str, list[np.ndarray]]:
    name = "kodak24" if datasets.find("kodak24").is_present else "bundled"
    colour = [arrays.to_unit(e.clean) for e in datasets.load(name) if e.clean.ndim == 3]
    return name, [arrays.middle(image, SIDE) for image in colour]


def main():
    methods = dict(METHODS)
    try:
        import bm3d as _  # noqa: F401

        methods["BM3D with estimated level"] = bm3d
    except ImportError:
        print("bm3d is not installed: it takes no part")
    name, clean = photographs()
    rng = np.random.default_rng(0)
    noisy = [x + SIGMA / 255 * rng.standard_normal(x.shape).astype(np.float32) for x in clean]
    scores, seconds = {}, {}
    for method, function in methods.items():
        started = time.perf_counter()
        estimates = [function(y) for y in noisy]
        seconds[method] = (time.perf_counter() - started) / len(noisy)
        scores[method] = [psnr(estimate, x) for estimate, x in zip(estimates, clean, strict=True)]
    images = f"{len(clean)} of {name}, {SIDE}x{SIDE}, sigma {SIGMA}"
    decibels = {method: round(float(np.mean(values)), 2) for method, values in scores.items()}
    seconds = {method: round(value, 3) for method, value in seconds.items()}
    store("denoise", images=images, psnr=decibels, seconds_per_image=seconds)
    print(f"{heading()}\n  {images}")
    for method in methods:
        print(f"  {method:48} {decibels[method]:6.2f} dB  {seconds[method]:7.3f} s")


if __name__ == "__main__":
    main()
