"""How much faster is `training.fit` than the plain form of the same training step?

Noise2Clean's U-Net at the published width 48, batches of 4 colour crops of 64x64, noise of sigma 25. The plain form is
what one would write first: float32, channels first, Adam. Both in turn, in one process, on the same batches.
"""

import statistics
import sys

import numpy as np
import torch
from outcome import heading, store
from steps import STEPS, drawing, fitted, operations, peak, plain

from dnlib.images import arrays
from dnlib.methods import Noise2Clean
from dnlib.networks import Noise2CleanUNet
from dnlib.noise import Gaussian
from dnlib.training import Crops, computes_in_bfloat16

REPEATS = 5
COLOUR = ("astronaut", "coffee", "chelsea", "rocket")


def noise2clean() -> Noise2Clean:
    return Noise2Clean(Noise2CleanUNet(3, 48))


def main():
    batches = Crops([(255 * arrays.photo(name)).astype(np.uint8) for name in COLOUR], Gaussian(25), size=64, count=4)
    seconds = {"plain float32": [], "training.fit": []}
    for _ in range(REPEATS):
        for name, step in zip(seconds, (plain, fitted), strict=True):
            seconds[name].append(step(noise2clean, batches))
    slow, fast = (statistics.median(times) for times in seconds.values())
    bf16 = computes_in_bfloat16("cpu")
    peaks = {str(dtype): peak(dtype) for dtype in ([torch.bfloat16] if bf16 else []) + [torch.float32]}
    ratio, target = round(slow / fast, 2), 1.8 if bf16 else 1.0
    share = drawing(Noise2Clean.needs, batches) / fast
    work = operations(Noise2CleanUNet(3, 48))
    of_peak = work / fast / next(iter(peaks.values()))
    store(
        "training",
        seconds=seconds,
        ratio=ratio,
        bfloat16=bf16,
        gigaflop_per_step=work / 1e9,
        gigaflops_peak={name: value / 1e9 for name, value in peaks.items()},
        share_of_peak=of_peak,
        share_of_drawing=share,
    )
    print(heading())
    for name, times in seconds.items():
        print(f"  {name:15} {1000 * statistics.median(times):7.1f} ms per step")
    kind = "bfloat16" if bf16 else "float32"
    print(f"  ratio {ratio} ({kind}), {REPEATS} x {STEPS} steps each in turn")
    print(f"  {of_peak:.0%} of the convolution peak measured here ({next(iter(peaks.values())) / 1e9:.0f} Gflop/s)")
    print(f"  drawing a batch takes {share:.1%} of a step")
    if ratio < target or share > 0.05:
        sys.exit(f"  missed: a ratio of {target} or more and at most 5 % for drawing were expected")


if __name__ == "__main__":
    main()
