"""How much faster is a donut in one pass than scikit-image's J-invariant calibration with all masks?

Both calibrate the median over radii 1 to 6 on the same noisy 512x512 image with the same inner filter,
in turn, in one process. Writes results/donut.json beside this file.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from skimage.restoration import calibrate_denoiser

from dnlib import files, images, provenance
from dnlib.jinvariance import calibrate, donut_median, median

RADII, REPEATS, TARGET = range(1, 7), 3, 12


def one_pass(noisy: np.ndarray) -> int:
    return calibrate(donut_median, noisy, [{"radius": radius} for radius in RADII], blind=True).best["radius"]


def all_masks(noisy: np.ndarray) -> int:
    _, (settings, losses) = calibrate_denoiser(
        noisy, median, {"radius": list(RADII)}, approximate_loss=False, extra_output=True
    )
    return settings[int(np.argmin(losses))]["radius"]


def main():
    clean = images.photo("camera")
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape).astype(np.float32)
    seconds, chosen = {"donut, one pass": [], "scikit-image, all masks": []}, {}
    for _ in range(REPEATS):
        for name, method in zip(seconds, (one_pass, all_masks), strict=True):
            started = time.perf_counter()
            chosen[name] = method(noisy)
            seconds[name].append(time.perf_counter() - started)
    ours, theirs = (float(np.median(times)) for times in seconds.values())
    outcome = {
        "question": __doc__.split("\n")[0],
        "seconds": {name: [round(value, 3) for value in times] for name, times in seconds.items()},
        "ratio": round(theirs / ours, 1),
        "radius": chosen,
        "machine": provenance.machine(),
        "versions": provenance.versions(),
    }
    path = Path(__file__).parent / "results" / "donut.json"
    path.parent.mkdir(exist_ok=True)
    with files.atomic(path) as temporary:
        temporary.write_text(json.dumps(outcome, indent=1) + "\n")
    print(outcome["question"])
    for name, times in seconds.items():
        print(f"  {name:25} {np.median(times):7.2f} s  (radius {chosen[name]})")
    print(f"  ratio {outcome['ratio']}, {outcome['machine']}, {REPEATS} runs each in turn")
    if len(set(chosen.values())) != 1 or outcome["ratio"] < TARGET:
        sys.exit(f"  missed: the same radius and a ratio of {TARGET} or more were expected")


if __name__ == "__main__":
    main()
