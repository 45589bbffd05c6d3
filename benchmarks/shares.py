"""When is a mean of a filter and a network best with more of the network?

Two candidates of `dnlib.denoise`, each asked for by name, on the same pictures: the ridge filter for the noise at hand,
and the network for it, refined by similar patches. Of each picture: how strong the noise is, the PSNR of either, and
that of their mean for shares of the network from 0 to 1. Pictures are the middles of phones' and cameras' photographs
and of Kodak24 through a simulated camera, as in `any_picture.py`, and six of Kodak24 with white noise of 3 to 50. The
rule (`denoiser.candidates.averaged`) was chosen on those with even numbers; `held_back` are the others.
"""

from collections.abc import Iterator

import numpy as np
from any_picture import SETS, Case
from outcome import heading, store
from tqdm import tqdm

import dnlib
from dnlib.denoiser.candidates import CANDIDATES, EVEN, averaged
from dnlib.images import datasets, middle, to_image, to_tensor, to_unit
from dnlib.noise import Gaussian
from dnlib.training import draw_noisy, psnr

SHARES = [0.0, 0.1, 0.25, 0.5, 2 / 3, 0.8, 0.9, 1.0]  # 2/3 was the rule before
PAIRS = {
    True: ("ridge", "white_noise_network_refined"),
    False: ("ridge_cascade", "photographs_network_refined"),
}
CAMERAS = ("sidd_textured", "sidd_val_crops", "polyu", "kodak24, camera at ISO 1600")
SIGMAS, SIDE, EVERY = (3, 5, 10, 15, 25, 50), 192, 4


def white(sigma: float) -> Iterator[Case]:
    """Every fourth photograph of Kodak24, its middle, with white noise."""
    for number, example in enumerate(datasets.load("kodak24")[::EVERY]):
        clean = to_tensor(middle(to_unit(example.clean), SIDE))
        yield Case(to_image(draw_noisy(clean, Gaussian(sigma), 0, number).image), to_image(clean), sigma / 255)


def row(case: Case) -> dict:
    """Of one picture: the noise's level, of 255, and PSNR in dB by share of the network."""
    names = PAIRS[case.sigma is not None]
    pair, (low, high) = [CANDIDATES[name] for name in names], (dnlib.denoise(case.noisy, filter=name) for name in names)
    level = 255 * float(np.sqrt(np.mean((case.noisy - case.clean) ** 2)))
    by_share = [round(psnr((1 - share) * low + share * high, case.clean), 3) for share in SHARES]
    rule = round(psnr(averaged(pair, [low, high], level / 255), case.clean), 3)
    return {"level": round(level, 2), "by_share": by_share, "rule": rule}


def summary(rows: list[dict]) -> dict:
    """By how much the filter, the network, the mean as it was before and the rule lie below the best share, in dB."""
    best = np.array([max(*one["by_share"], one["rule"]) for one in rows])
    tried = {
        "the filter": [one["by_share"][0] for one in rows],
        "the network": [one["by_share"][-1] for one in rows],
        "two thirds of the network": [one["by_share"][SHARES.index(2 / 3)] for one in rows],
        "the rule": [one["rule"] for one in rows],
    }
    return {name: round(float((best - np.array(values)).mean()), 3) for name, values in tried.items()}


def main() -> None:
    found = {}
    sets = {name: SETS[name] for name in CAMERAS} | {f"white, sigma {s}": lambda s=s: white(s) for s in SIGMAS}
    print(f"{heading()}\nbelow the best share, dB:")
    for name, cases in sets.items():
        rows = [row(case) for case in tqdm(list(cases()), desc=name, leave=False)]
        halves = {"chosen_on": summary(rows[::2]), "held_back": summary(rows[1::2])}
        found[name] = halves | {"level": float(np.mean([one["level"] for one in rows])), "rows": rows}
        print(f"  {name:30} level {found[name]['level']:5.1f}  {summary(rows)}", flush=True)
    store("shares", shares=SHARES, even=255 * EVEN, sets=found)


if __name__ == "__main__":
    main()
