"""How fast are AP-BSN and LG-BPN here, against the plain form of a training step and the published order of inference?

1. LG-BPN at published width, one image of 256x256, the first pass of the SIDD settings, float32. The published order
   masks the weights in place at each call, samples the features between pixels tap by tap, and gives the small images
   to the network one after the other; here the moved taps are one smaller kernel, and the small images a batch. The
   same weights, and the same answer. And where the time goes.
2. AP-BSN at published width, the same image, not refined. The published order masks the weights in place and lays the
   small images, with their borders, side by side in one image, channels first; here `denoise` gives the same answer.
   Both networks also in bfloat16, where the processor has units for it.
3. A training step of AP-BSN at published width, on 2 crops of 60x60, against its plain float32 form.
"""

import copy
import sys
from collections.abc import Callable

import numpy as np
import torch
from outcome import heading, store, timed
from steps import fitted, operations, peak, plain
from torch import Tensor
from torch.nn import functional

from dnlib.images import arrays
from dnlib.methods import APBSN, SIDD, adjusted
from dnlib.networks import BlindPatch, Branch, DilatedBlindSpot, local_global, shrunk, shuffle
from dnlib.noise import Gaussian
from dnlib.training import Crops, computes_in_bfloat16

REPEATS = 3
TARGET = 2.5  # times the published order, in the fastest form that this machine has


def sampled_tap_by_tap(branch: Branch, features: Tensor, ratio: float) -> Tensor:
    """The masked convolution whose taps lie at `ratio` times their offset: one bilinear reading per tap."""
    branch.look.weight *= branch.look.taps
    height, width = features.shape[2:]
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    side, total = branch.look.weight.shape[-1], branch.look.bias[:, None, None].clone()
    for i in range(side):
        for j in range(side):
            dy, dx = ratio * (i - side // 2), ratio * (j - side // 2)
            places = torch.stack([2 * (x + dx) / (width - 1) - 1, 2 * (y + dy) / (height - 1) - 1], dim=-1)[None]
            read = functional.grid_sample(features, places, align_corners=True)
            total = total + torch.einsum("oi,niyx->noyx", branch.look.weight[:, :, i, j], read)
    return total


def in_the_published_order(network: BlindPatch, image: Tensor) -> Tensor:
    features, answers = network.head(image), []
    for branch, stride, ratio in zip((network.local, network.global_), *SIDD[0], strict=True):
        small = shuffle.split(sampled_tap_by_tap(branch, features, ratio), stride)
        one_by_one = torch.cat([branch.body(part[None]) for part in small])
        answers.append(shuffle.join(one_by_one, stride, image.shape[2:]))
    return network.tail(torch.cat(answers, dim=1))


def by_part(network: BlindPatch, image: Tensor) -> dict[str, float]:
    """Seconds of the masked convolutions, the bodies, and the rest."""
    features, found = network.head(image), {}
    branches = network.local, network.global_
    for name, branch, stride, ratio in zip(("local", "global"), branches, *SIDD[0], strict=True):
        kernel = shrunk(branch.look.weight * branch.look.taps, ratio)
        found[f"{name}, masked convolution"], seen = timed(
            lambda k=kernel: functional.conv2d(features, k, padding=k.shape[-1] // 2), REPEATS
        )
        small = shuffle.split(seen, stride)
        found[f"{name}, body"], _ = timed(lambda b=branch, s=small: b.body(s), REPEATS)
    joined = torch.cat([seen, seen], dim=1)
    ends = (lambda: network.head(image)), (lambda: network.tail(joined))
    found["head and tail"] = sum(timed(end, REPEATS)[0] for end in ends)
    return found


@torch.no_grad()
def lg_bpn(side: int = 256) -> dict:
    torch.manual_seed(0)
    network, image = local_global().eval(), torch.rand(1, 3, side, side)

    def ours() -> Tensor:
        with adjusted(network, SIDD[0]):
            return network(image)

    return compared(ours, lambda: in_the_published_order(network, image)) | {"parts": by_part(network, image)}


@torch.no_grad()
def ap_bsn(side: int = 256) -> dict:
    torch.manual_seed(0)
    method, image = APBSN(DilatedBlindSpot(3, 128), refinements=0).eval(), torch.rand(1, 3, side, side)
    first = copy.deepcopy(method.network).to(memory_format=torch.contiguous_format)

    def published() -> Tensor:
        for branch in first.branches:
            branch[0].weight *= branch[0].taps
        return shuffle.apply(first, image, method.stride, border=method.border)

    return compared(lambda: method.denoise(image).mean, published)


def compared(ours: Callable[[], Tensor], published: Callable[[], Tensor]) -> dict[str, float]:
    """Seconds of both, how many times as fast ours is, and how far it is off, of the largest value."""
    ours()
    (seconds, answer), (slow, reference) = timed(ours, REPEATS), timed(published)
    difference = float((answer - reference).abs().max() / reference.abs().max())
    found = {"seconds": seconds, "published_order": slow, "ratio": slow / seconds, "difference": difference}
    if computes_in_bfloat16("cpu"):
        rounded, _ = timed(torch.autocast("cpu", torch.bfloat16)(ours), REPEATS)
        found |= {"seconds, bfloat16": rounded, "ratio, bfloat16": slow / rounded}
    return found


def fastest(found: dict[str, float]) -> float:
    return max(found["ratio"], found.get("ratio, bfloat16", 0))


def main():
    print(heading())
    inference = {"LG-BPN": lg_bpn(), "AP-BSN": ap_bsn()}
    for name, found in inference.items():
        print(
            f"  {name}, 256x256: {found['seconds']:.2f} s, in the published order {found['published_order']:.2f} s, "
            f"ratio {found['ratio']:.1f}; the answers differ by {found['difference']:.1e} of the largest"
        )
        if "ratio, bfloat16" in found:
            print(f"    in bfloat16 {found['seconds, bfloat16']:.2f} s, ratio {found['ratio, bfloat16']:.1f}")
    for name, seconds in inference["LG-BPN"]["parts"].items():
        print(f"    {name:28} {seconds:.2f} s")
    photographs = [(255 * arrays.photo(name)).astype(np.uint8) for name in ("astronaut", "coffee", "chelsea")]
    batches, times = Crops(photographs, Gaussian(25), size=60, count=2), {}
    for name, step in {"plain float32": plain, "training.fit": fitted}.items():
        times[name] = step(lambda: APBSN(DilatedBlindSpot(3, 128)), batches)
    bf16 = computes_in_bfloat16("cpu")
    ratio, target = times["plain float32"] / times["training.fit"], 1.7 if bf16 else 1.0
    work = operations(DilatedBlindSpot(3, 128), (2, 3, 5 * 16, 5 * 16))  # small images of 12x12 with their borders
    of_peak = work / times["training.fit"] / peak(torch.bfloat16 if bf16 else torch.float32)
    print(
        f"  AP-BSN's step: {times['training.fit']:.2f} s, plain {times['plain float32']:.2f} s, ratio {ratio:.2f}; "
        f"{of_peak:.0%} of the convolution peak"
    )
    step = {"seconds": times, "ratio": ratio, "bfloat16": bf16, "share_of_peak": of_peak}
    store("blind_patch", inference=inference["LG-BPN"], inference_ap_bsn=inference["AP-BSN"], step=step)
    missed = [name for name, found in inference.items() if fastest(found) < TARGET or found["difference"] > 1e-4]
    if missed or ratio < target:
        expected = f"{TARGET} times the published order, equal to 1e-4, and {target} times the plain step"
        sys.exit(f"  missed{''.join(f', by {name}' for name in missed)}: {expected} were expected")


if __name__ == "__main__":
    main()
