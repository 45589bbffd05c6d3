"""Networks that are trained beforehand: `dnlib train NAME` follows a recipe and makes shipped weights again."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from dnlib.images import ROOT, datasets, in_checkout, to_tensor
from dnlib.methods import BNN, THRESHOLDS, DenoisingUNet, Method, Tiles, craft_tiles, grain, led_by
from dnlib.noise import Noise, noisy_burst
from dnlib.training import Crops, History, choose_device, fit, tile_crops
from dnlib.zoo import cards, phones, provenance, recipes
from dnlib.zoo.recipe import HELD_OUT, VIDEOS, Recipe
from dnlib.zoo.scoring import pictures, scored, watch

RUNS = (ROOT if in_checkout() else Path()) / "runs" / "train"
LOOKS = [2**k for k in range(64)]  # the steps after which the network is scored on held-out images
PATIENCE = 16  # how often a blind network goes on until it is calm


def folder(profile: str = "laptop", seed: int = 0, steps: int | None = None) -> Path:
    """Where weights of a profile, a seed, and a number of steps of one's own are trained.

    In a checkout that is its own runs/, elsewhere runs/ in the current folder.

    Examples
    --------
    >>> folder(seed=7).name
    'laptop_seed7'
    """
    return RUNS / (f"{profile}_seed{seed}" + (f"_steps{steps}" if steps is not None else ""))


def train(
    name: str,
    out: Path | None = None,
    *,
    profile: str = "laptop",
    seed: int = 0,
    device: str = "auto",
    steps: int | None = None,
    report: Callable[[str], None] = print,
) -> Path:
    """Train by recipe, score, and write weights with their card: `dnlib train NAME`.

    It is scored on Kodak24 if that is present, else on BSDS500's validation split; if it learnt from videos, on those
    held out as well. What learnt from photographs that are noisy as they are is scored on photographs of phones.
    Cut short, the same call goes on from the checkpoints in `out`, one for each stage of the method.

    Parameters
    ----------
    name : str
        Of a recipe in `RECIPES`.
    out : Path
        Folder of weights and checkpoints; `folder(profile, seed, steps)` if not given.
    profile : str
        laptop, which is what ships, or paper.
    seed : int
        Of weights and noise.
    device : str
        As `dnlib.training.fit` takes it.
    steps : int
        Of each stage, instead of the profile's.
    report : callable
        What is told, line by line.

    Returns
    -------
    Path
        Of the weights.

    Raises
    ------
    ValueError
        For an unknown name, profile or device, a negative seed, and for no steps.
    FileNotFoundError
        Without the images it learns from.

    Examples
    --------
    >>> train("noise2sharp")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ... 'noise2sharp' was given
    """
    recipe, out = recipes.find(name), out or folder(profile, seed, steps)
    recipes.check_profile(profile)
    size = recipes.sizes(profile, recipe) | ({"steps": steps} if steps is not None else {})
    if size["steps"] < 1:
        raise ValueError(f"training takes at least one step; {size['steps']} were given")
    if seed < 0:
        raise ValueError(f"a seed is a whole number >= 0; {seed} was given")
    choose_device(device)
    watched = watch(recipe)
    method, card = untrained(name, profile, seed)
    card["command"] = _command(name, profile, seed, steps)
    report(f"{name}: {recipe.title}; {size['steps']} steps, noise {recipe.noise or 'as photographed'}")
    learnt_from = batches(name, profile, seed)
    options = {"seed": seed, "device": device, "monitor": watched, "until_calm": recipe.until_calm}
    histories = fit_stages(stages(name, method), learnt_from, size, out, **options)
    stored = cards.as_stored(method, card, device=device)
    held_out, found = watched(stored), scored(stored, recipe)
    card |= _origin(recipe, method) | account(histories) | {"seed": seed, **size}
    if recipe.until_calm:
        card["blind_steps"] = size["steps"] * (len(histories) - len(method.stages) + 1)
    card |= {"curve": histories[-1].curve(), "held_out": round(held_out, 3)} | found
    for what, score in found["scores"].items():
        report(f"{what}: {score}")
    return cards.save_method(method, out / f"{name}.safetensors", card)


def fit_stages(
    stages: dict[str, Method],
    learnt_from: Crops,
    size: dict[str, Any],
    out: Path,
    *,
    seed: int,
    device: str,
    monitor: Callable[[Method], float],
    looks: list[int] = LOOKS,
    until_calm: bool = False,
) -> list[History]:
    """Train the stages of a method, one after the other, each with a checkpoint in `out`.

    With `until_calm`, a blind network that teaches is trained on until its answer is calm (see `Recipe`); every time
    with a checkpoint and a history of its own.
    """
    histories = []
    for part, stage in stages.items():
        if isinstance(stage, DenoisingUNet):
            warn_of_grain(stage, learnt_from)
        for turn in range(1 + PATIENCE):
            checkpoint = out / f"{part}.{f'{turn}.' if turn else ''}checkpoint.safetensors"
            histories.append(
                fit(
                    stage,
                    learnt_from,
                    **{key: size[key] for key in ("steps", "learning_rate", "ramp_up", "ramp_down")},
                    seed=seed + 1_000_003 * turn,
                    device=device,
                    checkpoint=checkpoint,
                    monitor=monitor,
                    monitor_every=looks,
                    progress=True,
                )
            )
            if not (until_calm and type(stage) is BNN) or is_calm(stage, learnt_from):
                break
    return histories


def is_calm(stage: BNN, learnt_from: Crops) -> bool:
    """Whether a blind network's grain on the noisy crops that it learns from lies below alpha's low threshold."""
    return grain(_answer(stage, learnt_from)) < THRESHOLDS[0]


def warn_of_grain(stage: DenoisingUNet, learnt_from: Crops) -> None:
    """Warn if the blind network that SSID's third stage learns from leads at no pixel of the crops."""
    answer, (low, _) = _answer(stage.teachers["BNN"], learnt_from), stage.thresholds
    if not led_by(answer, stage.thresholds)["BNN"]:
        warnings.warn(
            f"no pixel of the BNN's answer lies below the low threshold of {low:g} (its grain is {grain(answer):.2g}, "
            f"in 8-bit units): alpha is never below 1/2; train the BNN longer, or raise the threshold",
            stacklevel=3,
        )


def _answer(stage: BNN, learnt_from: Crops) -> torch.Tensor:
    """What a blind network makes of some of the noisy crops that it learns from."""
    generator = torch.Generator().manual_seed(0)
    noisy = torch.cat([learnt_from.draw(stage.needs, generator, 1.0).noisy for _ in range(8)])
    return stage.denoise(noisy).mean


def _origin(recipe: Recipe, method: Method) -> dict[str, Any]:
    """What a card says about what weights were made of."""
    learnt = recipe.trained_on.datasets
    return {
        "noise": str(recipe.noise or "as photographed"),
        "needs": sorted(method.needs),
        "trained_on": recipe.trained_on.said,
        "data_sha256": " ".join(map(datasets.fingerprint, learnt)),
        "licence": f"MIT; the images have their own ({', '.join(f'`dnlib data {name}`' for name in learnt)})",
    }


def account(histories: list[History]) -> dict[str, Any]:
    """What a card says about how long weights were trained, where, and with what."""
    return {
        "seconds": round(sum(history.seconds for history in histories)),
        "cpu_seconds": round(sum(history.cpu_seconds for history in histories)),
        "precision": histories[-1].precision,
        "device": histories[-1].device,
        "machine": provenance.machine(),
        "commit": provenance.commit("dnlib"),
        "versions": provenance.versions(),
        "finished": time.strftime("%Y-%m-%d"),
    }


def stages(name: str, method: Method) -> dict[str, Method]:
    """The stages of a method in the order of their training, by the names of their checkpoints."""
    if method.stages == (method,):
        return {name: method}
    return {f"{name}.{type(stage).__name__.lower()}": stage for stage in method.stages}


def untrained(name: str, profile: str = "laptop", seed: int = 0) -> tuple[Method, dict[str, Any]]:
    """The method of a recipe before training, and the card that builds it.

    Parameters
    ----------
    name : str
        Of a recipe in `RECIPES`.
    profile : str
        smoke, laptop or paper: how large the networks are.
    seed : int
        Of the weights.

    Raises
    ------
    ValueError
        For an unknown name or profile.

    Examples
    --------
    >>> method, card = untrained("blind_spot_rgb_sigma25")
    >>> card["network"], method.network.channels
    ('TwoWayBlindSpotUNet', 3)
    """
    recipe = recipes.find(name)
    card = {
        "title": recipe.title,
        **recipes.described(profile, recipe),
        "command": _command(name, profile, seed),
    }
    torch.manual_seed(seed)
    method = cards.build(card)
    if recipe.start and profile != "smoke":  # whose networks are narrower
        method.network.load_state_dict(cards.load_method(recipe.start).network.state_dict())
        card["start"] = recipe.start
    return method, card


def batches(name: str, profile: str = "laptop", seed: int = 0) -> Crops:
    """What a recipe trains on: BSDS500's train and test splits with fresh noise, tiles of videos or noisy pictures."""
    recipe = recipes.find(name)
    size = recipes.sizes(profile, recipe)
    if recipe.trained_on == VIDEOS:
        return tile_crops(_tiles(recipe.noise, seed), size["count"])
    if recipe.noise is None:
        return Crops(phones.learnt_by(recipe), size=size["size"], count=size["count"])
    photographs = [example.clean for split in ("train", "test") for example in pictures(recipe, "bsds500", split)]
    return Crops(photographs, recipe.noise, size=size["size"], count=size["count"], appearance=recipe.appearance)


def _tiles(noise: Noise, seed: int) -> Tiles:
    """Patch-craft tiles of DAVIS, 7 frames of 480x854 each, with the sizes of PCST."""
    noisy = []
    for index, video in enumerate(datasets.load("davis480p")[:-HELD_OUT]):
        clean = torch.cat([to_tensor(frame) for frame in video.clean[:7]])
        noisy.append(noisy_burst(clean, noise, torch.Generator().manual_seed(index)).image)
    return craft_tiles(noisy, patch=43, radius=37, seed=seed, progress=True).filtered()


def _command(name: str, profile: str, seed: int, steps: int | None = None) -> str:
    """The command that makes the weights again; options at their defaults are left out."""
    options = {"profile": (profile, "laptop"), "seed": (seed, 0), "steps": (steps, None)}
    given = (f" --{option} {value}" for option, (value, default) in options.items() if value != default)
    return f"dnlib train {name}{''.join(given)}"
