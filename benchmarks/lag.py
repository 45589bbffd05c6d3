"""Why does the blind spot lag behind Noise2Clean after equally many steps: what it sees, what it learns from, or how?

From Noise2Clean to the blind spot that ships, step by step: the network's depth, then the blind spot's own network,
still seeing the pixel; then blind, with the likelihood and Bayes' rule, which is three things at once, learning from
clean pixels (the likelihood averaged over the noise of the pixel that is predicted); then from noisy ones. After that,
changes to the blind spot, one by one: four directions in place of two, depth, larger crops, learning rate, a mean to
start from. Colour, sigma 25, width 32, BSDS500; PSNR on middles of Kodak24's 24, the same noise for all, and on four of
them along the way. The distance is that to the row named beside it, in pairs of images. `--steps 9600` asks the same of
longer trainings, `--seed 1` again. Cut short, it goes on where it was. Needs bsds500 and kodak24; two hours of one core
for 2,400 steps.
"""

import argparse
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from outcome import HERE, store, stored
from torch import Tensor

from dnlib.images import datasets, middle
from dnlib.methods import BlindSpotBayes, Method, Noise2Clean, Noise2Noise
from dnlib.methods.batch import Batch
from dnlib.networks import BlindSpotUNet, Noise2CleanUNet, TwoWayBlindSpotUNet
from dnlib.noise import Gaussian, beliefs
from dnlib.training import Crops, evaluate, fit

NOISE, WIDTH, SIDE = Gaussian(25), 32, 256
LOOKS = (150, 300, 600, 1_200, 2_400, 4_800, 9_600)  # steps after which four pictures are judged


class FromClean(BlindSpotBayes):
    """Its loss averaged over the noise of the pixel that is predicted, so that noisy targets cost nothing."""

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"noisy", "clean"})

    def loss(self, batch: Batch) -> Tensor:
        belief = self.belief(batch.noisy)
        sigma = self._parameter(batch.noisy, None).to(belief.mean)
        marginal = self.noise.marginal(*belief, sigma)
        precision = torch.linalg.inv(marginal.cov.movedim((1, 2), (-2, -1)))
        spread = sigma[0] ** 2 * precision.diagonal(dim1=-2, dim2=-1).sum(-1) / 2
        return spread.mean() - beliefs.log_density(batch.clean.to(belief.mean), marginal).mean()


class Row(NamedTuple):
    """What learns, how, and the row that it is compared with."""

    make: Callable[[], Method]
    differs_from: str | None
    learning_rate: float = 7e-4
    crop: tuple[int, int] = (4, 64)  # how many a step, and their side


def unet(depth: int) -> Noise2CleanUNet:
    return Noise2CleanUNet(3, WIDTH, depth=depth)


def seeing() -> TwoWayBlindSpotUNet:
    """The blind spot's network with half planes that were not moved: every pixel sees itself."""
    network = TwoWayBlindSpotUNet(3, WIDTH, outputs=3)
    network.branch.above.shift = 0
    return network


def blind(**changed) -> Callable[[], BlindSpotBayes]:
    return lambda: BlindSpotBayes(TwoWayBlindSpotUNet(3, WIDTH, **changed), NOISE)


START, END = "Noise2Clean, depth 5", "blind, noisy targets"
ROWS = {
    START: Row(lambda: Noise2Clean(unet(5)), None),
    "Noise2Clean, depth 3": Row(lambda: Noise2Clean(unet(3)), START),
    "Noise2Clean, two ways": Row(lambda: Noise2Clean(seeing()), "Noise2Clean, depth 3"),
    "blind, clean targets": Row(lambda: FromClean(TwoWayBlindSpotUNet(3, WIDTH), NOISE), "Noise2Clean, two ways"),
    END: Row(blind(), "blind, clean targets"),
    "Noise2Noise, depth 5": Row(lambda: Noise2Noise(unet(5)), START),
    "with a mean and differences": Row(blind(mean=True, differences=True), END),
    "with twice the learning rate": Row(blind(), END, 1.4e-3),
    "with crops of 128, one a step": Row(blind(), END, crop=(1, 128)),
    "in four directions": Row(lambda: BlindSpotBayes(BlindSpotUNet(3, WIDTH, depth=3), NOISE), END),
    "with depth 4": Row(blind(depth=4), END),
    "with half the learning rate": Row(blind(), END, 3.5e-4),
}


def trained(name: str, photographs: list[np.ndarray], kodak: list, steps: int, seed: int) -> dict:
    """Scores of one row, image by image; its learning curve; its time."""
    row = ROWS[name]
    torch.manual_seed(seed)
    method, (count, side) = row.make(), row.crop
    history = fit(
        method,
        Crops(photographs, NOISE, size=side, count=count),
        steps=steps,
        learning_rate=row.learning_rate,
        ramp_up=0.1,
        ramp_down=0.5,
        seed=seed,
        checkpoint=HERE.parent / "runs" / "benchmarks" / f"lag_{name}_{steps}_{seed}.checkpoint.safetensors",
        monitor=lambda method: evaluate(method, kodak[::6], NOISE).mean_psnr,
        monitor_every=[look for look in LOOKS if look < steps],
        progress=True,
    )
    by_image = list(evaluate(method, kodak, NOISE).by_image.values())
    return {"psnr": float(np.mean(by_image)), "by_image": by_image, "curve": history.psnr, "seconds": history.seconds}


def compare(found: dict[str, dict]) -> None:
    """Give each row its distance to the row it differs from: the mean over images and its standard error."""
    for name, one in found.items():
        other = found.get(ROWS[name].differs_from)
        if other:
            distance = np.subtract(one["by_image"], other["by_image"])
            error = float(distance.std(ddof=1) / len(distance) ** 0.5)
            one |= {"differs_from": ROWS[name].differs_from, "distance": [float(distance.mean()), error]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--steps", type=int, default=2_400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    photographs = [e.clean for split in ("train", "test") for e in datasets.load("bsds500", split=split)]
    kodak = [e._replace(clean=middle(e.clean, SIDE)) for e in datasets.load("kodak24")]
    outcome = stored("lag").get("rows", {})
    for name in ROWS:
        found = outcome.setdefault(f"{asked.steps} steps, seed {asked.seed}", {})
        if name not in found:
            found[name] = trained(name, photographs, kodak, asked.steps, asked.seed)
            compare(found)
            store("lag", rows=outcome)
        print(f"  {name:32}{found[name]['psnr']:.2f} dB", *found[name].get("distance", ()))


if __name__ == "__main__":
    main()
