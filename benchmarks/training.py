"""How much faster is `training.fit` than the plain form of the same training step?

Noise2Clean's U-Net at the published width 48, batches of 4 colour crops of 64x64, noise of sigma 25. The plain form is
what one would write first: float32, channels first, Adam. Both in turn, in one process, on the same batches; and again
in another process without the units for bfloat16, as on most laptops.
"""

import json
import statistics
import sys

import numpy as np
import torch
from outcome import apart, heading, store
from steps import STEPS, drawing, fitted, operations, peak, plain

from dnlib.images import arrays
from dnlib.methods import Noise2Clean
from dnlib.networks import Noise2CleanUNet
from dnlib.noise import Gaussian
from dnlib.training import Crops, computes_in_bfloat16

REPEATS = 5
WITHOUT = {"DNLIB_PRECISION": "float32", "ONEDNN_MAX_CPU_ISA": "AVX2"}  # the units of most laptops
COLOUR = ("astronaut", "coffee", "chelsea", "rocket")


def noise2clean() -> Noise2Clean:
    return Noise2Clean(Noise2CleanUNet(3, 48))


def measured() -> dict:
    batches = Crops([(255 * arrays.photo(name)).astype(np.uint8) for name in COLOUR], Gaussian(25), size=64, count=4)
    seconds = {"plain float32": [], "training.fit": []}
    for _ in range(REPEATS):
        for name, step in zip(seconds, (plain, fitted), strict=True):
            seconds[name].append(step(noise2clean, batches))
    slow, fast = (statistics.median(times) for times in seconds.values())
    bf16 = computes_in_bfloat16("cpu")
    peaks = {str(dtype): peak(dtype) for dtype in ([torch.bfloat16] if bf16 else []) + [torch.float32]}
    work = operations(Noise2CleanUNet(3, 48))
    return {
        "seconds": seconds,
        "ratio": round(slow / fast, 2),
        "bfloat16": bf16,
        "gigaflop_per_step": work / 1e9,
        "gigaflops_peak": {name: value / 1e9 for name, value in peaks.items()},
        "share_of_peak": work / fast / next(iter(peaks.values())),
        "share_of_drawing": drawing(Noise2Clean.needs, batches) / fast,
    }


def told(form: dict) -> bool:
    """Print what was measured; whether it is what was expected."""
    kind, target = ("bfloat16", 1.9) if form["bfloat16"] else ("float32", 1.3)
    for name, times in form["seconds"].items():
        print(f"  {name:15} {1000 * statistics.median(times):7.1f} ms per step")
    print(f"  ratio {form['ratio']} ({kind}), {REPEATS} x {STEPS} steps each in turn")
    best = next(iter(form["gigaflops_peak"].values()))
    print(f"  {form['share_of_peak']:.0%} of the convolution peak measured here ({best:.0f} Gflop/s)")
    print(f"  drawing a batch takes {form['share_of_drawing']:.1%} of a step")
    if missed := form["ratio"] < target or form["share_of_drawing"] > 0.05:
        print(f"  missed: a ratio of {target} or more and at most 5 % for drawing were expected")
    return not missed


def main():
    if "--measure" in sys.argv:
        print(json.dumps(measured()))
        return
    print(heading())
    own, without = measured(), apart("--measure", **WITHOUT)
    store("training", **own, without_bfloat16=without)
    sys.exit(not all([told(own), told(without)]))


if __name__ == "__main__":
    main()
