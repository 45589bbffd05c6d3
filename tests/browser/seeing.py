"""What a person would look at: whether a picture changes, and whether everybody can use a page."""

import time
from collections.abc import Callable


def changes(picture, move: Callable[[], None], seconds: float = 60) -> None:
    """Move something, and wait until a picture looks otherwise. Raises AssertionError if it never does.

    picture: a Playwright locator.
    """
    from playwright.sync_api import Error

    before = picture.screenshot()
    move()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if picture.screenshot() != before:
                return
        except Error:  # it was exchanged while it was looked at
            pass
        time.sleep(0.1)
    raise AssertionError(f"the picture did not change within {seconds:g} s")


def violations(page) -> list[str]:
    """What axe-core calls a serious or critical fault of a page: contrast, names of controls, use by keyboard."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"preload": False, "resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {one['help']}, {[node['target'] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
