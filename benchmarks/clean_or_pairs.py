"""What do clean photographs buy, if second noisy shots of the same scenes can be had instead?

The recipes `photographs_rgb` (Noise2Clean) and `photographs_rgb_pairs` (Noise2Noise): one network, loss, noise of many
kinds and order of crops; the targets alone differ. Both start here from the same random weights, which no clean picture
ever taught. PSNR in dB on the middles of Kodak24, each noise of the recipe's tests drawn once for both. Cut short, it
goes on where it was; half an hour of a core.
"""

import numpy as np
import torch
from outcome import HERE, heading, store
from scipy.stats import ttest_1samp

from dnlib.images import datasets, middle
from dnlib.training import evaluate, fit
from dnlib.zoo import cards, recipes, trainer

STEPS, SEEDS, SIDE = 4_000, (0, 1, 2), 256
NAMES = {"clean": "photographs_rgb", "pairs": "photographs_rgb_pairs"}
TESTS = ("white, sigma 25", "shared by 3x3 pixels, sigma 20", "as taught", "camera, ISO 1600", "camera, ISO 6400, JPEG")


def trained(name: str, seed: int):
    """By its recipe, but from random weights."""
    _, card = trainer.untrained(name, seed=seed)
    torch.manual_seed(seed)
    method = cards.build(card)
    size = recipes.sizes("laptop", recipes.find(name))
    checkpoint = HERE.parent / "runs" / "benchmarks" / f"{name}_{seed}_{STEPS}.checkpoint.safetensors"
    told = {key: size[key] for key in ("learning_rate", "ramp_up", "ramp_down")}
    fit(method, trainer.batches(name, seed=seed), steps=STEPS, seed=seed, checkpoint=checkpoint, progress=True, **told)
    return method


def main() -> None:
    print(heading())
    kodak = [example._replace(clean=middle(example.clean, SIDE)) for example in datasets.load("kodak24")]
    tests = dict(zip(TESTS, recipes.find(NAMES["clean"]).tests, strict=True))
    rows = {what: {kind: [] for kind in NAMES} for what in tests}
    for seed in SEEDS:
        for kind, name in NAMES.items():
            method = trained(name, seed)
            for what, noise in tests.items():
                rows[what][kind].append(evaluate(method, kodak, noise).mean_psnr)
    for what, found in rows.items():
        bought = [clean - pairs for clean, pairs in zip(found["clean"], found["pairs"], strict=True)]
        low, high = map(float, ttest_1samp(bought, 0).confidence_interval())  # 95 %, Student over seeds
        found |= {"bought": float(np.mean(bought)), "interval": [low, high]}
        print(f"  {what}: clean targets bought {found['bought']:+.2f} dB [{low:+.2f}, {high:+.2f}]")
    store("clean_or_pairs", steps=STEPS, seeds=list(SEEDS), rows=rows)


if __name__ == "__main__":
    main()
