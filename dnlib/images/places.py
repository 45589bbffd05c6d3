"""Where the checkout is, and what ships with the package."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent
"""The checkout, with notebooks/, results/ and data/; a wheel has none, and carries data/ inside the package."""


def shipped(name: str) -> Path:
    """A folder of the checkout that a wheel carries, too: data, notebooks, results or benchmarks."""
    return PACKAGE / name if (PACKAGE / name).is_dir() else ROOT / name


SHIPPED = shipped("data")
"""The registry of datasets and the trained weights."""


def in_checkout() -> bool:
    """Whether this is the course's checkout, with its notebooks and results, and not a wheel."""
    return (ROOT / "notebooks").is_dir() and (ROOT / "results").is_dir()


def home() -> Path:
    """Where datasets lie: the environment variable DNLIB_DATA, or data/downloads in the checkout, or a user's cache."""
    if told := os.environ.get("DNLIB_DATA"):
        return Path(told).expanduser()
    if in_checkout():
        return ROOT / "data" / "downloads"
    import pooch

    return Path(pooch.os_cache("dnlib"))
