"""Several trainings in one call, one after the other or side by side: `dnlib train A B --cluster local:2`."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from dnlib.training import choose_device
from dnlib.zoo import cluster as clusters, instalments, recipes, trainer


class Training(NamedTuple):
    """One training that is asked for, from scratch or one instalment more.

    Parameters
    ----------
    name : str
        Of a recipe.
    seed, profile, device, steps, out
        As `trainer.train` takes them.
    more : bool
        Whether it goes on from what is there, `seconds` or `steps` long.

    Examples
    --------
    >>> Training("ssid_row", seed=1).label
    'ssid_row, seed 1'
    """

    name: str
    seed: int = 0
    profile: str = "laptop"
    device: str = "auto"
    steps: int | None = None
    out: Path | None = None
    more: bool = False
    seconds: float | None = None

    @property
    def label(self) -> str:
        """In words."""
        return f"{self.name}, seed {self.seed}"

    def carry_out(self, report: Callable[[str], None] = print) -> Path:
        """Train; returns the path of the weights."""
        options = {"device": self.device, "steps": self.steps, "report": report}
        if self.more:
            return instalments.train_more(self.name, self.out, seconds=self.seconds, **options)
        return trainer.train(self.name, self.out, profile=self.profile, seed=self.seed, **options)


def train_all(
    trainings: Sequence[Training], cluster: str | None = None, report: Callable[[str], None] = print
) -> Iterator[tuple[Training, Path | Exception]]:
    """Carry out trainings, and yield each with its weights, or with what ended it; that stops no other.

    Parameters
    ----------
    trainings : sequence of Training
        Of different recipes or seeds.
    cluster : str, optional
        As `cluster.spread` takes it. Its workers must see the same folder; weights are, to the bit, those of a training
        alone with as many threads on the same processor.
    report : callable
        What is told, line by line.

    Raises
    ------
    ValueError
        Before any work: for an unknown recipe or device, two trainings that would write the same files, a cluster that
        cannot do it.
    """
    learnt = {name for training in trainings for name in recipes.find(training.name).trained_on.datasets}
    if len({(training.name, training.seed) for training in trainings}) < len(trainings):
        raise ValueError("a recipe with a seed is trained once; the same name and seed were given twice")
    if len({training.seed for training in trainings if training.out}) > 1:
        raise ValueError("one folder holds the trainings of one seed; leave --out away, and each seed gets its own")
    for training in trainings:
        choose_device(training.device, here=cluster is None)
    if cluster is not None:
        yield from clusters.spread(_on_a_worker, trainings, cluster, needs=sorted(learnt), report=report)
        return
    for training in trainings:
        try:
            yield training, training.carry_out(report)
        except Exception as error:  # whatever it is, the others go on
            if len(trainings) == 1:
                raise
            yield training, error


def _on_a_worker(training: Training) -> Path:
    return training.carry_out(lambda line: clusters.say(f"{training.label}: {line}"))
