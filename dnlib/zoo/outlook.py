"""What each training has reached, and what an hour more of this machine would buy: `dnlib train --plan`."""

import re
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import linregress
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from dnlib.methods import Batch, Method
from dnlib.training import choose_device, seconds_of_a_step
from dnlib.zoo import cards, recipes, trainer
from dnlib.zoo.recipe import Recipe

LOOKS = 4  # the last points of a learning curve that a line is laid through


class Outlook(NamedTuple):
    """A recipe: how far it is, how far its source is ahead, what a step takes, what an hour would buy.

    Parameters
    ----------
    name : str
        Of the recipe.
    steps, planned : int
        `steps` were done by the weights that ship, else by the longest training that was kept, else 0. `planned` are
        those of the whole training in the profile.
    held_out : float or None
        PSNR in dB on the images that training is watched with.
    behind : float or None
        By how much the source's PSNR on Kodak24 is above that of the weights that ship, in dB; None where either is
        not known.
    operations : float
        Floating-point operations of a step of every stage, forward and back.
    bytes : int
        Memory that a step needs at once: weights, gradients, Adam's averages, and what the backward pass needs, in
        float32.
    seconds : float
        Of a step of every stage, on this device.
    hour : tuple of float or None
        By how many dB an hour more would raise `held_out`, and the standard error of that. A line is laid through the
        last points of the learning curve, PSNR against the logarithm of the steps; None where fewer than three are
        known.
    """

    name: str
    steps: int
    planned: int
    held_out: float | None
    behind: float | None
    operations: float
    bytes: int
    seconds: float
    hour: tuple[float, float] | None


def plan(names: Collection[str], profile: str = "laptop", device: str = "auto") -> list[Outlook]:
    """The outlook of several recipes: first where an hour buys most, last where no learning curve says what it buys.

    Parameters
    ----------
    names : collection of str
        Of recipes.
    profile, device : str
        As `outlook` takes them.

    Raises
    ------
    ValueError
        For an unknown recipe, profile or device, before anything is measured.

    Examples
    --------
    >>> plan([])
    []
    """
    choose_device(device)
    for name in names:
        recipes.find(name)
    outlooks = [outlook(name, profile, device) for name in tqdm(names, leave=False)]
    return sorted(outlooks, key=lambda one: one.hour[0] if one.hour else -np.inf, reverse=True)


def outlook(name: str, profile: str = "laptop", device: str = "auto") -> Outlook:
    """How far the training of a recipe is; a few steps of it are timed, on made-up pictures.

    Parameters
    ----------
    name : str
        Of a recipe.
    profile : str
        Whose sizes a step has; what was reached is that of what ships or was kept.
    device : str
        As `choose_device` takes it.

    Raises
    ------
    ValueError
        For an unknown recipe, profile or device.

    Examples
    --------
    >>> outlook("noise2sharp")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ValueError: ... 'noise2sharp' was given
    """
    recipe = recipes.find(name)
    recipes.check_profile(profile)
    choose_device(device)
    card = _reached(name)
    size = recipes.sizes(profile, recipe)
    method, _ = trainer.untrained(name, profile)
    measured = [_measured(stage, _made_up(stage, recipe, size), device) for stage in method.stages]
    operations, sizes, seconds = zip(*measured, strict=True)
    steps = card.get("steps", 0)
    return Outlook(
        name,
        steps,
        size["steps"],
        card.get("held_out"),
        _behind(recipe, card),
        sum(operations),
        max(sizes),
        sum(seconds),
        hour_more(card.get("curve", []), steps, 3600 / sum(seconds)),
    )


def hour_more(curve: list[dict[str, float]], steps: int, more: float) -> tuple[float, float] | None:
    """What `more` steps buy after `steps`, and its standard error, from a learning curve as cards keep it.

    A straight line through its last points, PSNR against the logarithm of the steps; the error is that of its slope.

    Examples
    --------
    >>> curve = [{"steps": 2**k, "psnr": 20 + k} for k in range(6)]
    >>> hour_more(curve, steps=32, more=32)
    (1.0, 0.0)
    """
    last = [point for point in curve if point["steps"] > 0][-LOOKS:]
    if len(last) < 3:
        return None
    line = linregress(np.log2([point["steps"] for point in last]), [point["psnr"] for point in last])
    gained = np.log2((steps + more) / steps)
    return round(float(line.slope * gained), 3), round(float(line.stderr * gained), 3)


def _reached(name: str) -> dict:
    """The card of what ships; else of the longest training that was kept, of its lowest seed; else nothing."""
    if name in cards.available():
        return cards.read_card(name)
    kept = cards.trainings(name)
    return next((card for card in kept if card["steps"] == kept[-1]["steps"]), {})


def _behind(recipe: Recipe, card: dict) -> float | None:
    ours = card.get("scores", {}).get(f"kodak24, {recipe.monitored}") if recipe.published else None
    return round(recipe.published - float(re.match(r"[\d.]+", ours)[0]), 2) if ours else None


def _made_up(stage: Method, recipe: Recipe, size: dict) -> dict[str, torch.Tensor]:
    """A batch of noise: what a step takes does not depend on what it sees."""
    shape = (size["count"], recipe.channels, size["size"], size["size"])
    generator = torch.Generator().manual_seed(0)
    return {part: torch.rand(shape, generator=generator) for part in stage.needs}


def _measured(stage: Method, batch: dict[str, torch.Tensor], device: str) -> tuple[float, int, float]:
    """Operations, bytes and seconds of a step; the stage has then learnt enough for the next one to learn from it."""
    seconds = seconds_of_a_step(stage, [batch], device)
    kept = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    stage = stage.cpu().train()
    with FlopCounterMode(display=False) as counter, saved_tensors_hooks(keep, lambda tensor: tensor):
        stage.loss(Batch(torch.Generator(), **batch)).backward()
    weights = sum(weight.numel() * weight.element_size() for weight in stage.parameters() if weight.requires_grad)
    return float(counter.get_total_flops()), 4 * weights + sum(kept.values()), seconds
