"""How well trained weights denoise: while they learn, and at the end, for their card."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from skimage.color import rgb2gray

from dnlib.images import Example, datasets, middle, to_tensor
from dnlib.methods import BNN, Method, grain, led_by
from dnlib.noise import Noise
from dnlib.training import draw_noisy, evaluate, psnr, score_pairs
from dnlib.zoo import phones
from dnlib.zoo.recipe import HELD_OUT, TEXTURED, VIDEOS, Recipe


def watch(recipe: Recipe) -> Callable[[Method], float]:
    """The PSNR that is printed while a recipe trains; it never teaches."""
    if recipe.noise is None:
        pairs = [phones.middle_of(pair, 128) for pair in _about(6, phones.judges_of(recipe))]
        return lambda method: score_pairs(method, pairs).mean_psnr
    return monitor(pictures(recipe, "bsds500", "val")[:8], recipe.monitored)


def _about(count: int, pairs: list[Example]) -> list[Example]:
    """About so many of the pairs, evenly spaced."""
    return pairs[:: max(1, len(pairs) // count)]


def pictures(recipe: Recipe, dataset: str, split: str | None = None) -> list[Example]:
    """Clean photographs for a recipe: in colour, or in gray where its network takes one channel."""
    examples = datasets.load(dataset, split=split)
    if recipe.channels == 3:
        return examples
    return [example._replace(clean=np.rint(255 * rgb2gray(example.clean)).astype(np.uint8)) for example in examples]


def monitor(examples: list[Example], noise: Noise, side: int = 256) -> Callable[[Method], float]:
    """PSNR in dB on the middles of some photographs, always with the same noise."""
    clean = torch.cat([to_tensor(middle(example.clean, side)) for example in examples])
    noisy = draw_noisy(clean, noise, 0).image

    return lambda method: psnr(method.denoise(noisy).mean, clean, "synthetic_rgb")


def judged(method: Method) -> dict[str, dict]:
    """What a method for phones makes of the pairs of `phones.all_judges`, image by image.

    Stage of the method -> set of pairs -> what was measured -> image -> number. Measured are psnr, flat and texture in
    dB, colour in 8-bit units, and both SSIMs; for SSID's blind network also its grain in 8-bit units, and the
    shares of the pixels at which each teacher leads.
    """
    sets = phones.all_judges()
    return {
        type(stage).__name__: {which: _measured(stage, pairs) for which, pairs in sets.items()}
        for stage in method.stages
    }


def _measured(denoiser: Method, pairs: list[Example]) -> dict[str, dict[str, float]]:
    answers = [denoiser.denoise(to_tensor(pair.noisy)).mean for pair in pairs]
    remembered = iter(answers)
    scores = score_pairs(lambda _: next(remembered), pairs)
    numbers = {"psnr": scores.by_image} | scores.parts_by_image | scores.ssim_by_image
    if type(denoiser) is BNN:
        named = dict(zip((pair.name for pair in pairs), answers, strict=True))
        numbers["grain"] = {name: grain(answer) for name, answer in named.items()}
        for leader in ("BNN", "neither", "LAN"):
            numbers[f"led by {leader}"] = {name: led_by(answer)[leader] for name, answer in named.items()}
    return {part: {image: float(f"{value:.5g}") for image, value in values.items()} for part, values in numbers.items()}


def scored(method: Method, recipe: Recipe) -> dict[str, dict]:
    """What a card says of trained weights: their scores; for rows that are compared, the scores of every image, too."""
    rows = {"judged": judged(method)} if recipe.trained_on.judge == TEXTURED else {}
    return {"scores": _scores(method, recipe)} | rows


def _scores(method: Method, recipe: Recipe) -> dict[str, str]:
    """In words, on the test sets that are present."""
    if recipe.noise is None:
        every = phones.judges_of(recipe)
        pairs = [phones.middle_of(pair, 256) for pair in _about(9, every)]
        held_out = "".join(f", {scene} held out" for scene in recipe.held_out)
        which = f"{recipe.trained_on.judge}{held_out}, {len(pairs)} of {len(every)}"
        return {which: str(score_pairs(method, pairs))}
    if datasets.find("kodak24").is_present:
        test_sets = {"kodak24": pictures(recipe, "kodak24")}
    else:
        test_sets = {"bsds500 val": pictures(recipe, "bsds500", "val")}
    if recipe.trained_on == VIDEOS:
        videos = datasets.load("davis480p")[-HELD_OUT:]
        test_sets["davis480p held out"] = [Example(video.name, video.clean[3]) for video in videos]
    return {
        f"{test_set}, {noise}": str(evaluate(method, examples, noise, progress=True))
        for (test_set, examples), noise in itertools.product(test_sets.items(), recipe.tests or (recipe.noise,))
    }
