"""Does the denoiser ever make a picture worse, however weak its noise is and whatever type it has?

Bundled pictures of 256x256 pixels, gray and colour, with white noise of 0 to 50 (in 8-bit units), clipped and stored
in 8 bits, and in 12 and 16 bits of uint16. What counts is the PSNR against the clean picture before and after; without
noise, by how many gray levels (of 255) the result differs from it.
"""

import sys
import warnings

import numpy as np
from outcome import heading, store
from skimage import data
from tqdm import tqdm

import dnlib

GRAY = ("camera", "coins", "astronaut", "brick", "text", "moon")
COLOUR = ("astronaut", "chelsea", "coffee")
SIGMAS = (0, 0.5, 1, 2, 3, 5, 15, 25, 50)
WHITE = {8: 255, 12: 4095, 16: 65535}
SIDE, HARM = 256, 0.1  # pixels, dB
WORST = 12  # cases listed


def pictures() -> dict[str, np.ndarray]:
    """Name -> [H, W] or [H, W, 3] in [0, 1]."""
    found = {}
    for name in GRAY:
        picture = getattr(data, name)()[:SIDE, :SIDE] / 255
        found[name] = picture if picture.ndim == 2 else picture @ np.array([0.299, 0.587, 0.114])
    return found | {f"{name}, colour": getattr(data, name)()[:SIDE, :SIDE] / 255 for name in COLOUR}


def case(name: str, clean: np.ndarray, sigma: float, bits: int) -> dict:
    """What became of one picture."""
    noise = np.random.default_rng([int(10 * sigma), bits, len(name)]).normal(0, 1, clean.shape)
    noisy = np.rint(WHITE[bits] * (clean + sigma / 255 * noise).clip(0, 1)).astype(np.uint8 if bits == 8 else np.uint16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        denoised, choice = dnlib.denoise(noisy, return_choice=True)
    change = 255 * (denoised.astype(float) - noisy) / WHITE[bits]
    before, after = (psnr(one / WHITE[bits], clean) for one in (noisy, denoised))
    return {
        "picture": name,
        "sigma": sigma,
        "bits": bits,
        "filter": choice.filter,
        "estimated_sigma": round(255 * choice.noise / WHITE[bits], 2),
        "before_db": before,
        "gain_db": None if before is None else round(after - before, 2),
        "largest_change": round(float(np.abs(change).max()), 2),
        "rms_change": round(float(np.sqrt(np.mean(change**2))), 3),
    }


def psnr(image: np.ndarray, clean: np.ndarray) -> float | None:
    error = float(np.mean((image - clean) ** 2))
    return round(float(-10 * np.log10(error)), 2) if error > 1e-12 else None


def main():
    wanted = [(name, clean, sigma, bits) for bits in WHITE for name, clean in pictures().items() for sigma in SIGMAS]
    cases = [case(*one) for one in tqdm(wanted, disable=not sys.stderr.isatty())]
    noisy, clean = ([one for one in cases if bool(one["sigma"]) == some] for some in (True, False))
    harmed = sorted((one for one in noisy if one["gain_db"] < -HARM), key=lambda one: one["gain_db"])
    by_sigma = {
        str(sigma): round(float(np.mean([one["gain_db"] for one in noisy if one["sigma"] == sigma])), 2)
        for sigma in SIGMAS[1:]
    }
    share = round(len(harmed) / len(noisy), 4)
    largest = max(clean, key=lambda one: one["rms_change"])
    store(
        "harmless",
        harm_db=HARM,
        cases=len(noisy),
        harmed=share,
        mean_gain_db=by_sigma,
        worst=harmed[:WORST],
        without_noise={
            "unchanged": sum(one["largest_change"] == 0 for one in clean),
            "of": len(clean),
            "most_changed": largest,
        },
        all=cases,
    )
    print(heading())
    print(f"  {len(harmed)} of {len(noisy)} noisy pictures more than {HARM} dB worse ({share:.1%})")
    for one in harmed[:WORST]:
        print(f"    {one['picture']}, {one['bits']} bits, sigma {one['sigma']}: {one['gain_db']} dB, {one['filter']}")
    print("  mean gain by sigma: " + ", ".join(f"{sigma}: {gain} dB" for sigma, gain in by_sigma.items()))
    unchanged = sum(one["largest_change"] == 0 for one in clean)
    print(
        f"  without noise {unchanged} of {len(clean)} come back exactly; most changed {largest['picture']}, "
        f"{largest['bits']} bits: {largest['rms_change']} rms, at most {largest['largest_change']} of 255"
    )
    if harmed:
        sys.exit("  missed: no picture should be made worse")


if __name__ == "__main__":
    main()
