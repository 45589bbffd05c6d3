"""What every built page must be: no dead link, a text for each picture, and not too heavy."""

import json
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HEAVIEST = 3_000_000  # bytes of a page with all that it loads


@dataclass
class Page(HTMLParser):
    """What a page links to, what it loads, its anchors, and its pictures without alternative text."""

    path: Path
    links: set[str] = field(default_factory=set)
    loads: set[str] = field(default_factory=set)
    anchors: set[str] = field(default_factory=set)
    untold: list[str] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    within: str = ""

    def __post_init__(self):
        super().__init__()
        self.feed(self.path.read_text(encoding="utf-8"))

    def handle_endtag(self, tag):
        self.within = "" if tag == "a" else self.within

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag == "a" and given.get("href"):
            self.links.add(given["href"])
            self.nested += [given["href"]] if self.within else []
            self.within = given["href"]
        if tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loads.add(given["href"])
        if tag in ("img", "script") and given.get("src"):
            self.loads.add(given["src"])
        if given.get("data-pictures"):  # of an interactive view
            self.loads |= {picture["src"] for picture in json.loads(given["data-pictures"]).values()}
        if tag == "img" and "alt" not in given:
            self.untold.append(given.get("src", ""))


def problems(site: Path) -> list[str]:
    """Everything that is wrong with a built site; empty if nothing is."""
    pages = {path.relative_to(site).as_posix(): Page(path) for path in sorted(site.rglob("*.html"))}
    pages = {name: page for name, page in pages.items() if not name.startswith("_static")}
    return [said for name, page in pages.items() for said in _of_page(site, pages, name, page)]


def _of_page(site: Path, pages: dict[str, Page], name: str, page: Page) -> Iterator[str]:
    weight = page.path.stat().st_size
    for link in sorted(page.links | page.loads):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = (
            posixpath.normpath(posixpath.join(posixpath.dirname(name), unquote(parts.path))) if parts.path else name
        )
        if not (site / target).is_file():
            yield f"{name} links to {link}, which is not there"
        elif target in pages and parts.fragment and unquote(parts.fragment) not in pages[target].anchors:
            yield f"{name} links to {link}, and {target} has no such place"
        elif link in page.loads:
            weight += (site / target).stat().st_size
    if weight > HEAVIEST:
        yield f"{name} weighs {weight / 1e6:.1f} MB with its pictures; {HEAVIEST / 1e6:.0f} are allowed"
    yield from (f"{name} has the link to {link} within another one" for link in page.nested)
    yield from (f"{name} shows {source or 'a picture'} without alternative text" for source in page.untold)
