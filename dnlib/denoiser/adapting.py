"""A network trained further on the very picture that it is to denoise, or on the shots of one scene (`lessons`).

The sample tiles, on which all candidates are judged, are held out: crops come from rectangles between them. So the
adapted network is judged as any other candidate is, on the same pixels with the same draws of noise, none of which it
has learnt from, and takes the place of the best of them only where its risk is lower for certain. Where neighbours
share the noise it has to be lower by more than an estimate of what they share may be off: lesson and judge rely on the
same estimate, and a network learns to please both (`benchmarks/adapt.py`).
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from dnlib.denoiser import learned
from dnlib.denoiser.candidates import ADAPTED, CANDIDATES, TOGETHER
from dnlib.denoiser.judging import Judge, Judged
from dnlib.denoiser.lessons import SIDE, SMALLEST, Lessons, Pairs
from dnlib.denoiser.sampling import MARGIN, TILE, Place, between
from dnlib.images import Part

if TYPE_CHECKING:
    from dnlib.methods import Method
    from dnlib.training import Crops

HELD_OUT = 0.25  # of a picture, at most
LOOKS, SHARE = 6, 0.25  # how often the held-out tiles are looked at, and in what share of the time, at most
TRIAL = 1, 3  # steps to warm up, and steps that are timed: a step of these networks takes seconds


class _Enough(Exception):
    """The time is up."""


@dataclass
class Adaptation:
    """A network in training, and the best that it has been on what is held out.

    before: the candidate as it was judged.
    """

    before: Judged
    method: "Method"
    judge: Judge
    learning_rate: float
    steps: int = 0
    best: Judged | None = None
    weights: dict | None = None

    def look(self, method: "Method | None" = None) -> float:
        """Judge the network, and remember it if it is the best so far; returns its risk as PSNR in dB, for the bar."""
        self.method.eval()
        candidate = self.before.candidate
        filter = learned.filter_by(lambda device: self.method, candidate.refining)
        judged = self.judge.one(replace(candidate, filter=filter))
        if self.judge.is_worse(self.before, judged) and (self.best is None or judged.change < self.best.change):
            self.best, self.weights = judged, copy.deepcopy(self.method.state_dict())
        return -10 * math.log10(max(judged.risk.at(judged.weight), 1e-12))

    def train(self, crops: "Crops", seconds: float, deadline: float, progress: bool) -> None:
        """Train until the deadline or until Ctrl-C. seconds: that were given, for the error if they are too few."""
        from dnlib.training import Diverged, fit

        per_step, per_look = self._try(crops)
        steps, looks = _fitting(deadline - time.perf_counter(), per_step, per_look)
        if not steps:
            least = seconds - (deadline - time.perf_counter()) + per_step + per_look
            raise ValueError(
                f"--adapt (adapt=) has no time for a single step here, which takes {math.ceil(least)} s, with all that "
                f"it needs; {seconds:g} s were given"
            )

        def count(step: int, loss: float, method: "Method") -> None:
            self.steps = step
            if time.perf_counter() > deadline - per_look:
                raise _Enough

        try:
            fit(
                self.method,
                crops,
                steps=steps,
                learning_rate=self.learning_rate,
                device=self.judge.device,
                monitor=self.look,
                monitor_every=[math.ceil(steps / 2**k) for k in range(looks)],
                on_step=count,
                progress=progress,
            )
        except (_Enough, KeyboardInterrupt):
            self.look()
        except Diverged:  # the best so far is good
            pass

    def _try(self, crops: "Crops") -> tuple[float, float]:
        """The seconds that a step takes, and a look."""
        from dnlib.training import seconds_of_a_step

        per_step = seconds_of_a_step(copy.deepcopy(self.method), crops, self.judge.device, *TRIAL)
        started = time.perf_counter()
        self.judge.one(self.before.candidate)
        return per_step, time.perf_counter() - started


def adapted_best(
    judged: dict[str, Judged], lessons: Lessons, judge: Judge, seconds: float, span: float, progress: bool
) -> tuple[dict[str, Judged], str]:
    """The best network of those judged, trained further, as one more candidate or none; and a sentence about it.

    Where a mean of the network and a filter was judged, there is one with the trained network, too.

    lessons: they hold nothing of what the judge sees. span: what [0, 1] is in the picture's units. Raises ValueError
    where the time is too short for a step, or nothing can be learnt.
    """
    name = min((name for name in adaptable() if name in judged), key=lambda name: judged[name].change)
    before = judge.one(judged[name].candidate)  # on all, even if it was dropped after a quarter
    adaptation = adapt(before, lessons, judge, seconds, progress)
    after = adaptation.best
    trained = f"{name} was trained further on {lessons.what} for {adaptation.steps} steps"
    if after is None:
        return {}, f"{trained}: where it did not learn, its error fell nowhere for certain, and it stays as it was"
    adaptation.method.load_state_dict(adaptation.weights)
    adaptation.method.eval()
    left = [span * math.sqrt(max(one.risk.at(one.weight), 0)) for one in (before, after)]
    fell = f"fell from {left[0]:.3g} to {left[1]:.3g}" if left[0] else "was next to nothing, and is less"
    said = f"{trained}: where it did not learn, what it leaves {fell}"
    found = {f"{name}{ADAPTED}": after}
    for pair in (mean.split(TOGETHER) for mean in judged if name in mean.split(TOGETHER)[1:]):
        found |= judge.mean({other: judged[other] for other in pair if other != name} | found)
    return found, said


def adapt(before: Judged, lessons: Lessons, judge: Judge, seconds: float, progress: bool) -> Adaptation:
    """Train the network of a candidate further."""
    deadline = time.perf_counter() + seconds
    network = copy.deepcopy(learned.method_of(before.candidate.weights, judge.device).network)
    method, crops = lessons.for_network(network, judge)
    adaptation = Adaptation(before, method, judge, lessons.learning_rate)
    adaptation.train(crops, seconds, deadline, progress)
    return adaptation


def lessons_for(
    names: list[str],
    frames: list[np.ndarray],
    inside: list[np.ndarray],
    places: list[Place],
    shots: Callable | None = None,
) -> Lessons:
    """What can be learnt from, if one of the candidates to be tried can learn; raises ValueError before any work.

    places: of the sample tiles. shots: what makes lessons of all but these, if the frames are shots of one scene.
    """
    if not set(names).intersection(adaptable()):
        raise ValueError(
            "--adapt (adapt=) trains a network further, and none is tried here: their weights are missing, or "
            f"--patience (patience=) is too short for them; tried are {', '.join(names)}"
        )
    lessons = shots(places) if shots else Pairs(between(frames, inside, places, SMALLEST))
    if not lessons:
        least = SIDE if shots else SMALLEST
        raise ValueError(
            f"--adapt (adapt=) learns from what lies around the {TILE}x{TILE} pixels on which candidates are judged, "
            f"and here is no room of {least}x{least} pixels, none of them missing: it takes pictures of about "
            f"{TILE + MARGIN + least} pixels in height or width"
        )
    return lessons


def check_adaptable(filter: str, seconds: float) -> None:
    """Raises ValueError for a filter that cannot be trained further, and for a time that is no number above 0."""
    if filter != "auto" and filter not in (names := adaptable()):
        raise ValueError(
            f"--adapt (adapt=) trains a network further: it goes without --filter or with {', '.join(names)}; "
            f"--filter {filter} was given"
        )
    if not isinstance(seconds, Real) or not 0 < seconds < math.inf:
        raise ValueError(f"--adapt (adapt=) takes a time above 0, as 5m (300, in seconds); {seconds!r} was given")


def check_parts(parts: list[Part]) -> None:
    """Raises ValueError for parts that no network takes."""
    for part in parts:
        channels = part.pixels.shape[-1]
        if part.counts or channels != 3:
            what = "holds photon counts" if part.counts else f"has {channels} channel(s) that are denoised together"
            raise ValueError(
                f"--adapt (adapt=) trains a network further, and those that there are take pictures of 3 colours; this "
                f"one {what}: leave --adapt out"
            )


def adaptable() -> list[str]:
    """The candidates that can be trained further."""
    return [name for name, one in CANDIDATES.items() if one.channels == 3 and one.deviation is None]


def _fitting(seconds: float, per_step: float, per_look: float) -> tuple[int, int]:
    """How many steps and looks fit into a time; no steps if a single one does not fit beside the looks."""
    looks = max(1, min(LOOKS, int(SHARE * seconds / per_look)))
    return max(0, int((seconds - looks * per_look) / per_step)), looks
