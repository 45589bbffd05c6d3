"""Checks that every room makes of what it is given, in one wording, and whether an error is such a refusal."""

import dis
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

PACKAGE = str(Path(__file__).parents[1])

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
        Naming the values accepted, the one given and, if one is spelt almost like it, that one.

    Examples
    --------
    >>> one_of("mse", ("mse", "l1"), "the loss")
    'mse'
    >>> one_of("smoth", ("mse", "l1", "smooth"), "the loss")
    Traceback (most recent call last):
    ValueError: the loss can be mse, l1 or smooth; 'smoth' was given. Did you mean 'smooth'?
    """
    accepted = list(accepted)
    if value in accepted:
        return value
    names = [str(one) for one in accepted]
    listed = " or ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    near = [] if str(value).startswith(".") else get_close_matches(str(value), names, 1)  # .gif is no slip of .tif
    meant = "".join(f". Did you mean {name!r}?" for name in near)
    raise ValueError(f"{what} can be {listed or 'nothing'}; {value!r} was given{meant}")


def check_entries(where: str, given: Any, kinds: dict[str, type]) -> None:
    """What a file says is looked at before it is used: a dictionary with these keys, and values of these types.

    Parameters
    ----------
    where : str
        How the error begins: what is wrong, or what to do.
    given
        What was read.
    kinds : dict
        The type of each key's value. A whole number is a float, too; true and false are no numbers.

    Raises
    ------
    ValueError
        Naming the keys that are missing, or the first value of another type.

    Examples
    --------
    >>> check_entries("a.yaml is not a card", {"steps": 600}, {"steps": int})
    >>> check_entries("a.yaml is not a card", {"steps": "many"}, {"steps": int})
    Traceback (most recent call last):
    ValueError: a.yaml is not a card: steps is 'many', and no int
    """
    if missing := [key for key in kinds if not isinstance(given, dict) or key not in given]:
        raise ValueError(f"{where}: it lacks {', '.join(missing)}")
    for key, kind in kinds.items():
        right = isinstance(given[key], int | float if kind is float else kind)
        if not right or (isinstance(given[key], bool) and kind in (int, float)):
            raise ValueError(f"{where}: {key} is {given[key]!r}, and no {kind.__name__}")


def refused(error: Exception) -> bool:
    """Whether dnlib raised this itself, by a `raise`, or the operating system refused a file; else it is a bug.

    Parameters
    ----------
    error : Exception
        That was caught.

    Examples
    --------
    >>> try:
    ...     one_of("huber", ("mse", "l1"), "the loss")
    ... except ValueError as error:
    ...     refused(error)
    True
    """
    if isinstance(error, OSError) and error.errno is not None:
        return True
    trace = error.__traceback__
    while trace.tb_next:
        trace = trace.tb_next
    code, at = trace.tb_frame.f_code, trace.tb_lasti
    return code.co_filename.startswith(PACKAGE) and dis.opname[code.co_code[at]] == "RAISE_VARARGS"


def refusal(error: Exception, path: Path) -> str:
    """Why a file was refused, in a line that names it. An error that is a bug is raised again.

    Parameters
    ----------
    error : Exception
        That was caught.
    path : pathlib.Path
        Of the file.

    Examples
    --------
    >>> try:
    ...     one_of("huber", ("mse", "l1"), "the loss")
    ... except ValueError as error:
    ...     refusal(error, Path("a.png"))
    "a.png: the loss can be mse or l1; 'huber' was given"
    """
    if not refused(error):
        raise error
    return str(error) if str(path) in str(error) else f"{path}: {error}"
