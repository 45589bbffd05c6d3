"""How long a step of training takes here, for whoever has a time and needs a number of steps."""

from typing import Any

from dnlib.methods import Method
from dnlib.training.loop import Batches, fit


def seconds_of_a_step(
    method: Method, batches: Batches | list[Any], device: str = "auto", warm: int = 3, timed: int = 8
) -> float:
    """Seconds of a training step, told from a short trial.

    Parameters
    ----------
    method : Method
        What is trained. It keeps what it learns in the trial: give a copy (`copy.deepcopy`) if it should not.
    batches : Batches or list
        What it learns from, as `fit` takes it.
    device : str
        As `choose_device` takes it: "auto", "cpu", "cuda", "cuda:1", "mps".
    warm, timed : int
        The first steps, which take longer and do not count, and those that are timed.

    Returns
    -------
    float
        Seconds.

    Raises
    ------
    ValueError
        As `fit` raises it.

    Examples
    --------
    >>> from dnlib.images import photo
    >>> from dnlib.methods import Noise2Self
    >>> from dnlib.networks import Noise2CleanUNet
    >>> from dnlib.training import Crops
    >>> seconds_of_a_step(Noise2Self(Noise2CleanUNet(channels=1, width=8)), Crops([photo("camera")], size=32)) > 0
    True
    """
    fit(method, batches, steps=warm, device=device, progress=False)
    return fit(method, batches, steps=timed, device=device, progress=False).seconds / timed
