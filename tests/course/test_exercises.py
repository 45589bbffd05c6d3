import numpy as np
import pytest
import torch

from dnlib.course import exercises, jobs
from dnlib.course.exercises import check, find

NAMES = [name for path in jobs.chapters() for name in exercises.exercises(jobs.number(path))]


@pytest.mark.parametrize("name", NAMES)
def test_every_reference_answer_is_right_and_a_stub_is_not_attempted(name, capsys):
    exercise = find(name)
    check(name, exercise.answer)
    check(name, None)
    if exercise.cases:
        check(name, lambda *arguments: None)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("right") and set(said[1:]) == {"not attempted yet"}


@pytest.mark.parametrize("chapter", [jobs.number(path) for path in jobs.chapters()])
def test_chapters_have_four_exercises_or_more_numbered_in_order(chapter):
    names = list(exercises.exercises(chapter))
    assert len(names) >= 4 and names == [f"{chapter}.{number}" for number in range(1, len(names) + 1)]


def raising(*arguments):
    raise RuntimeError("the answer is 0.8\nand more")


@pytest.mark.parametrize(
    ("name", "yours", "said"),
    [
        ("04.9", 1, "there is no exercise '04.9'; chapter 04 has 04.1, "),
        ("99.1", 1, "exercises have names such as \"04.2\", chapter and number; '99.1' was given"),
        ("four", 1, "exercises have names such as"),
        ("04.1", 0.8, "not yet: a function is asked for, and float was given; hand it in without calling it"),
        ("04.1", raising, "not yet: your function raised RuntimeError: the answer is 0.8"),
        ("04.1", lambda width: 1, "not yet: your function raised TypeError: "),
        ("04.1", lambda width, noise: float("nan"), "not yet: 1 of 1 values are NaN or infinite"),
        ("04.1", lambda width, noise: [0.8, 0.8], "not yet: the shape is [2], expected []"),
        ("04.1", lambda width, noise: "0.8?", "not yet: numbers are asked for, and str was given"),
        ("04.1", lambda width, noise: {}, "not yet: numbers are asked for, and dict was given"),
        ("04.1", lambda width, noise: 0.8, "not yet: off by up to 0.662 (allowed: 1e-05)"),
        ("04.1", lambda width, noise: torch.tensor(width**2 / (width**2 + noise**2)), "right: "),
        ("01.1", lambda image: image[:3], "not yet: the shape is [3, 23], expected [20, 23]"),
        ("01.1", lambda image: image * np.inf, "not yet: 460 of 460 values are NaN or infinite"),
        ("04.5", raising, "not yet: a value is asked for, and a function was given"),
        ("04.5", "fine", "not yet: the answer is one of 'right', 'too sure of itself', 'too modest'; 'fine' was given"),
        ("04.5", 3, "not yet: the answer is one of"),
        ("04.5", np.zeros(2), "not yet: the answer is one of"),
        ("04.5", "right", "not yet: run it, or read once more"),
        ("02.3", ["L1"], "not yet: run it, or read once more"),
        ("02.3", ("L0", "L1"), "right: "),
        ("02.3", "L3", "not yet: the answer is a list of some of 'L2', 'L1', 'L0'; 'L3' was given"),
    ],
)
def test_whatever_is_handed_in_gets_one_helpful_line(name, yours, said, capsys):
    check(name, yours)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(said)


def test_a_solution_cannot_spoil_what_it_is_given(capsys):
    def spoiling(image):
        image[:] = 0
        return find("01.1").answer(image)

    check("01.1", spoiling)
    check("01.1", find("01.1").answer)
    assert capsys.readouterr().out.splitlines()[-1].startswith("right")
