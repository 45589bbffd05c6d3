"""Does a program that calls dnlib once run its own NumPy and torch afterwards as fast as before?

Processor time and page faults of a small stack of convolutions, and of arithmetic on arrays of 1 MB, before and after
one `dnlib.denoise` and one tiny `fit`. Twice: in one process, before and after; and in processes that call dnlib first
or do not, in both orders. Each is measured in many short pieces, and the fastest piece counts.
"""

import json
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from outcome import apart, heading, store
from torch import nn

import dnlib
from dnlib.methods import Noise2Noise
from dnlib.networks import BabyUNet
from dnlib.training import fit

ROUNDS, PIECES = 5, 600


def convolutions() -> Callable[[], object]:
    layers = [layer for _ in range(4) for layer in (nn.Conv2d(16, 16, 3, padding=1), nn.ReLU())]
    stack, image = nn.Sequential(*layers), torch.rand(1, 16, 64, 64)
    return torch.no_grad()(lambda: stack(image))


def arithmetic() -> Callable[[], object]:
    a, b = np.random.default_rng(0).random((2, 1 << 17))  # 1 MB each
    return lambda: a * b + a


WORK = {"convolutions": convolutions, "arithmetic": arithmetic}


def measured() -> dict[str, dict[str, float]]:
    """Milliseconds of processor time of the fastest piece, and page faults per piece, of each kind of work."""
    found = {}
    for name, make in WORK.items():
        work, times = make(), []
        for _ in range(50):
            work()
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        for _ in range(PIECES):
            started = time.process_time()
            work()
            times.append(1000 * (time.process_time() - started))
        faults = (resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults) / PIECES
        found[name] = {"milliseconds": min(times), "page_faults": faults}
    return found


def call_dnlib() -> None:
    noisy = np.random.default_rng(0).random((48, 48, 3)).astype(np.float32)
    dnlib.denoise(noisy)
    pairs = [{name: torch.rand(2, 1, 32, 32) for name in ("noisy", "second_noisy")}]
    fit(Noise2Noise(BabyUNet(1, 8)), pairs, steps=3, device="cpu", progress=False)


def measure(what: str) -> list[dict]:
    """What a process of its own measures: "before and after", "dnlib first", "nothing first"."""
    torch.set_num_threads(1)
    first = [measured()] if what == "before and after" else []
    if what != "nothing first":
        call_dnlib()
    return [*first, measured()]


def main():
    rounds = [apart("--measure", "before and after") for _ in range(ROUNDS)]
    pairs = []
    for turn in range(2 * ROUNDS):  # in both orders
        order = ("nothing first", "dnlib first")[:: 1 if turn % 2 else -1]
        found = {what: apart("--measure", what)[0] for what in order}
        pairs.append((found["nothing first"], found["dnlib first"]))
    outcome = {}
    for comparison, runs in {"in one process": rounds, "in processes apart": pairs}.items():
        for name in WORK:
            before, after = (
                {
                    key: statistics.median(run[index][name][key] for run in runs)
                    for key in ("milliseconds", "page_faults")
                }
                for index in (0, 1)
            )
            ratio = statistics.median(run[1][name]["milliseconds"] / run[0][name]["milliseconds"] for run in runs)
            outcome[f"{name}, {comparison}"] = {"without": before, "with": after, "ratio": round(ratio, 3)}
    store("host", outcome=outcome)
    print(heading())
    for name, found in outcome.items():
        times = " to ".join(f"{found[key]['milliseconds']:.2f}" for key in ("without", "with"))
        faults = " to ".join(f"{found[key]['page_faults']:.0f}" for key in ("without", "with"))
        print(f"  {name:34} {times} ms, {faults} page faults, ratio {found['ratio']:.3f}")
    if not all(0.95 <= found["ratio"] <= 1.05 for found in outcome.values()):
        sys.exit("  missed: ratios of 0.95 to 1.05 were expected")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        print(json.dumps(measure(sys.argv[2])))
    else:
        main()
