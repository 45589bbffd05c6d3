"""Training in instalments: `dnlib train NAME --more 2h` goes on from weights that exist, as long as one has time.

An instalment is a warm restart: it begins with the averaged weights of the one before and a fresh optimiser, and its
learning rate rises and falls once. Its weights take the place of the old ones only if their PSNR on held-out images is
at least as good. The card adds up what all instalments took and keeps one learning curve.
"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dnlib.images import atomic, check_entries
from dnlib.methods import Method
from dnlib.training import Crops, Diverged, History, choose_device, seconds_of_a_step
from dnlib.zoo import cards, recipes, trainer


def train_more(
    name: str,
    out: Path | None = None,
    *,
    steps: int | None = None,
    seconds: float | None = None,
    device: str = "auto",
    report: Callable[[str], None] = print,
) -> Path:
    """Train weights for one more instalment: `dnlib train NAME --more 2h`.

    It goes on from out/NAME.safetensors if that has more steps than what ships, else from what ships. Interrupted or
    killed, the same call goes on with the same instalment, and loses at most two minutes.

    Parameters
    ----------
    name : str
        Of a recipe in `RECIPES`.
    out : Path
        Folder of weights and checkpoints; `trainer.folder()` if not given.
    steps : int
        Of the instalment, for each stage of the method.
    seconds : float
        Instead of `steps`: as many as fit into this time on this machine, told from a short trial.

    Returns
    -------
    Path
        Of the better weights, old or new.

    Raises
    ------
    ValueError
        For an unknown name or device, for none or both of steps and seconds, for weights that the recipe would not
        build today or that are not those their card describes.
    Diverged
        When the loss is no longer a number; the old weights stay, and nothing else.

    Examples
    --------
    >>> train_more("blind_spot_rgb_sigma25")
    Traceback (most recent call last):
    ValueError: an instalment has a length: a time (--more 2h) or a number of steps (--more --steps 5000)
    """
    _check_length(steps, seconds)
    recipes.find(name)
    choose_device(device)
    out = out or trainer.folder()
    if not _better(name, out).is_file():  # else an earlier call was stopped when nothing but its conclusion was left
        try:
            report(_instalment(name, out, steps, seconds, device, report))
        except Diverged:  # from its checkpoint the same call would diverge again
            _conclude(name, out)
            report("the instalment diverged; the old weights stay")
            raise
    return _conclude(name, out)


def _instalment(
    name: str, out: Path, steps: int | None, seconds: float | None, device: str, report: Callable[[str], None]
) -> str:
    """Train, and write what is at least as good as before to where `_conclude` looks. Returns how it went."""
    recipe, start = recipes.find(name), _furthest(name, out)
    card = cards.read_card(start, cards.TRAINED)
    _check_built_alike(card, name)
    method, watched, learnt_from = cards.load_method(start, device=device), trainer.watch(recipe), trainer.batches(name)
    stages = trainer.stages(f"{name}.more", method)
    plan = out / f"{name}.more.json"
    if steps is None and plan.is_file():
        report(f"{name}: the instalment that is under way goes on, whatever time was given")
    planned = _planned(plan, card, steps, lambda: _steps_in(seconds, stages, learnt_from, device))
    done, before = card["steps"], watched(method)
    report(f"{name}: {recipe.title}; {planned} steps more after {done}, from {before:.2f} dB on held-out images")
    histories = trainer.fit_stages(
        stages,
        learnt_from,
        recipes.sizes("laptop", recipe) | {"steps": planned},
        out,
        seed=card["seed"] + 1_000_003 * len(cards.instalments(card)),
        device=device,
        monitor=watched,
        looks=[look - done for look in trainer.LOOKS],
    )
    trained = cards.as_stored(method, card, device=device)
    after = watched(trained)
    outcome = f"held-out images: {after:.2f} dB after {before:.2f} dB"
    if not after >= before:
        return f"{outcome}; the old weights stay"
    found = trainer.scored(trained, recipe)
    cards.save_method(method, _better(name, out), _added_up(card, planned, histories, before, after) | found)
    return "\n".join([*(f"{what}: {score}" for what, score in found["scores"].items()), outcome])


def _better(name: str, out: Path) -> Path:
    """The card of an instalment that is finished, scored and good; it is written last."""
    return out / f"{name}.more.better.yaml"


def _conclude(name: str, out: Path) -> Path:
    """Let better weights, if there are any, take their place; delete the rest in an order that can be interrupted."""
    if _better(name, out).is_file():
        cards.copy(_better(name, out), out / f"{name}.yaml")
    for ending in ("*checkpoint.safetensors", "json", "better.yaml", "better.safetensors"):
        for file in out.glob(f"{name}.more.{ending}"):
            file.unlink()
    return _furthest(name, out).with_suffix(".safetensors")


def _check_length(steps: int | None, seconds: float | None) -> None:
    if (steps is None) == (seconds is None):
        raise ValueError("an instalment has a length: a time (--more 2h) or a number of steps (--more --steps 5000)")
    if (steps if seconds is None else seconds) <= 0:
        raise ValueError(f"an instalment is longer than nothing; {steps if seconds is None else seconds} was given")


def _added_up(
    card: dict[str, Any], steps: int, histories: list[History], before: float, held_out: float
) -> dict[str, Any]:
    """The card after one more instalment; where it has no curve yet, that begins where the instalment began."""
    this = trainer.account(histories) | {"steps": steps}
    total = {key: card[key] + this[key] for key in ("steps", "seconds", "cpu_seconds")}
    if "blind_steps" in card:
        total["blind_steps"] = card["blind_steps"] + steps
    curve = card.get("curve", [{"steps": card["steps"], "psnr": round(before, 3)}])
    return (
        card
        | this
        | total
        | {
            "command": f"{card['command']} && dnlib train {card['command'].split()[2]} --more --steps {steps}",
            "instalments": [*cards.instalments(card), {key: this[key] for key in cards.ACCOUNT}],
            "curve": [*curve, *histories[-1].curve(card["steps"])],
            "held_out": round(held_out, 3),
        }
    )


def _furthest(name: str, out: Path) -> Path:
    """Weights to go on from: of the trained and the shipped ones, those with more steps."""
    candidates = [path for path in (cards.HOME / f"{name}.yaml", out / f"{name}.yaml") if path.is_file()]
    if not candidates:
        raise ValueError(f"{name} was never trained; `dnlib train {name}` does it, then --more goes on")
    return max(candidates, key=lambda path: cards.read_card(path, cards.TRAINED)["steps"])


def _check_built_alike(card: dict[str, Any], name: str) -> None:
    wanted = recipes.described("laptop", recipes.find(name))
    for key, value in wanted.items():
        if card.get(key) != value:
            raise ValueError(
                f"the card says {key} {card.get(key)!r}, the recipe of {name} {value!r}: these weights were made "
                f"otherwise, and no instalment can go on from them"
            )


def _planned(path: Path, card: dict[str, Any], steps: int | None, count: Callable[[], int]) -> int:
    """How many steps the instalment under way has; those of a new one are written down."""
    if not path.is_file():
        plan = {"start": card["sha256"], "steps": steps or count()}
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as temporary:
            temporary.write_text(json.dumps(plan), encoding="utf-8")
        return plan["steps"]
    rest = f"{path.with_suffix('')}.*"
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        plan = None
    check_entries(
        f"{path} does not say which instalment is under way; delete {rest}", plan, {"start": str, "steps": int}
    )
    if plan["start"] != card["sha256"]:
        raise ValueError(f"{path} belongs to an instalment from other weights; delete {rest}")
    if steps not in (None, plan["steps"]):
        raise ValueError(
            f"an instalment of {plan['steps']} steps is under way in {path.parent}, {steps} were given; finish it with "
            f"--steps {plan['steps']}, or delete {rest}"
        )
    return plan["steps"]


def _steps_in(seconds: float, stages: dict[str, Method], learnt_from: Crops, device: str) -> int:
    """How many steps of every stage fit into a time."""
    per_step = sum(seconds_of_a_step(copy.deepcopy(stage), learnt_from, device) for stage in stages.values())
    return max(1, round(seconds / per_step))
