"""What does the regulariser for noise of unknown strength (Laine et al. 2019, section 4.2) do to the estimate?

Two trainings for each seed, equal but for it: the blind spot with full covariance and a second network that reads one
sigma off each noisy image, both starting from random weights; colour, sigma drawn from 5 to 50 for every crop, width
32, BSDS500. Judged on the middles of Kodak24's 24: by how many per cent the estimate is above the true sigma, and PSNR
with the estimate and with the truth. 600 steps each; four minutes of a core each. Cut short, it goes on where it
was. Needs bsds500 and kodak24.
"""

import argparse

import numpy as np
import torch
from outcome import HERE, heading, store, stored

from dnlib.images import Example, datasets, middle, to_tensor
from dnlib.methods import BlindSpotBayes
from dnlib.networks import TwoWayBlindSpotUNet
from dnlib.noise import Gaussian
from dnlib.training import Crops, draw_noisy, fit, metrics

NOISE, WIDTH, ESTIMATOR, FLOOR, SIDE = Gaussian((5, 50)), 32, 16, 1 / 7, 256
LEVELS, SEEDS, STEPS = (10, 25, 50), (0, 1), 600


def trained(regularise: bool, photographs: list[np.ndarray], seed: int) -> BlindSpotBayes:
    torch.manual_seed(seed)
    network = TwoWayBlindSpotUNet(3, WIDTH, outputs=9)
    unknown = {"parameter": "per_image", "estimator_width": ESTIMATOR, "floor": FLOOR, "regularise": regularise}
    method = BlindSpotBayes(network, NOISE, **unknown)
    kept = HERE.parent / "runs" / "benchmarks" / f"regulariser_{regularise}_{seed}.checkpoint.safetensors"
    crops = Crops(photographs, NOISE, size=64, count=4)
    rates = {"learning_rate": 7e-4, "ramp_up": 0.1, "ramp_down": 0.5}
    fit(method, crops, steps=STEPS, **rates, seed=seed, checkpoint=kept, progress=True)
    return method


def judged(method: BlindSpotBayes, kodak: list[Example], sigma: int) -> dict[str, float]:
    """Means over the photographs, and of the distance from the truth its standard deviation."""
    above, estimated, told = [], [], []
    for number, example in enumerate(kodak):
        clean = to_tensor(example.clean)
        noisy = draw_noisy(clean, Gaussian(sigma), 0, number).image
        above.append(100 * (method.estimate_parameter(noisy).item() / sigma - 1))
        estimated.append(metrics.psnr(method.denoise(noisy).mean, clean, "synthetic_rgb"))
        with torch.no_grad():
            belief = method.belief(noisy)
            truth = NOISE.posterior(noisy.double(), *belief, torch.tensor([NOISE.to_internal(sigma)]).double())
        told.append(metrics.psnr(truth.mean.to(clean), clean, "synthetic_rgb"))
    found = {"percent_above": np.mean(above), "scatter": np.std(above, ddof=1)}
    found |= {"psnr": np.mean(estimated), "psnr_told": np.mean(told)}
    return {what: round(float(value), 3) for what, value in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--publish", action="store_true")
    parser.parse_args()
    photographs = [e.clean for split in ("train", "test") for e in datasets.load("bsds500", split=split)]
    kodak = [e._replace(clean=middle(e.clean, SIDE)) for e in datasets.load("kodak24")]
    rows = stored("regulariser").get("rows", {})
    print(heading())
    for seed in SEEDS:
        for regularise in (True, False):
            found = rows.setdefault("with it" if regularise else "without it", {})
            if str(seed) not in found:
                method = trained(regularise, photographs, seed)
                found[str(seed)] = {f"sigma {sigma}": judged(method, kodak, sigma) for sigma in LEVELS}
                store("regulariser", steps=STEPS, rows=rows)
            print(f"  seed {seed}, {'with' if regularise else 'without'}: {found[str(seed)]}", flush=True)


if __name__ == "__main__":
    main()
