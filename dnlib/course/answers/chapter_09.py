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
        because="the minimum of absolute differences is no mixture: it is the teacher with more weight. The U-Net "
        "still mixes, for it cannot know each teacher's answer exactly.",
    ),
    "09.3": Exercise(
        "both, flat areas more",
        choices=("flat areas", "texture", "both, flat areas more"),
        because="LAN is a small blur and leaves blotches standing. Most pixels had both teachers alike, in "
        "flat areas and in texture, and lose one of them; in flat areas that one was by far the better.",
    ),
    "09.4": Exercise(5, because="n stacked 3x3 convolutions see 2 n + 1 pixels to a side."),
    "09.5": Exercise(
        "it depends on the pictures, and why is open",
        choices=("it gains", "it loses", "it depends on the pictures, and why is open"),
        because="the sign changes with the pictures, which differ in noise, in what they show and in whether the "
        "network learned from them; nothing here tells these apart.",
    ),
}
