"""Which judge chooses better between denoisers without a clean image: the J-invariant loss, recorrupted pairs or Stein?

Candidates are classical filters in several settings and three shipped networks, each blended with the noisy image by
a weight in [0, 1]. Every judge chooses one candidate and its weight; the clean image only says how good the choice is:
how far below the best candidate with its best weight, and whether the noisy image itself would have been better.

Kodak24 with simulated noise, and photographs of phones and cameras; crops of 128x128. The noise is told (the model,
drawn for the smoothed picture) or estimated from the whole noisy image (`inspect_image`). The judges were developed on
the first pictures of each kind; the others were held back. Needs kodak24, sidd_textured and polyu under DNLIB_DATA.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from outcome import heading, store
from scipy import ndimage

from dnlib import filters
from dnlib.images import datasets, middle, to_image, to_tensor, to_unit
from dnlib.noise import Camera, CorrelatedGaussian, Gaussian, Noise, inspect_image
from dnlib.zoo import load_method

SIDE = 128
SIMULATED = [Gaussian(5), Gaussian(25), CorrelatedGaussian(20, 3), Camera(800, jpeg=90), Camera(3200)]
PHOTOGRAPHS = {"sidd_textured": 1, "polyu": 6}  # every which image
PARTS = {"developed on": range(4), "held back": range(6, 10)}
NETWORKS = ("bias_free_rgb_sigma0to55", "patch_craft_rgb_sigma20_box3", "ssid_phones")
CLOSE, HARM = 0.3, 0.1  # dB
SMOOTH = 2.0  # pixels; brightness is read off the picture blurred by so much
MARGIN = 1.3  # chosen, as all else, on what was developed on
ENDS = 2.0  # standard deviations of the noise from black and white, within which its mean is not zero

Draw = Callable[[np.random.Generator], np.ndarray]


@dataclass
class Case:
    """A noisy picture; where its noise has mean zero; how it is drawn, if told and as estimated."""

    name: str
    clean: np.ndarray
    noisy: np.ndarray
    level: float
    mask: np.ndarray
    draws: dict[str, Draw]


def cases(indices: range) -> Iterator[Case]:
    for model in SIMULATED:
        for index in indices:
            clean = to_unit(datasets.load("kodak24")[index].clean)
            noisy = model.sample(to_tensor(clean), torch.Generator().manual_seed(index)).image
            noisy = noisy.clip(0, 1) if isinstance(model, Camera) else noisy
            yield case(
                repr(model) if not isinstance(model, Camera) else f"camera, ISO {model.strength[0]:g}",
                clean,
                to_image(noisy),
                model,
            )
    for name, step in PHOTOGRAPHS.items():
        for index in indices:
            pair = datasets.load(name)[index * step]
            yield case(name, to_unit(pair.clean), to_unit(pair.noisy), None)


def case(name: str, clean: np.ndarray, noisy: np.ndarray, model: Noise | None) -> Case:
    found = inspect_image(noisy)
    noisy, clean = middle(noisy, SIDE), middle(clean, SIDE)
    light = ndimage.gaussian_filter(noisy, (SMOOTH, SMOOTH, 0)).clip(0, 1)
    deviation = np.sqrt(found.variance(noisy))
    draws = {"estimated": lambda rng: found.draw(noisy, rng)}
    if model:
        draws["told"] = lambda rng: drawn_by(model, light, rng)
    clipped = not isinstance(model, Gaussian | CorrelatedGaussian)
    inside = (light > ENDS * deviation) & (light < 1 - ENDS * deviation) | (not clipped)
    return Case(name, clean, noisy, float(np.sqrt((deviation**2).mean())), inside, draws)


def drawn_by(model: Noise, light: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    return to_image(model.sample(to_tensor(light), generator).image) - light


def candidates(level: float) -> dict[str, tuple[filters.Filter, filters.Setting]]:
    found = {f"median, radius {radius}": (filters.median, {"radius": radius}) for radius in (1, 2)}
    for k in (0.5, 1.0, 1.8):
        found[f"NL-means, h {k} sigma"] = filters.nl_means, {"h": k * level, "sigma": level}
    for k in (1.0, 2.0):
        found[f"wavelets, {k:g} sigma"] = filters.wavelet, {"sigma": k * level}
    for k in (0.5, 1.0, 2.0):
        found[f"total variation, {k} sigma"] = filters.total_variation, {"weight": k * level}
    for name in NETWORKS:
        found[name] = network(name), {}
    return found


def network(name: str) -> filters.Denoiser:
    method = load_method(name)
    return lambda image: to_image(method.denoise(to_tensor(image.astype(np.float32))).mean)


def judged(case: Case) -> tuple[dict[str, list[tuple[float, float, float]]], list[float]]:
    """Of every judge, what it thinks of each candidate, the weight it gives it and the true change then.

    And of each candidate the true change with its best weight. Changes are of the mean squared error.
    """
    found, best, error = {}, [], case.noisy - case.clean
    noises = {how: [draw(np.random.default_rng(0)).astype(np.float32)] for how, draw in case.draws.items()}
    for filter, setting in candidates(case.level).values():
        passes = {}

        def denoise(image, filter=filter, setting=setting, passes=passes):
            """The same images come again."""
            key = image.tobytes()
            if key not in passes:
                passes[key] = filter(image, **setting)
            return passes[key]

        residual = denoise(case.noisy) - case.noisy
        overlap, power = (error * residual).mean(axis=(0, 1)), (residual**2).mean(axis=(0, 1))
        best.append(change(overlap, power, np.clip(-overlap / power, 0, 1)))
        blind = {"filter": filters.donut_median, "blind": True} if filter is filters.median else {"filter": filter}
        loss = filters.calibrate(image=case.noisy, settings=[setting], all_masks=False, **blind).loss
        opinions = {"J-invariant": (loss, 1.0), "J-invariant, mixed": (loss, min(1.0, case.level**2 / loss))}
        for how, drawn in noises.items():
            stein = filters.stein_risk(denoise, case.noisy, drawn)
            risks = {
                f"recorrupted, noise {how}": filters.recorrupted_risk(denoise, case.noisy, drawn),
                f"Stein, noise {how}": stein,
                f"Stein, noise {how}, variance x {MARGIN}": stein.with_noise(MARGIN),
                f"Stein, noise {how}, without clipped": filters.stein_risk(
                    denoise, case.noisy, drawn, mask=case.mask if case.mask.any() else None
                ),
            }
            opinions |= {name: (risk.change(risk.best_weight), risk.best_weight) for name, risk in risks.items()}
        for name, (opinion, weight) in opinions.items():
            found.setdefault(name, []).append((opinion, weight, change(overlap, power, weight)))
    return found, best


def change(overlap: np.ndarray, power: np.ndarray, weight: float | np.ndarray) -> float:
    """Of the mean squared error, from those of all channels [C]."""
    return float((2 * weight * overlap + weight**2 * power).mean())


def choices(case: Case) -> dict[str, tuple[float, float]]:
    """Of every judge how many dB its choice gains over the noisy image, and how many it lacks of the best."""
    found, best = judged(case)
    noise = float(((case.noisy - case.clean) ** 2).mean())

    def gain(change: float) -> float:
        return float(-10 * np.log10(1 + change / noise))

    return {name: (gain(min(rows)[2]), gain(min(best)) - gain(min(rows)[2])) for name, rows in found.items()}


def main():
    started, table = time.perf_counter(), {}
    print(heading())
    for part, indices in PARTS.items():
        outcomes = {}
        for one in cases(indices):
            for judge, outcome in choices(one).items():
                outcomes.setdefault(one.name, {}).setdefault(judge, []).append(outcome)
                outcomes.setdefault("all", {}).setdefault(judge, []).append(outcome)
        for noise, judges in outcomes.items():
            for judge, pairs in judges.items():
                gains, lacks = np.transpose(pairs)
                row = table.setdefault(part, {}).setdefault(noise, {})[judge] = {
                    "pictures": len(pairs),
                    "gain_db": round(float(gains.mean()), 2),
                    "below_best_db": round(float(lacks.mean()), 2),
                    "close": round(float((lacks < CLOSE).mean()), 3),
                    "harmed": round(float((gains < -HARM).mean()), 3),
                }
                print(
                    f"  {part:12} {noise:26} {judge:38} gain {row['gain_db']:5.2f} dB, {row['below_best_db']:4.2f} "
                    f"below the best, close {row['close']:4.0%}, harmed {row['harmed']:4.0%}",
                    flush=True,
                )
    store("judge", side=SIDE, close_db=CLOSE, harm_db=HARM, margin=MARGIN, table=table)
    print(f"  {time.perf_counter() - started:.0f} s")
    if table["held back"]["all"][f"Stein, noise estimated, variance x {MARGIN}"]["harmed"]:
        sys.exit("  missed: no picture was to come back worse than the noisy one")


if __name__ == "__main__":
    main()
