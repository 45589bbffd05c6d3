"""How well calibrated is the uncertainty of a denoised picture: does the true value lie as near as it says?

The clean picture says of how many values the error is below one standard deviation and below 1.96 of them (68 % and
95 % of a Gaussian's); how large the uncertainty is against the error, over the whole picture; how the two rank the
values (Spearman); and how far apart they are in blocks of 16x16 pixels once the scale of the whole picture is right
(root mean square of the logarithm of their ratio; beside it that of the same uncertainty everywhere).

Three ways: the spread over fresh draws of the noise on the result, times a constant (what `dnlib.denoise` does); the
spread over recorrupted draws of the noisy picture, scaled so that its mean square is the judged risk of this very
picture; and that risk for every value alike. The constant was set on a few other crops (of Kodak24 0, 2 and 4 and
sidd_textured 0; for photon counts on one bundled photograph) before those that are reported here were looked at; beside
it stands what pictures of BSDS500 (validation) with drawn noise would make of it. A case is a picture with a filter.
Crops of 128x128; needs bsds500, kodak24, sidd_textured, polyu and fmd under DNLIB_DATA.
"""

import time
import warnings
from collections.abc import Iterator

import numpy as np
import torch
from outcome import heading, store
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr
from tqdm import tqdm

from dnlib.denoiser.choosing import Chosen
from dnlib.denoiser.plan import plan
from dnlib.denoiser.uncertainty import AROUND, DRAWS, EASIER, EASIER_COUNTS
from dnlib.filters import recorrupt
from dnlib.images import Picture, datasets, middle, to_image, to_tensor, to_unit
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian

SIDE, BLOCK = 128, 16
FITTED_ON, HELD_BACK = range(400, 500, 40), (7, 19)  # of BSDS500, whose validation part comes last; of Kodak24
SIMULATED = {
    "white, sigma 25": Gaussian(25),
    "correlated, sigma 20": CorrelatedGaussian(20, 3),
    "camera, ISO 1600": Camera(1600),
}
PHOTONS = "photon counts, 5 a pixel"
REAL = {"sidd_textured": (3, 9), "polyu": (5, 65), "fmd": (1, 2)}
FILTERS = ("auto", "nl_means", "photographs_network")
WAYS = ("fresh draws", "recorrupted draws", "judged risk alone")

Case = tuple[str, np.ndarray, np.ndarray]  # which noise, clean, noisy


def simulated(name: str, indices) -> Iterator[Case]:
    for index in indices:
        clean = middle(to_unit(datasets.load(name)[index].clean), SIDE)
        for noise, model in SIMULATED.items():
            noisy = to_image(model.sample(to_tensor(clean), torch.Generator().manual_seed(index)).image)
            yield noise, clean, noisy.clip(0, 1) if isinstance(model, Camera) else noisy
        rate = clean[..., 1] * (5 / clean[..., 1].mean())
        yield PHOTONS, rate, np.random.default_rng(index).poisson(rate)


def real() -> Iterator[Case]:
    for name, indices in REAL.items():
        for index in indices:
            pair = datasets.load(name)[index]
            yield name, middle(to_unit(pair.clean), SIDE), middle(to_unit(pair.noisy), SIDE)


def deviations(noisy: np.ndarray, filter: str) -> tuple[str, np.ndarray, dict[str, np.ndarray], float]:
    """The candidate, its result, the uncertainty by every way, and the share of what it removes that is taken off."""
    planned = plan(Picture.of(noisy), filter=filter, dtype="float32", uncertainty=True)
    result, ours = planned.whole(progress=False)
    found = {way: ours.copy() for way in WAYS}
    inside, shares = np.ones((1, *ours.shape[:2]), bool), []
    for task in planned.tasks:  # colours that are denoised each by itself are several
        chosen, part = task.chosen, task.part.at(noisy.reshape(1, *ours.shape).astype(float), inside)
        place, risk = part.target[1:], max(chosen.choice.risk, 1e-12)
        found["recorrupted draws"][place] = recorrupted(chosen, part.pixels[0], risk)
        found["judged risk alone"][place] = np.sqrt(risk)
        shares.append(0.0 if chosen.judged is None else np.mean(chosen.choice.weights))
    return planned.choice.filter, result.colours, found, float(np.mean(shares))


def recorrupted(chosen: Chosen, noisy: np.ndarray, risk: float) -> np.ndarray:
    """The spread of what becomes of y + a z, scaled to the risk of this picture."""
    rng, inside, power = np.random.default_rng(0), np.ones(noisy.shape[:2], bool), 0.0
    plain = chosen.apply(noisy, inside)[0]
    for _ in range(DRAWS):
        z = chosen.span * chosen.strength.draw(chosen.range.to_unit(noisy), rng)
        power = power + (chosen.apply(recorrupt(noisy, z)[0], inside)[0] - plain) ** 2
    around = gaussian_filter(power, (AROUND, AROUND, 0))
    return np.sqrt(around * (risk / max(around.mean(), 1e-12)))


def calibration(error: np.ndarray, deviation: np.ndarray) -> dict[str, float]:
    """How well the deviation [H, W, C] tells the size of the error."""
    size = np.abs(error)
    scale = root_mean_square(deviation) / root_mean_square(error)
    blocks = np.log(by_block(deviation) / by_block(error) / scale)
    level = np.log(root_mean_square(error) / by_block(error))
    rank = spearmanr(size.ravel(), deviation.ravel())[0] if np.ptp(deviation) > 0 else 0.0
    return {
        "within_68": float((size < deviation).mean()),
        "within_95": float((size < 1.96 * deviation).mean()),
        "scale": float(scale),
        "rank": float(rank),
        "blocks": root_mean_square(blocks),
        "blocks_if_equal": root_mean_square(level),
    }


def root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def by_block(values: np.ndarray) -> np.ndarray:
    """Root mean squares over blocks."""
    squares = np.square(values, dtype=np.float64).mean(axis=2)
    side = len(squares) // BLOCK
    return np.sqrt(squares.reshape(side, BLOCK, side, BLOCK).mean(axis=(1, 3))) + 1e-9


def rows(cases: list[Case]) -> Iterator[dict]:
    for noise, clean, noisy in tqdm(cases):
        for filter in FILTERS:
            if filter != "auto" and noise == PHOTONS:
                continue
            try:
                name, result, found, share = deviations(noisy, filter)
            except ValueError as error:  # a network for three colours, and these are denoised each by itself
                print(f"  {noise}: {error}")
                continue
            error = result - clean.reshape(result.shape)
            told = {way: calibration(error, found[way]) for way in WAYS}
            yield {"noise": noise, "asked": filter, "filter": name, "share": share, "ways": told}


def fitted(found: list[dict], now: float) -> float:
    """T of 1 + (T - 1) w, the factor by which errors are larger than the spread: least squares over pictures."""
    share = np.array([row["share"] for row in found])
    scale = np.array([row["ways"]["fresh draws"]["scale"] for row in found])
    factor = (1 + (now - 1) * share) / scale
    return float(1 + (share * (factor - 1)).sum() / (share**2).sum())


def summary(found: list[dict]) -> dict:
    """Means over pictures, of every way; of the scale the mean and, as a factor, how far it scatters."""
    table = {"cases": len(found)}
    for way in WAYS:
        keys = found[0]["ways"][way]
        columns = {key: np.array([row["ways"][way][key] for row in found]) for key in keys}
        table[way] = {key: round(float(column.mean()), 3) for key, column in columns.items()}
        logarithms = np.log(columns["scale"])
        table[way]["scale"] = round(float(np.exp(logarithms.mean())), 3)
        table[way]["scale_scatter"] = round(float(np.exp(logarithms.std())), 3)
    return table


def grouped(found: list[dict], key: str) -> dict[str, dict]:
    return {one: summary([row for row in found if row[key] == one]) for one in dict.fromkeys(row[key] for row in found)}


def main():
    started = time.perf_counter()
    warnings.simplefilter("ignore")
    developed = list(rows(list(simulated("bsds500", FITTED_ON))))
    held_back = list(rows([*simulated("kodak24", HELD_BACK), *real()]))
    parts = {"fitted on": developed, "held back": held_back}
    counts = {part: [row for row in found if row["noise"] == PHOTONS] for part, found in parts.items()}
    others = {part: [row for row in found if row["noise"] != PHOTONS] for part, found in parts.items()}
    photographs = ", ".join(f"{len(indices)} of {name}" for name, indices in REAL.items())
    outcome = {
        "pictures": f"crops of {SIDE}x{SIDE}: {len(FITTED_ON)} of bsds500, to which a factor is fitted; "
        f"{len(HELD_BACK)} of kodak24 with each noise, {photographs}, all held back",
        "draws": DRAWS,
        "factor": {"used": EASIER, "fitted": round(fitted(others["fitted on"], EASIER), 3)},
        "factor_for_counts": {"used": EASIER_COUNTS, "fitted": round(fitted(counts["fitted on"], EASIER_COUNTS), 3)},
        "fitted_on": summary(others["fitted on"]),
        "held_back": summary(others["held back"]),
        "counts_held_back": summary(counts["held back"]),
        "by_noise": grouped(held_back, "noise"),
        "by_filter": grouped(others["held back"], "filter"),
    }
    store("uncertainty", **outcome)
    print(f"{heading()}\n  {outcome['pictures']}\n  {time.perf_counter() - started:.0f} s")
    print(f"  factor {outcome['factor']}, for counts {outcome['factor_for_counts']}")
    tables = {"all": outcome["held_back"]} | outcome["by_noise"] | outcome["by_filter"]
    for name, table in tables.items():
        for way in WAYS:
            one = table[way]
            within = f"68 % is {one['within_68']:4.0%}, 95 % {one['within_95']:4.0%}"
            print(
                f"  {name:26} {way:18} of {table['cases']:2}: {within}, "
                f"scale {one['scale']:4.2f} x/÷ {one['scale_scatter']:4.2f}, rank {one['rank']:4.2f}, "
                f"blocks {one['blocks']:4.2f} ({one['blocks_if_equal']:4.2f})"
            )


if __name__ == "__main__":
    main()
