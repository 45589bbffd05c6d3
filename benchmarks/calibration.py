"""How true are the widths of the blind spot's posterior, why are they too small, and which one number repairs them?

Two repairs, one number each: a *temperature* multiplies the covariance that the network answers with; a *floor*, a
share of the noise's deviation, is added to it as a variance. Each is set on clean photographs of BSDS500's validation
split, so that 68 and 95 % intervals hold as many values there, and tested on Kodak24. Middles of 256x256 pixels.
Shares are told for all values, by channel, by brightness and from the surest to the least sure quarter. A floor is
also found without clean pictures: the one under which the noisy ones, of the same photographs, are most probable, with
the noise's parameter as the network takes it, and as it is. The last way is what ships: one floor for all. Needs
bsds500 and kodak24.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from outcome import store
from scipy.optimize import minimize_scalar
from scipy.stats import norm
from torch import Tensor
from tqdm import tqdm

from dnlib.images import datasets, middle, to_tensor
from dnlib.methods import BlindSpotBayes
from dnlib.noise import Belief, Gaussian, Noise, Poisson, beliefs
from dnlib.training import draw_noisy, psnr
from dnlib.zoo import cards

WEIGHTS = {
    "blind_spot_rgb_sigma25": [Gaussian(25)],
    "blind_spot_rgb_sigma25_long": [Gaussian(25)],
    "blind_spot_rgb_sigma5to50_unknown": [Gaussian(10), Gaussian(25), Gaussian(50)],
    "blind_spot_rgb_poisson30": [Poisson(30)],
}
SHARES = (0.68, 0.95)
REPAIRS: dict[str, tuple[float, float]] = {"temperature": (1.0, 5.0), "floor": (0.0, 0.5)}  # and where to look


class Seen(NamedTuple):
    """A photograph: clean, noisy, what the network believes, and the noise's parameter."""

    clean: Tensor
    noisy: Tensor
    belief: Belief
    parameter: Tensor


def seen(method: BlindSpotBayes, noise: Noise, photographs: list[np.ndarray]) -> list[Seen]:
    found = []
    for index, photograph in enumerate(photographs):
        clean = to_tensor(middle(photograph, 256))
        noisy = draw_noisy(clean, noise, 0, index).image
        with torch.no_grad():
            found.append(Seen(clean, noisy.double(), method.belief(noisy), method._parameter(noisy, None).double()))
    return found


def floored(noise: Noise, one: Seen, floor: float, temperature: float = 1.0) -> Belief:
    least = beliefs.diagonal(floor**2 * noise.variance(one.belief.mean, one.parameter))
    return Belief(one.belief.mean, temperature * one.belief.cov + least)


def posterior(noise: Noise, one: Seen, temperature: float = 1.0, floor: float = 0.0) -> Belief:
    return noise.posterior(one.noisy, *floored(noise, one, floor, temperature), one.parameter)


def within(errors: Tensor, share: float) -> float:
    return round(float((errors < norm.ppf(0.5 + share / 2)).float().mean()), 4)


def measured(noise: Noise, photographs: list[Seen], **repair: float) -> dict:
    """PSNR, and the shares of values that lie within intervals that should hold 68 and 95 % of them."""
    after = [posterior(noise, one, **repair) for one in photographs]
    errors = torch.cat([((one.clean - p.mean) / p.std).abs() for one, p in zip(photographs, after, strict=True)])
    widths, clean = torch.cat([p.std for p in after]), torch.cat([one.clean for one in photographs])
    quarters = {name: values.flatten().argsort().chunk(4) for name, values in (("width", widths), ("light", clean))}
    flat = errors.flatten()
    scores = [psnr(p.mean.float(), one.clean, "synthetic_rgb") for one, p in zip(photographs, after, strict=True)]
    return {
        "psnr": round(float(np.mean(scores)), 3),
        "within": {f"{share:.0%}": within(flat, share) for share in SHARES},
        "by channel": [within(channel, 0.68) for channel in errors.unbind(1)],
        "from dark to light": [within(flat[part], 0.68) for part in quarters["light"]],
        "from surest to least sure": [within(flat[part], 0.68) for part in quarters["width"]],
    }


def smallest(cost: Callable[[float], float], repair: str) -> float:
    """The number of a repair for which a cost is lowest."""
    return round(float(minimize_scalar(cost, bounds=REPAIRS[repair], method="bounded", options={"maxiter": 9}).x), 3)


def from_clean(noise: Noise, photographs: list[Seen], repair: str) -> float:
    """The number under which the shares are nearest to what they should be."""

    def distance(value: float) -> float:
        found = measured(noise, photographs, **{repair: value})["within"]
        return sum((found[f"{share:.0%}"] - share) ** 2 for share in SHARES)

    return smallest(distance, repair)


def floor_from_noisy(noise: Noise, photographs: list[Seen], told: bool) -> float:
    """The floor under which the noisy pixels are most probable; no clean one is looked at."""
    if told:
        photographs = [one._replace(parameter=torch.full_like(one.parameter, noise.bounds[0])) for one in photographs]

    def improbability(floor: float) -> float:
        marginals = [noise.marginal(*floored(noise, one, floor), one.parameter) for one in photographs]
        pairs = zip(photographs, marginals, strict=True)
        return -sum(float(beliefs.log_density(one.noisy, marginal).mean()) for one, marginal in pairs)

    return smallest(improbability, "floor")


def question(method: BlindSpotBayes, noise: Noise, sets: Callable[[str], list[np.ndarray]]) -> dict:
    fit_on, test_on = (seen(method, noise, sets(name)) for name in ("bsds500", "kodak24"))
    ways = {
        "temperature": {"temperature": from_clean(noise, fit_on, "temperature")},
        "floor": {"floor": from_clean(noise, fit_on, "floor")},
        "floor from noisy": {"floor": floor_from_noisy(noise, fit_on, told=False)},
        "floor from noisy, told the noise": {"floor": floor_from_noisy(noise, fit_on, told=True)},
        "as it ships": {"floor": method.floor},
    }
    found = {"as trained": {"fitted on": measured(noise, fit_on), "kodak24": measured(noise, test_on)}}
    return found | {
        way: {"number": next(iter(repair.values())), "kodak24": measured(noise, test_on, **repair)}
        for way, repair in ways.items()
    }


def main() -> None:
    photographs = {
        "bsds500": [example.clean for example in datasets.load("bsds500", split="val")[::10]],
        "kodak24": [example.clean for example in datasets.load("kodak24")],
    }
    table = {}
    for name, noises in tqdm(WEIGHTS.items()):
        for noise in noises:
            found = question(cards.load_method(name), noise, photographs.get)
            table[f"{name} at {noise}".replace(".0", "")] = found
            for way, outcome in found.items():
                kodak = outcome["kodak24"]
                print(f"{name}, {noise}, {way} {outcome.get('number', '')}: {kodak['within']}, {kodak['psnr']} dB")
    store("calibration", table=table)


if __name__ == "__main__":
    main()
