"""What a training step takes: the plain form of it, `training.fit`'s, its operations, and this machine's peak."""

import time
from collections.abc import Callable

import torch
from torch import nn

from dnlib.methods import Method
from dnlib.training import Crops, fit

STEPS, WARM_UP = 40, 10


def plain(make: Callable[[], Method], batches: Crops) -> float:
    """Seconds per step of what one would write first: float32, channels first, Adam."""
    method, generator = make(), torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(method.parameters(), lr=3e-4, betas=(0.9, 0.99), foreach=False)
    for step in range(WARM_UP + STEPS):
        if step == WARM_UP:
            started = time.perf_counter()
        batch = batches.draw(method.needs, generator)
        for part in method.needs:
            setattr(batch, part, getattr(batch, part).contiguous())
        loss = method.loss(batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss.item()
    return (time.perf_counter() - started) / STEPS


def fitted(make: Callable[[], Method], batches: Crops) -> float:
    """Seconds per step of `fit`, with everything it does around a step."""
    method = make()
    fit(method, batches, steps=WARM_UP, device="cpu", progress=False)
    return fit(method, batches, steps=STEPS, device="cpu", progress=False).seconds / STEPS


def drawing(needs: frozenset[str], batches: Crops) -> float:
    """Seconds for one batch: crops, turns, noise."""
    generator = torch.Generator().manual_seed(0)
    started = time.perf_counter()
    for _ in range(200):
        batches.draw(needs, generator)
    return (time.perf_counter() - started) / 200


def operations(network: nn.Module, shape: tuple[int, ...] = (4, 3, 64, 64)) -> int:
    """Floating-point operations of all convolutions of one step: forward once, backward twice that."""
    counted = []

    def count(layer: nn.Conv2d, inputs, output):
        counted.append(2 * output.numel() * layer.weight[0].numel())

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.rand(shape))
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
