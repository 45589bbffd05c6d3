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

from dnlib.images import atomic
from dnlib.methods import Method
from dnlib.training import Crops, History, fit
from dnlib.zoo import cards, recipes, trainer

TRIAL = 3, 8  # steps to warm up, and steps that are timed, to tell how many an hour holds


def train_more(
    name: str,
    out: Path,
    *,
    steps: int | None = None,
    seconds: float | None = None,
    device: str = "auto",
    report: Callable[[str], None] = print,
) -> Path:
    """Train weights for one more instalment; returns the path of the better ones, old or new.

    It goes on from out/NAME.safetensors if that has more steps than what ships, else from what ships. Interrupted or
    killed, the same call goes on with the same instalment, and loses at most two minutes.

    steps: of the instalment, for each stage of the method.   seconds: as many steps as fit into this time on this
        machine, told from a short trial.
    Raises ValueError for an unknown name, for none or both of steps and seconds, for weights that the recipe would not
    build today.
    """
    if (steps is None) == (seconds is None):
        raise ValueError("an instalment has a length: a time (--more 2h) or a number of steps (--more --steps 5000)")
    if (steps if seconds is None else seconds) <= 0:
        raise ValueError(f"an instalment is longer than nothing; {steps if seconds is None else seconds} was given")
    recipe, start = recipes.find(name), _furthest(name, out)
    card = cards.read_card(start)
    _check_built_alike(card, name)
    method, watched, learnt_from = cards.load_method(start), trainer.watch(recipe), trainer.batches(name)
    stages = trainer.stages(f"{name}.more", method)
    plan = _plan(out / f"{name}.more.json", card, lambda: steps or _steps_in(seconds, stages, learnt_from, device))
    if steps not in (None, plan["steps"]):
        raise ValueError(
            f"an instalment of {plan['steps']} steps is under way in {out}, {steps} were given; finish it with "
            f"--steps {plan['steps']}, or delete {name}.more.* there"
        )
    done, before = card["steps"], watched(method)
    number = len(cards.instalments(card))
    report(f"{name}: {recipe.title}; {plan['steps']} steps more after {done}, from {before:.2f} dB on held-out images")
    size = recipes.sizes("laptop", recipe) | {"steps": plan["steps"]}
    looks = [2**k - done for k in range(64)]
    histories = [
        fit(
            stage,
            learnt_from,
            **{key: size[key] for key in ("steps", "learning_rate", "ramp_up", "ramp_down")},
            seed=card["seed"] + 1_000_003 * number,
            device=device,
            checkpoint=out / f"{part}.checkpoint.safetensors",
            monitor=watched,
            monitor_every=looks,
            progress=True,
        )
        for part, stage in stages.items()
    ]
    path, trial = out / f"{name}.safetensors", out / f"{name}.more.safetensors"
    cards.save_method(method, trial, card)
    trained = cards.load_method(trial)  # what is stored, in half precision
    after = watched(trained)
    if after >= before:
        scores = trainer.scored(trained, recipe)
        cards.save_method(method, path, _added_up(card, plan["steps"], histories, after) | {"scores": scores})
        for what, score in scores.items():
            report(f"{what}: {score}")
    for file in out.glob(f"{name}.more.*"):
        file.unlink()
    outcome = "" if after >= before else "; the old weights stay"
    report(f"held-out images: {after:.2f} dB after {before:.2f} dB{outcome}")
    return path if after >= before else start


def _added_up(card: dict[str, Any], steps: int, histories: list[History], held_out: float) -> dict[str, Any]:
    """The card after one more instalment."""
    this = trainer.account(histories) | {"steps": steps}
    total = {key: card[key] + this[key] for key in ("steps", "seconds", "cpu_seconds")}
    return (
        card
        | this
        | total
        | {
            "command": f"{card['command']} && dnlib train {card['command'].split()[2]} --more --steps {steps}",
            "instalments": [*cards.instalments(card), {key: this[key] for key in cards.ACCOUNT}],
            "curve": [*card.get("curve", []), *histories[-1].curve(card["steps"])],
            "held_out": round(held_out, 3),
        }
    )


def _furthest(name: str, out: Path) -> Path:
    """Weights to go on from: of the trained and the shipped ones, those with more steps."""
    candidates = [path for path in (cards.HOME / f"{name}.yaml", out / f"{name}.yaml") if path.is_file()]
    if not candidates:
        raise ValueError(f"{name} was never trained; `dnlib train {name}` does it, then --more goes on")
    return max(candidates, key=lambda path: cards.read_card(path)["steps"])


def _check_built_alike(card: dict[str, Any], name: str) -> None:
    wanted = recipes.described("laptop", recipes.find(name))
    for key, value in wanted.items():
        if card.get(key) != value:
            raise ValueError(
                f"the card says {key} {card.get(key)!r}, the recipe of {name} {value!r}: these are weights of another "
                f"architecture, and no instalment can go on from them"
            )


def _plan(path: Path, card: dict[str, Any], count: Callable[[], int]) -> dict[str, Any]:
    """How many steps the instalment under way has; a new one is counted and written down."""
    if path.is_file():
        plan = json.loads(path.read_text(encoding="utf-8"))
        if plan["start"] == card["sha256"]:
            return plan
        raise ValueError(f"{path} belongs to an instalment from other weights; delete it and what begins like it")
    plan = {"start": card["sha256"], "steps": count()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(plan), encoding="utf-8")
    return plan


def _steps_in(seconds: float, stages: dict[str, Method], learnt_from: Crops, device: str) -> int:
    """How many steps of every stage fit into a time."""
    warm, timed = TRIAL
    per_step = 0.0
    for stage in stages.values():
        trial = copy.deepcopy(stage)
        fit(trial, learnt_from, steps=warm, device=device, progress=False)
        per_step += fit(trial, learnt_from, steps=timed, device=device, progress=False).seconds / timed
    return max(1, round(seconds / per_step))
