"""How much faster is `training.fit` than the plain form of the same training step?

Noise2Clean's U-Net at the published width 48, batches of 4 colour crops of 64x64, noise of sigma 25. The plain form is
what one would write first: float32, channels first, Adam. Both in turn, in one process, on the same batches.
"""

import statistics
import sys
import time

import numpy as np
import torch
from outcome import store
from torch import nn

from dnlib import images, provenance
from dnlib.batches import Crops
from dnlib.methods import Noise2Clean
from dnlib.networks import Noise2CleanUNet
from dnlib.noise import Gaussian
from dnlib.training import computes_in_bfloat16, fit

REPEATS, STEPS, WARM_UP = 5, 40, 10
COLOUR = ("astronaut", "coffee", "chelsea", "rocket")


def plain(batches: Crops) -> float:
    """Seconds per step of the plain form."""
    method, generator = Noise2Clean(Noise2CleanUNet(3, 48)), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(method.parameters(), lr=3e-4, betas=(0.9, 0.99), foreach=False)
    for step in range(WARM_UP + STEPS):
        if step == WARM_UP:
            started = time.perf_counter()
        batch = batches.draw(method.needs, generator)
        batch.noisy, batch.clean = batch.noisy.contiguous(), batch.clean.contiguous()
        loss = method.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    return (time.perf_counter() - started) / STEPS


def ours(batches: Crops) -> float:
    """Seconds per step of `fit`, with everything it does around a step."""
    method = Noise2Clean(Noise2CleanUNet(3, 48))
    fit(method, batches, steps=WARM_UP, device="cpu", progress=False)
    return fit(method, batches, steps=STEPS, device="cpu", progress=False).seconds / STEPS


def drawing(batches: Crops) -> float:
    """Seconds for one batch: crops, turns, noise."""
    generator, needs = torch.Generator().manual_seed(0), Noise2Clean.needs
    started = time.perf_counter()
    for _ in range(200):
        batches.draw(needs, generator)
    return (time.perf_counter() - started) / 200


def operations() -> int:
    """Floating-point operations of all convolutions of one step: forward once, backward twice that."""
    network, counted = Noise2CleanUNet(3, 48), []

    def count(layer: nn.Conv2d, inputs, output):
        counted.append(2 * output.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.rand(4, 3, 64, 64))
    return 3 * sum(counted)


def peak(dtype: torch.dtype) -> float:
    """The best operations per second of one 3x3 convolution, over a few comfortable shapes."""
    best = 0.0
    for channels, side in [(64, 64), (96, 64), (128, 64), (256, 32)]:
        layer = nn.Conv2d(channels, channels, 3, padding=1).to(dtype, memory_format=torch.channels_last)
        x = torch.rand(8, channels, side, side).to(dtype, memory_format=torch.channels_last)
        with torch.no_grad():
            layer(x)
            for _ in range(10):
                started = time.perf_counter()
                out = layer(x)
                best = max(best, 2 * out.numel() * layer.weight[0].numel() / (time.perf_counter() - started))
    return best


def main():
    batches = Crops([(255 * images.photo(name)).astype(np.uint8) for name in COLOUR], Gaussian(25), size=64, count=4)
    seconds = {"plain float32": [], "training.fit": []}
    for _ in range(REPEATS):
        for name, step in zip(seconds, (plain, ours), strict=True):
            seconds[name].append(step(batches))
    slow, fast = (statistics.median(times) for times in seconds.values())
    bf16 = computes_in_bfloat16("cpu")
    peaks = {str(dtype): peak(dtype) for dtype in ([torch.bfloat16] if bf16 else []) + [torch.float32]}
    ratio, target = round(slow / fast, 2), 1.8 if bf16 else 1.0
    share = drawing(batches) / fast
    of_peak = operations() / fast / next(iter(peaks.values()))
    question = __doc__.split("\n")[0]
    store(
        "training",
        question=question,
        seconds=seconds,
        ratio=ratio,
        bfloat16=bf16,
        gigaflop_per_step=operations() / 1e9,
        gigaflops_peak={name: value / 1e9 for name, value in peaks.items()},
        share_of_peak=of_peak,
        share_of_drawing=share,
    )
    print(question)
    for name, times in seconds.items():
        print(f"  {name:15} {1000 * statistics.median(times):7.1f} ms per step")
    kind = "bfloat16" if bf16 else "float32"
    print(f"  ratio {ratio} ({kind}), {provenance.machine()}, {REPEATS} x {STEPS} steps each in turn")
    print(f"  {of_peak:.0%} of the convolution peak measured here ({next(iter(peaks.values())) / 1e9:.0f} Gflop/s)")
    print(f"  drawing a batch takes {share:.1%} of a step")
    if ratio < target or share > 0.05:
        sys.exit(f"  missed: a ratio of {target} or more and at most 5 % for drawing were expected")


if __name__ == "__main__":
    main()
