"""Reference answers of chapter 09."""

from dnlib.course.exercises import Exercise

EXERCISES = {
    "09.1": Exercise(
        lambda r: r + 1,
        lambda: [(0,), (2,), (4,)],
        because="the hole must hold r pixels to each side: 2k - 1 >= 2r + 1.",
    ),
    "09.2": Exercise(
        lambda blind, near, alpha: near if alpha > 0.5 else blind,
        lambda: [(0.2, 0.6, 0.3), (0.2, 0.6, 0.7)],
        because="the minimum of absolute differences is no mixture: it is the teacher with more weight. "
        "The U-Net still "
        "mixes, for it cannot know each teacher's answer exactly.",
    ),
}
