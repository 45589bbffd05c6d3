"""The report of all claims and the page of one picture, as a reader moves through them."""

import numpy as np
import pytest
from seeing import changes, violations

from dnlib.denoiser import denoise_file
from dnlib.images import ROOT, Picture, arrays, write


@pytest.fixture
def report(page, served):
    page.goto(f"{served(ROOT / 'results')}/report.html")
    return page


def shown(report):
    return report.locator(".ledger tbody tr:not([hidden])")


def test_the_report_is_sorted_by_a_click_on_a_column(report):
    head = report.locator(".ledger th", has_text="Verdict")
    verdicts = report.locator(".ledger tbody .verdict")
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending" and verdicts.first.inner_text() == "held"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending" and verdicts.first.inner_text() != "held"


def test_the_report_is_filtered_by_verdict_and_text(report):
    every = shown(report).count()
    report.locator("select[name=verdict]").select_option("did not hold")
    some = shown(report).count()
    assert 0 < some < every
    assert set(shown(report).locator(".verdict").all_inner_texts()) == {"did not hold"}
    report.locator("input[name=text]").fill("no claim says this")
    assert shown(report).count() == 0
    report.get_by_role("button", name="Show all").click()
    report.wait_for_function(f"document.querySelectorAll('.ledger tbody tr:not([hidden])').length == {every}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_everybody_can_use_the_report(report, scheme, width):
    report.set_viewport_size({"width": width, "height": 800})
    report.emulate_media(color_scheme=scheme)
    assert violations(report) == []
    assert report.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="module")
def denoised(tmp_path_factory):
    """The folder with the page of a small noisy picture."""
    folder = tmp_path_factory.mktemp("denoised")
    clean = arrays.middle(arrays.photo("chelsea"), 96)
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape)
    write(folder / "noisy.png", Picture.of((255 * noisy.clip(0, 1)).round().astype(np.uint8)))
    denoise_file(folder / "noisy.png", folder / "denoised.png", filter="nl_means", report=folder / "page.html")
    return folder


def test_before_and_after_are_compared_by_a_line_that_is_dragged(page, served, denoised):
    page.goto(f"{served(denoised)}/page.html")
    slider = page.locator(".compare input").first
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2

    def drag():
        page.mouse.move(box["x"] + box["width"] / 2, middle)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=5)
        page.mouse.up()

    changes(page.locator(".compare").first, drag, 10)
    assert int(slider.input_value()) > 80
    changes(page.locator(".compare").first, lambda: slider.press("Home"), 10)
    assert slider.get_attribute("aria-valuetext").startswith("left 0 % before")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_denoiser_s_page(page, served, denoised, scheme):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{served(denoised)}/page.html")
    assert violations(page) == []
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
