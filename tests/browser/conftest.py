"""A real browser: Chromium without a window, over the built site, the report, the denoiser's page and JupyterLab.

`make test-browser` runs these tests; `make test` leaves them out, for they take minutes.
"""

import functools
import http.server
import os
import sys
import threading
from pathlib import Path

import pytest

from dnlib.images import ROOT

sys.path.insert(0, str(ROOT / "docs"))
from building.browser import FLAGS, found

if not os.environ.get("DNLIB_BROWSER"):
    collect_ignore_glob = ["test_*.py"]

SCREENSHOTS = ROOT / "runs" / "browser"


def found_browser() -> str:
    """Where Chromium is. Without it tests are skipped here, and fail where CI is set."""
    try:
        return found()
    except FileNotFoundError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def browser():
    path = found_browser()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser, request):
    """A fresh page. What its console calls an error fails the test; its last state is kept as a screenshot."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    errors = []
    page.on("console", lambda message: errors.append(_told(message)) if message.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{request.node.name.replace('/', '-')}.png")
    page.close()
    assert errors == []


def _told(message) -> str:
    return f"{message.text} ({message.location.get('url', '')})"


@pytest.fixture(scope="session")
def served():
    """Serve a folder on a port of its own; returns its address."""
    servers = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/favicon.ico":  # browsers ask for it unasked
                self.send_response(204)
                return self.end_headers()
            return super().do_GET()

        def log_message(self, *words):
            pass

    def serve(folder: Path) -> str:
        handler = functools.partial(Quiet, directory=folder)
        servers.append(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{servers[-1].server_port}"

    yield serve
    for server in servers:
        server.shutdown()


@pytest.fixture(scope="session")
def built() -> Path:
    """The folder of the built site."""
    folder = Path(os.environ.get("DNLIB_SITE", ROOT / "runs" / "site" / "html"))
    if not (folder / "index.html").is_file():
        pytest.fail(f"there is no site in {folder}; `make site` builds it")
    return folder


@pytest.fixture(scope="session")
def site(served, built):
    """The address of the built site."""
    return served(built)
