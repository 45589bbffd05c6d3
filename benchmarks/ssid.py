"""How fast is SSID: a step of its third stage against the plain float32 form, and denoising beside AP-BSN and LG-BPN?

1. A step of stage three at published width on 2 crops of 64x64, the two teachers answering in it.
2. One image of 256x256 at published width, float32, untrained weights (the time is the same): SSID, which is a plain
   U-Net by then, AP-BSN and LG-BPN without refinement and with eight. Published on GPUs: 4.8 ms, 0.42 s, 5.2 s.
"""

import sys
import time

import numpy as np
import torch
from outcome import store
from steps import fitted, plain

from dnlib import images, provenance
from dnlib.batches import Crops
from dnlib.methods import APBSN, LGBPN, Method, ssid
from dnlib.networks import DilatedBlindSpot, local_global
from dnlib.noise import CorrelatedGaussian
from dnlib.training import computes_in_bfloat16

REPEATS = 4


def third_stage() -> ssid.UNet:
    torch.manual_seed(0)
    bnn, lan, unet = ssid.published().stages
    bnn.take_as_trained()
    lan.take_as_trained()
    return unet


def seconds(method: Method, image: torch.Tensor) -> float:
    """The best of up to REPEATS, of one if that takes long."""
    times = []
    while len(times) < REPEATS and sum(times) < 10:
        started = time.perf_counter()
        method.denoise(image)
        times.append(time.perf_counter() - started)
    return min(times)


def main():
    question = __doc__.split("\n")[0]
    print(question)
    photographs = [(255 * images.photo(name)).astype(np.uint8) for name in ("astronaut", "coffee", "chelsea")]
    batches = Crops(photographs, CorrelatedGaussian(25, 3), size=64, count=2)
    slow, fast = plain(third_stage, batches), fitted(third_stage, batches)
    ratio, bf16 = slow / fast, computes_in_bfloat16("cpu")
    print(f"  stage three: {fast:.3f} s per step, plain {slow:.3f} s, ratio {ratio:.2f}")
    block = torch.rand(1, 3, 256, 256, generator=torch.Generator().manual_seed(0))
    methods = {"SSID": ssid.published()}
    for refinements, words in ((0, ", not refined"), (8, "")):
        methods[f"AP-BSN{words}"] = APBSN(DilatedBlindSpot(3, 128), refinements=refinements)
        methods[f"LG-BPN{words}"] = LGBPN(local_global(3, 128), refinements=refinements)
    block_seconds = {}
    for name, method in methods.items():
        block_seconds[name] = seconds(method, block)
        print(f"  {name:22} {block_seconds[name]:7.2f} s per 256x256 block", flush=True)
    print(f"  {provenance.machine()}")
    step = {"plain": slow, "training.fit": fast, "ratio": ratio, "bfloat16": bf16}
    store("ssid", question=question, step=step, block=block_seconds)
    if ratio < (1.7 if bf16 else 1.0):
        sys.exit("  missed: 1.7 times the plain step was expected, 1.0 without bfloat16")


if __name__ == "__main__":
    main()
