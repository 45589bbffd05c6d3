"""Chapters in JupyterLab: run to their end in the smoke profile, and every slider moved."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat
import numpy as np
import pytest
from seeing import changes

from dnlib.course import jobs
from dnlib.images import ROOT, Picture, arrays, write

CHAPTERS = ("00_start_here", "04_blind_spot_bayes", "07_pixel_shuffle", "12_your_own_picture")
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight are there, too
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of JupyterLab over a copy of the chapters."""
    folder = tmp_path_factory.mktemp("lab")
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        _copy_without_outputs(path, folder / "notebooks" / path.name)
    for name, settings in SETTINGS.items():
        path = folder / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = folder / "config" / "jupyter_server_config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"ServerApp": {"allow_root": True}, "IdentityProvider": {"token": ""}}))
    places = {
        "JUPYTER_CONFIG_DIR": config.parent,
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
    }
    variables = {**os.environ, **{name: str(path) for name, path in places.items()}, "DNLIB_PROFILE": "smoke"}
    variables = {name: value for name, value in variables.items() if name not in ("DNLIB_HEADLESS", "MPLBACKEND")}
    with open(folder / "log", "w") as log:
        command = [sys.executable, "-m", "dnlib", "lab", str(folder / "notebooks"), f"--port={port}", "--no-browser"]
        server = subprocess.Popen(command, env=variables, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{address}/api/status", server, folder / "log")
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _copy_without_outputs(path, copy):
    chapter = nbformat.read(path, 4)
    for cell in chapter.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    copy.parent.mkdir(exist_ok=True)
    nbformat.write(chapter, copy)


def _wait_for(address, server, log):
    for _ in range(300):
        if server.poll() is not None:
            pytest.fail(f"JupyterLab did not start: {log.read_text()[-500:]}")
        try:
            return urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.2)
    pytest.fail("JupyterLab did not answer within a minute")


def test_the_start_page_opens_a_chapter(page, lab):
    page.set_default_timeout(60_000)
    page.goto(lab)
    start = page.locator(".jp-Notebook")
    start.get_by_role("heading", name=jobs.TITLE).wait_for()
    assert start.locator("table").first.locator("tr").count() == 1 + len(list((ROOT / "notebooks").glob("*.ipynb")))
    start.get_by_role("link", name="01_donut_vs_classic").click()
    page.get_by_role("heading", name="01 ·").wait_for()


@pytest.fixture
def noisy_picture(tmp_path):
    """A file of the reader's own."""
    clean = arrays.middle(arrays.photo("chelsea"), 96)
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape)
    write(tmp_path / "mine.png", Picture.of((255 * noisy.clip(0, 1)).round().astype(np.uint8)))
    return tmp_path / "mine.png"


def test_a_newcomer_is_five_clicks_from_a_denoised_picture_of_their_own(page, lab, noisy_picture):
    page.set_default_timeout(120_000)
    page.goto(f"{lab}/lab/workspaces/newcomer/tree/START.ipynb")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.evaluate("clicks = 0; addEventListener('click', (event) => (clicks += event.isTrusted), true)")
    started = time.monotonic()
    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.locator(".jp-NotebookPanel-toolbar [data-jp-item-name='run']").click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a noisy picture").click()
    chooser.value.set_files(noisy_picture)  # a click on the file, and one on Open
    compare = page.frame_locator(".jp-OutputArea iframe").locator(".compare").first
    compare.wait_for()
    assert page.evaluate("clicks") + 2 <= 5
    print(f"{time.monotonic() - started:.0f} s from the start page to a denoised picture")
    assert page.get_by_text("mine.png: ").first.is_visible()
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts() == []
    changes(compare, lambda: compare.locator("input").press("Home"), 10)


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_to_its_end_and_its_sliders_change_its_pictures(page, lab, chapter):
    page.set_default_timeout(240_000)
    page.goto(f"{lab}/lab/workspaces/{chapter}/tree/{chapter}.ipynb")  # in one of its own, no other chapter is open
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # sooner, JupyterLab asks which kernel is meant
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    errors = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    said = page.locator(".jp-Notebook .jp-CodeCell").last.locator(".jp-RenderedText")
    errors.or_(said).first.wait_for()
    assert errors.all_inner_texts() == []
    views = page.locator(".widget-interact")
    assert views.count() > 0
    for view in views.all():
        sliders = view.locator(".noUi-handle")
        assert sliders.count() > 0
        for slider in sliders.all():
            view.scroll_into_view_if_needed()
            slider.focus()
            low = slider.get_attribute("aria-valuenow") == slider.get_attribute("aria-valuemin")
            changes(view.locator("img").last, lambda: slider.press("ArrowRight" if low else "ArrowLeft"))  # noqa: B023
    page.keyboard.press("Escape")
    for session in page.request.get(f"{lab}/api/sessions").json():
        page.request.delete(f"{lab}/api/sessions/{session['id']}")
