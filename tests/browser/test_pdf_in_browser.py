"""The course on paper: what the browser prints, joined to one file."""

from concurrent.futures import ThreadPoolExecutor

import pdf
import pytest
from conftest import found_browser
from pypdf import PdfReader


@pytest.fixture(scope="module")
def printed(tmp_path_factory, built):
    found_browser()
    pages = [built / "docs" / f"{name}.html" for name in ("papers", "verdicts")]
    out = tmp_path_factory.mktemp("paper") / "course.pdf"
    with ThreadPoolExecutor(1) as apart:  # Playwright takes one browser a thread, and the other tests have one
        assert apart.submit(pdf.write, pages, out).result() >= 2
    return PdfReader(out)


def test_each_page_has_a_bookmark_and_starts_a_sheet(printed):
    assert [entry.title for entry in printed.outline] == ["Papers", "How a verdict is made"]
    first, second = map(printed.get_destination_page_number, printed.outline)
    assert first == 0 < second


def test_the_bars_of_the_site_are_not_printed(printed):
    text = "\n".join(sheet.extract_text() for sheet in printed.pages)
    assert "Noise2Noise" in text
    assert not any(word in text for word in ("Search", "Skip to main content", "Back to top", "On this page"))
