"""Print the chapters of the built site into one PDF: runs/site/course.pdf."""

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from pypdf import PdfReader, PdfWriter

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS))

from building import browser

from dnlib.images import atomic

SITE = DOCS.parent / "runs" / "site"
_READY = """async () => {
    document.querySelectorAll("details").forEach((folded) => (folded.open = true));
    const pictures = [...document.images];
    pictures.forEach((picture) => (picture.loading = "eager"));
    await Promise.all(pictures.map((picture) => picture.decode()));
}"""
_FOOT = """<div style="width: 100%; font: 8px sans-serif; text-align: center">
<span class="pageNumber"></span> / <span class="totalPages"></span> &middot; <span class="title"></span></div>"""


def main() -> None:
    """Exit with a reason where there is no site or no browser."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SITE / "course.pdf", help="The file.")
    out = parser.parse_args().out
    chapters = sorted((SITE / "html" / "notebooks").glob("[0-9]*.html"))
    if not chapters:
        sys.exit(f"there is no site in {SITE / 'html'}; `make site` builds it")
    count = write(chapters, out)
    print(f"{out}: {count} pages, {out.stat().st_size / 1e6:.0f} MB")


def write(pages: list[Path], out: Path) -> int:
    """Print built pages into one file, with a bookmark for each. Returns how many sheets it has."""
    book = PdfWriter()
    for title, printed in _printed(pages):
        first = len(book.pages)
        book.append(PdfReader(io.BytesIO(printed)), import_outline=False)
        book.add_outline_item(title=title, page_number=first)
    with atomic(out) as temporary:
        book.write(temporary)
    return len(book.pages)


def _printed(pages: list[Path]) -> Iterator[tuple[str, bytes]]:
    """Title and PDF of each page."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser.found(), args=browser.FLAGS)
        tab = chromium.new_page(color_scheme="light")
        for page in pages:
            tab.goto(page.resolve().as_uri())
            tab.evaluate(_READY)
            yield tab.title().partition(" — ")[0], _pdf(tab)
        chromium.close()


def _pdf(page: Page) -> bytes:
    """As a printer would get it, without the site's own bars."""
    margins = {"top": "14mm", "bottom": "16mm", "left": "14mm", "right": "14mm"}
    foot = {"display_header_footer": True, "header_template": "<span></span>", "footer_template": _FOOT}
    return page.pdf(format="A4", margin=margins, tagged=True, **foot)


if __name__ == "__main__":
    main()
