"""The browser that prints the site and tries it: Debian's Chromium, or another that calls itself so."""

import shutil

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def found() -> str:
    """Where it is. Raises FileNotFoundError if it is nowhere."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    raise FileNotFoundError("no browser was found; install Chromium (Debian: apt install chromium)")
