"""How fast are the nearest patches of a burst found, compared with the search by tensors that the reference uses?

7 frames of 240x320 in colour, radius 7, patches of 7 and of 43 pixels, float32; beside the operations per second of a
convolution. The tensor form moves a whole frame by
each candidate motion, squares the difference and sums over patches by two cumulative sums. Then a full-size case of
7 frames of 480x854, radius 37, patches of 43.
"""

import resource
import sys

import numpy as np
import torch
from outcome import heading, store, timed
from steps import peak
from torch import Tensor

from dnlib.images import arrays, set_in_motion
from dnlib.methods.patch_targets import _mirrored, search
from dnlib.noise import CorrelatedGaussian, noisy_burst

REPEATS, TARGET = 9, 6


def by_tensors(burst: Tensor, patch: int, radius: int) -> tuple[Tensor, Tensor]:
    """Distance and candidate number (in the order of frames, rows, columns) of the nearest patches."""
    padded, middle = _mirrored(burst, patch), len(burst) // 2
    outside = torch.nn.functional.pad(padded, (radius,) * 4, value=-1.0)
    height, width = padded.shape[2:]
    best = torch.full((height - patch + 1, width - patch + 1), torch.inf)
    which = torch.zeros(best.shape, dtype=torch.long)
    number = 0
    for frame in range(len(burst)):
        if frame == middle:
            continue
        for dy in range(2 * radius + 1):
            for dx in range(2 * radius + 1):
                moved = outside[frame, :, dy : dy + height, dx : dx + width]
                difference = ((padded[middle] - moved) ** 2).mean(dim=0)
                for axis in (0, 1):
                    sums = torch.nn.functional.pad(difference.cumsum(axis), (1, 0) if axis else (0, 0, 1, 0))
                    size = difference.shape[axis]
                    difference = sums.narrow(axis, patch, size - patch + 1) - sums.narrow(axis, 0, size - patch + 1)
                nearer = difference < best
                best, which = torch.where(nearer, difference, best), torch.where(nearer, number, which)
                number += 1
    return best / patch**2, which


def numbers(found, frames: int, radius: int) -> np.ndarray:
    frame = found.frame - (found.frame > frames // 2)
    side = 2 * radius + 1
    return (frame.astype(int) * side + found.row + radius) * side + found.column + radius


def made(shape: tuple[int, int]) -> Tensor:
    photograph = np.tile(arrays.photo("astronaut"), (2, 3, 1))
    clean = set_in_motion(photograph, shape=shape, shift=1.5)
    return noisy_burst(clean, CorrelatedGaussian(20, 3), torch.Generator().manual_seed(0)).image


def operations(patch: int) -> int:
    """Operations per pixel and motion: squares that enter and leave, sums along the row, a comparison."""
    digits, rest = [], patch
    while rest:
        digits, rest = [*digits, rest % 4], rest // 4
    return 3 * 6 + sum(digits) + 3 * (len(digits) - 1) + 1


def main():
    outcome, burst = {}, made((240, 320))
    print(heading())
    search(burst, patch=3, radius=1)  # compile
    fastest = peak(torch.float32)
    for patch in (7, 43):
        seconds, found = timed(lambda patch=patch: search(burst, patch=patch, radius=7), REPEATS)
        tensors, (best, which) = timed(lambda patch=patch: by_tensors(burst, patch, 7), REPEATS)
        same = float(np.mean(numbers(found, 7, 7) == which.numpy()))
        ties = float(np.mean(np.isclose(found.distance, best.numpy(), rtol=1e-3, atol=1e-6)))
        candidates = 6 * 15**2 * found.distance.size
        outcome[f"patch {patch}"] = {
            "seconds": seconds,
            "tensors": tensors,
            "ratio": tensors / seconds,
            "same_neighbour": same,
            "same_distance": ties,
            "ns_per_pixel_and_candidate": 1e9 * seconds / candidates,
            "share_of_peak": operations(patch) * candidates / seconds / fastest,
        }
        row = outcome[f"patch {patch}"]
        print(
            f"  patch {patch:2}: {seconds:6.2f} s, tensors {row['tensors']:6.1f} s, ratio {row['ratio']:5.1f}; "
            f"{row['ns_per_pixel_and_candidate']:.2f} ns per pixel and motion, {row['share_of_peak']:.0%} of peak; "
            f"same neighbour {same:.2%}, same distance {ties:.2%}"
        )
    large = made((480, 854))
    seconds, _ = timed(lambda: search(large, patch=43, radius=37))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    outcome["full size"] = {"seconds": seconds, "peak_memory_mb": memory}
    print(f"  480x854, radius 37, patch 43: {seconds:.1f} s, {memory:.0f} MB at the peak, all in all")
    store("patches", **outcome)
    if min(outcome[f"patch {patch}"]["ratio"] for patch in (7, 43)) < TARGET or seconds > 45:
        sys.exit(f"  missed: {TARGET} times the tensors and 45 s for the full size were expected")


if __name__ == "__main__":
    main()
