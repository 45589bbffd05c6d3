"""Whether and how progress is shown."""

import os


def headless() -> bool:
    """Whether nobody is looking: run by papermill, nbval or a test."""
    return bool(os.environ.get("DNLIB_HEADLESS"))
