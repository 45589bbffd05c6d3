"""Exercises: `dnlib.check("04.2", yours)` compares with the reference answer, which lives in `answers`.

It says not attempted, right and why, or one line on what is wrong. Whatever is handed in, no traceback gives the answer
away.
"""

import copy
import importlib
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Exercise(NamedTuple):
    """One exercise of a chapter."""

    answer: Any  # a function where the reader writes a function; else what is to be found: numbers or words
    cases: Callable[[], list[tuple]] | None = None  # the tuples of arguments with which two functions are compared
    choices: tuple[str, ...] = ()  # where the answer is one of a few words, or a list of some of them
    tolerance: float = 1e-5  # the largest difference that is right
    because: str = ""  # what is said once it is right


class NotYet(Exception):
    """What is wrong with an answer, in words for the reader."""


def find(name: str) -> Exercise:
    """The exercise of a chapter, by names such as "04.2": the second of chapter 04.

    Raises ValueError if there is none of that name; it says which there are.

    Examples
    --------
    >>> find("00.2").answer(255, 100)
    20.0
    """
    found = re.fullmatch(r"(\d\d[a-z]?)\.(\d+)", str(name))
    try:
        known = exercises(found[1])
    except (TypeError, ModuleNotFoundError):
        raise ValueError(f'exercises have names such as "04.2", chapter and number; {name!r} was given') from None
    if name not in known:
        raise ValueError(f"there is no exercise {name!r}; chapter {found[1]} has {', '.join(known)}")
    return known[name]


def exercises(chapter: str) -> dict[str, Exercise]:
    """Those of a chapter, "00" to "12", "03a" and "03b", by name. Raises ModuleNotFoundError for another one."""
    return importlib.import_module(f"dnlib.course.answers.chapter_{chapter}").EXERCISES


def check(exercise: str, yours: Any) -> None:
    """Compare your answer to an exercise with the reference: prints not attempted, right, or what is wrong.

    Parameters
    ----------
    exercise : str
        Chapter and number: "04.2".
    yours : callable, array_like or str
        What the exercise asks for; None, or a function that returns None, as long as it was not attempted.

    Examples
    --------
    >>> check("00.2", lambda sigma, exposures: None)
    not attempted yet
    >>> check("00.2", lambda sigma, exposures: 20.0)
    not yet: off by up to 9.2 (allowed: 1e-05)
    >>> check("00.7", 1)
    there is no exercise '00.7'; chapter 00 has 00.1, 00.2, 00.3, 00.4, 00.5
    """
    try:
        asked = find(exercise)
        attempted = _judge(asked, yours)
    except NotYet as wrong:
        print(f"not yet: {wrong}")
    except ValueError as error:
        print(error)
    else:
        print("not attempted yet" if not attempted else f"right: {asked.because}" if asked.because else "right")


def _judge(asked: Exercise, yours: Any) -> bool:
    """Whether the exercise was attempted. Raises NotYet if the answer is not right."""
    if yours is None:
        return False
    if asked.cases is None:
        if callable(yours):
            raise NotYet("a value is asked for, and a function was given; call it, or leave the brackets out")
        return _compare(asked, asked.answer, yours)
    if not callable(yours):
        raise NotYet(f"a function is asked for, and {type(yours).__name__} was given; hand it in without calling it")
    return all(_compare(asked, asked.answer(*copy.deepcopy(case)), _call(yours, case)) for case in asked.cases())


def _call(function: Callable, case: tuple) -> Any:
    try:
        return function(*copy.deepcopy(case))
    except Exception as error:
        lines = str(error).splitlines()
        raise NotYet(f"your function raised {type(error).__name__}{f': {lines[0]}' if lines else ''}") from None


def _compare(asked: Exercise, expected: Any, given: Any) -> bool:
    if given is None:
        return False
    if asked.choices:
        return _compare_words(asked.choices, expected, given)
    expected, given = np.asarray(expected, dtype=float), _numbers(given)
    if expected.shape != given.shape:
        raise NotYet(f"the shape is {list(given.shape)}, expected {list(expected.shape)}")
    if bad := int(np.sum(~np.isfinite(given))):
        raise NotYet(f"{bad} of {given.size} values are NaN or infinite")
    difference = float(np.max(np.abs(expected - given), initial=0))
    if difference > asked.tolerance:
        raise NotYet(f"off by up to {difference:.3g} (allowed: {asked.tolerance:g})")
    return True


def _compare_words(choices: tuple[str, ...], expected: str | list[str], given: Any) -> bool:
    several = isinstance(expected, list)
    words = list(given) if several and isinstance(given, list | tuple | set) else [given]
    if unknown := [word for word in words if np.ndim(word) or word not in choices]:
        how = "a list of some of" if several else "one of"
        raise NotYet(f"the answer is {how} {', '.join(map(repr, choices))}; {unknown[0]!r} was given")
    if set(words) != set(expected if several else [expected]):
        raise NotYet("run it, or read once more what stands above, and decide again")
    return True


def _numbers(given: Any) -> np.ndarray:
    """Numbers, arrays, tensors and lists of them as an array of floats."""
    try:
        given = given.detach().cpu() if hasattr(given, "detach") else given
        return np.asarray(given, dtype=float)
    except Exception:
        raise NotYet(f"numbers are asked for, and {type(given).__name__} was given") from None
