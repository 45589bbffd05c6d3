"""Checks that every room makes of what it is given, in one wording."""

from collections.abc import Iterable
from typing import TypeVar

Value = TypeVar("Value")


def one_of(value: Value, accepted: Iterable[Value], what: str) -> Value:
    """The value itself, if it is one of those accepted.

    Parameters
    ----------
    value
        What was given.
    accepted
        What may be given, in the order in which the error lists it.
    what : str
        What the value is, as the subject of a sentence: "the loss".

    Raises
    ------
    ValueError
        Naming the values accepted and the one given.

    Examples
    --------
    >>> one_of("mse", ("mse", "l1"), "the loss")
    'mse'
    >>> one_of("huber", ("mse", "l1", "smooth"), "the loss")
    Traceback (most recent call last):
    ValueError: the loss is mse, l1 or smooth; 'huber' was given
    """
    accepted = list(accepted)
    if value in accepted:
        return value
    names = [str(one) for one in accepted]
    listed = " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    raise ValueError(f"{what} is {listed or 'nothing'}; {value!r} was given")
