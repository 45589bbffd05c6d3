"""What a record says about where it comes from: versions, commit, machine, memory."""

import functools
import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from dnlib.images import ROOT, in_checkout

PARTS = ("dnlib", "notebooks", "data/weights", "data/trainings")


def versions() -> dict[str, str]:
    """Of Python and of the packages that numbers depend on."""
    found = {"python": platform.python_version()}
    for name in ("dnlib", "numpy", "scipy", "scikit-image", "torch"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


@functools.cache
def commit(*parts: str) -> str:
    """The checkout's commit, with a + when files in these parts of it differ from it; empty outside git.

    parts: by default all that a chapter's numbers follow from: code, chapters, trained weights, cards of trainings.
    """

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True, timeout=10
        ).stdout.strip()

    if not in_checkout():
        return ""
    try:
        changed = git("status", "--porcelain", "--", *(parts or PARTS))
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.TimeoutExpired):
        return ""


def machine() -> str:
    """Processor, cores and memory, in words."""
    name = platform.processor() or platform.machine()
    try:
        info = Path("/proc/cpuinfo").read_text()
        name = re.search(r"model name\s*:\s*(.+)", info).group(1)
    except (OSError, AttributeError):
        pass
    return f"{name}, {usable_cores()} cores, {platform.system()}"


def usable_cores() -> int:
    """How many processors the system gives this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def peak_memory_mb() -> int:
    """The most memory this process ever held, in MB; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if platform.system() == "Darwin" else 1e3))
