"""How large each chapter's experiments are: one table. Sizes never depend on whether a GPU is there.

smoke   for tests: seconds per chapter, exact properties still hold
laptop  the default and what is committed: two CPU cores, minutes
paper   the papers' own sizes
"""

PROFILES = ("smoke", "laptop", "paper")

# chapter -> size -> its value in the profiles, in the order of PROFILES
SIZES: dict[str, dict[str, tuple]] = {
    "00_start_here": {
        "side": (96, 256, 512),  # the crop every experiment uses, in pixels
        "real_pairs": (1, 6, 54),  # noisy/clean pairs from a camera, where present
    },
    "01_donut_vs_classic": {
        "side": (128, 512, 512),
        "strengths": (3, 6, 10),  # settings tried per filter
        "images": (2, 4, 24),  # photographs on which the claims are checked
    },
}


def sizes(chapter: str, profile: str) -> dict:
    """The sizes of one chapter in one profile. Raises ValueError for an unknown profile."""
    if profile not in PROFILES:
        raise ValueError(f"there is no profile {profile!r}; there are: {', '.join(PROFILES)}")
    column = PROFILES.index(profile)
    return {name: values[column] for name, values in SIZES.get(chapter, {}).items()}
