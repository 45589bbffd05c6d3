"""What do blind spots cost, in training and on a whole photograph, and what does the cheaper design give for it?

1. A training step of BlindSpotUNet at the published width 48, full covariance, batches of 4 colour crops of 64x64,
   against the plain float32 form; the share of likelihood and posterior in it.
2. BlindSpotUNet and TwoWayBlindSpotUNet, both of width 32 and depth 3, trained for the same seconds: PSNR.
3. One photograph of 768x512: seconds, peak memory and PSNR of both, and of BM3D given the true sigma, each in a process
   of its own. BM3D takes part where it is installed (free for non-commercial use only). The networks take the shipped
   weights or, for the published form, none: its time does not depend on them, and no PSNR is given.
"""

import json
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
import torch
from outcome import apart, heading, store
from steps import fitted, operations, peak, plain

from dnlib.images import arrays, datasets
from dnlib.methods import BlindSpotBayes
from dnlib.networks import BlindSpotUNet, TwoWayBlindSpotUNet
from dnlib.noise import Belief, Gaussian, beliefs
from dnlib.training import Crops, computes_in_bfloat16, draw_noisy, fit, metrics
from dnlib.zoo import cards, scoring

REPEATS, EQUAL_SECONDS = 3, 120
NOISE = Gaussian(25)
COLOUR = ("astronaut", "coffee", "chelsea", "rocket")


def published() -> BlindSpotBayes:
    return BlindSpotBayes(BlindSpotUNet(3, 48), NOISE)


def two_way() -> BlindSpotBayes:
    return BlindSpotBayes(TwoWayBlindSpotUNet(3, 48), NOISE)


def around_the_network() -> float:
    """Seconds for likelihood, its gradient, and the posterior of one batch of 4 crops of 64x64."""
    noisy, sigma = torch.rand(4, 3, 64, 64, dtype=torch.float64), torch.full((4,), 25 / 255, dtype=torch.float64)
    root = torch.rand(4, 3, 3, 64, 64, dtype=torch.float64)
    belief = Belief(torch.rand_like(noisy).requires_grad_(), torch.einsum("nikhw,njkhw->nijhw", root, root))
    times = []
    for _ in range(20):
        started = time.perf_counter()
        beliefs.log_density(noisy, NOISE.marginal(*belief, sigma)).mean().backward()
        with torch.no_grad():
            NOISE.posterior(noisy, *belief, sigma)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def equal_seconds(batches: Crops, examples: list) -> dict[str, dict[str, float]]:
    """Steps and PSNR of both designs after EQUAL_SECONDS of training each."""
    look, found = scoring.monitor(examples, NOISE), {}
    for network in (BlindSpotUNet, TwoWayBlindSpotUNet):
        torch.manual_seed(0)

        def make(network=network):
            return BlindSpotBayes(network(3, 32, depth=3), NOISE)

        steps, method = round(EQUAL_SECONDS / fitted(make, batches)), make()
        history = fit(method, batches, steps=steps, learning_rate=7e-4, ramp_down=0.5, progress=True)
        found[network.__name__] = {"steps": steps, "seconds": history.seconds, "psnr": look(method)}
    return found


def photograph() -> np.ndarray:
    if datasets.find("kodak24").is_present:
        return arrays.to_unit(datasets.load("kodak24", limit=1)[0].clean)
    return np.tile(arrays.photo("chelsea"), (2, 2, 1))[:512, :768]


def whole_image(name: str) -> dict[str, float]:
    """Seconds, peak memory of the process, and PSNR of one denoiser; run in a process of its own."""
    clean = arrays.to_tensor(photograph())
    noisy = draw_noisy(clean, NOISE, 0).image
    if name == "BM3D, true sigma":
        from bm3d import bm3d_rgb

        def denoise(noisy):
            return arrays.to_tensor(bm3d_rgb(arrays.to_image(noisy), 25 / 255).astype(np.float32))
    else:
        method = (
            published().eval() if name == "BlindSpotUNet, width 48" else cards.load_method("blind_spot_rgb_sigma25")
        )

        def denoise(noisy):
            return method.denoise(noisy).mean

    denoise(noisy[..., :64, :64])
    started = time.perf_counter()
    result = denoise(noisy)
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"seconds": seconds, "peak_memory_mb": memory}
    if "width 48" not in name:
        found["psnr"] = metrics.psnr(result, clean, "synthetic_rgb")
    return found


def whole_image_apart(name: str) -> dict[str, float] | str:
    try:
        return apart("--whole-image", name)
    except subprocess.CalledProcessError as error:
        return error.stderr.strip().splitlines()[-1][:200]


def main():
    photographs = [(255 * arrays.photo(name)).astype(np.uint8) for name in COLOUR]
    batches = Crops(photographs, NOISE, size=64, count=4)
    seconds: dict[str, list[float]] = {"plain float32": [], "training.fit": [], "training.fit, two ways": []}
    for _ in range(REPEATS):
        steps = (plain, published), (fitted, published), (fitted, two_way)
        for times, (step, make) in zip(seconds.values(), steps, strict=True):
            times.append(step(make, batches))
    slow, fast, cheap = (statistics.median(times) for times in seconds.values())
    bf16 = computes_in_bfloat16("cpu")
    ratio, target, share = round(slow / fast, 2), 1.8 if bf16 else 1.0, around_the_network() / fast
    of_peak = operations(BlindSpotUNet(3, 48)) / fast / peak(torch.bfloat16 if bf16 else torch.float32)
    if datasets.find("bsds500").is_present:
        photographs = [example.clean for example in datasets.load("bsds500", split="train")]
        held_out = datasets.load("bsds500", split="val", limit=16)
    else:
        held_out = [e for e in datasets.load("bundled") if e.name == "coffee"]
        photographs = photographs[2:]
    equal = equal_seconds(Crops(photographs, NOISE, size=64, count=4), held_out)
    names = "BlindSpotUNet, width 48", "TwoWayBlindSpotUNet, shipped weights", "BM3D, true sigma"
    whole = {name: whole_image_apart(name) for name in names}
    store(
        "blind_spot",
        seconds=seconds,
        ratio=ratio,
        bfloat16=bf16,
        two_way_ratio=fast / cheap,
        share_of_peak=of_peak,
        share_of_likelihood_and_posterior=share,
        equal_seconds=equal,
        whole_image=whole,
    )
    print(heading())
    for name, times in seconds.items():
        print(f"  {name:24} {1000 * statistics.median(times):7.1f} ms per step")
    print(f"  ratio {ratio}, {of_peak:.0%} of the convolution peak; likelihood and posterior {share:.1%} of a step")
    for name, outcome in equal.items():
        print(f"  {name:24} {outcome['steps']} steps in {outcome['seconds']:.0f} s: {outcome['psnr']:.2f} dB")
    for name, outcome in whole.items():
        print(f"  768x512, {name}: {outcome}")
    if ratio < target or share > 0.1:
        sys.exit(f"  missed: a ratio of {target} or more and at most 10 % for likelihood and posterior were expected")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--whole-image"]:
        print(json.dumps(whole_image(sys.argv[2])))
    else:
        main()
