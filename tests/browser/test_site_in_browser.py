"""The site in a browser: searched, read in the dark, its sliders moved, usable by everybody."""

import pytest
from conftest import found_browser
from seeing import changes, violations

PAGES = [  # one of each kind
    "index.html",
    "notebooks/00_start_here.html",
    "docs/your-own-pictures.html",
    "docs/papers.html",
    "results/claims.html",
    "results/benchmarks.html",
    "results/figures.html",
    "reference/denoiser.html",
    "cards/ap_bsn_phones.html",
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_use_the_pages(page, site, scheme):
    page.emulate_media(color_scheme=scheme)
    found = {}
    for name in PAGES:
        page.goto(f"{site}/{name}")
        assert page.locator("html").get_attribute("data-theme") == scheme
        found[name] = violations(page)
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize("name", [*PAGES, "results/report.html"])
def test_no_page_is_wider_than_a_phone(page, site, name):
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(f"{site}/{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_report_leads_home(page, site):
    page.goto(f"{site}/results/report.html")
    page.locator("header a").first.click()
    assert page.url.endswith("/index.html")


def test_a_word_is_searched_and_leads_to_a_chapter(page, site):
    page.goto(f"{site}/index.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("half planes")
    page.keyboard.press("Enter")
    found = page.locator("#search-results li a")
    found.first.wait_for()
    titles = found.all_inner_texts()
    assert any("Blind spots and Bayes" in title for title in titles), titles


def test_dark_mode_is_dark_and_stays(page, site):
    page.goto(f"{site}/index.html")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.emulate_media(color_scheme="dark")
    page.locator("html[data-theme=dark]").wait_for()
    assert max(map(int, page.evaluate(background)[4:-1].split(","))) < 50
    page.emulate_media(color_scheme="light")
    page.locator("html[data-theme=light]").wait_for()
    page.get_by_role("button", name="Color mode").first.click()
    page.locator(".theme-change-button[data-mode=dark]").first.click()
    page.goto(f"{site}/docs/verdicts.html")
    assert max(map(int, page.evaluate(background)[4:-1].split(","))) < 50


@pytest.fixture
def view(page, site):
    """The first interactive view of a chapter, by its name."""

    def scrolled_to(chapter):
        page.goto(f"{site}/notebooks/{chapter}.html")
        figure = page.locator("figure.states").first
        figure.scroll_into_view_if_needed()
        page.wait_for_timeout(500)
        return figure

    return scrolled_to


def test_every_slider_of_a_chapter_changes_its_picture(view):
    figure = view("00_start_here")
    controls = figure.locator("[data-start]").all()
    assert len(controls) == 2
    for control in controls:
        if control.evaluate("node => node.tagName") == "SELECT":
            changes(figure.locator("img"), lambda control=control: control.select_option(index=0), 10)
        else:
            changes(figure.locator("img"), lambda control=control: control.press("End"), 10)
    assert all(control.input_value() != control.get_attribute("data-start") for control in controls)


def test_where_only_one_knob_was_moved_the_other_goes_back(view):
    figure = view("09_ssid")
    low, high = figure.locator("[data-start]").all()
    for control in (low, high):
        changes(figure.locator("img"), lambda control=control: control.press("End"), 10)
    assert low.input_value() == low.get_attribute("data-start") and high.input_value() == high.get_attribute("max")
    assert "One knob at a time" in figure.inner_text()


def test_a_picture_that_does_not_change_is_noticed(page, view):
    """The check itself: a slider that is joined to nothing must fail."""
    figure = view("00_start_here")
    page.evaluate("document.querySelectorAll('figure.states').forEach(node => node.replaceWith(node.cloneNode(true)))")
    page.wait_for_timeout(500)
    with pytest.raises(AssertionError, match="did not change within 2 s"):
        changes(figure.locator("img"), lambda: figure.locator("input").press("End"), 2)


def test_next_page_and_the_notebook_itself_are_offered(page, site):
    page.goto(f"{site}/notebooks/00_start_here.html")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the notebook").click()
    assert download.value.suggested_filename == "00_start_here.ipynb"
    page.get_by_role("link", name="next").click()
    assert page.url.endswith("01_donut_vs_classic.html")


def test_a_missing_browser_is_said_here_and_an_error_in_ci(monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no browser was found; install Chromium"):
        found_browser()
    monkeypatch.setenv("CI", "1")
    with pytest.raises(pytest.fail.Exception, match="no browser was found"):
        found_browser()
