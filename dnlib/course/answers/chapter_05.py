"""Reference answers of chapter 05."""

from dnlib.course.exercises import Exercise

EXERCISES = {
    "05.1": Exercise(
        lambda k, m, width: max(0, 1 - abs(k) / width) * max(0, 1 - abs(m) / width),
        lambda: [(2, 1, 4), (0, 3, 5), (4, 0, 3)],
        because="two windows of w x w pixels, shifted by k and m, share (w - |k|)(w - |m|) of their w^2 pixels.",
    ),
    "05.2": Exercise(
        lambda: 1 / 3,
        lambda: [()],
        tolerance=0.05,
        because="what was two pixels apart is now one apart, 1 - 2/3. Every third would make it zero: "
        "the trick of chapter 07.",
    ),
    "05.3": Exercise(
        "the outlines of things",
        choices=("nothing", "a wider blob", "the outlines of things"),
        because="where the clean image is a little off, edges are left in the difference, and edges are "
        "alike over long ways.",
    ),
    "05.4": Exercise(
        "it gains more",
        choices=("it gains less", "it makes no difference", "it gains more"),
        because="the neighbours that know the noise of the hidden pixel are hidden with it; the price "
        "is that detail is, too.",
    ),
    "05.5": Exercise(
        2,
        because="crops of one photograph share its light, its camera and its mistakes: they are one sample.",
    ),
    "05.6": Exercise(
        "above zero",
        choices=("below zero", "at zero", "above zero"),
        because="what noise makes darker than black is lost, what it makes brighter stays, and no mean of many shots "
        "takes it off again. A black level far above the noise keeps both.",
    ),
}
