"""What every built page must be: no dead link, a text for each picture, and not too heavy.

Of links to other hosts the form is looked at; whether something answers there asks `unreachable` alone.
"""

import json
import posixpath
import re
import urllib.request
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
    pages = _pages(site)
    return [said for name, page in pages.items() for said in _of_page(site, pages, name, page)]


def unreachable(site: Path) -> list[str]:
    """The links of a built site to other hosts behind which nothing is; each is asked once, over the network."""
    links = {link.partition("#")[0] for page in _pages(site).values() for link in page.links | page.loads}
    return [f"{link}: {why}" for link in sorted(links) if urlsplit(link).netloc and (why := _asked(link))]


def malformed(link: str) -> str:
    """What is wrong with the form of a link to another host; "" if nothing is.

    Examples
    --------
    >>> malformed("https://example.org/a_(b)?c=//#d")
    ''
    >>> malformed("http://example.org/a")
    'it does not begin with https://'
    >>> malformed("https://example.org/a.")
    "it ends in '.'"
    """
    parts = urlsplit(link)
    if parts.scheme != "https" or not link.startswith("https://"):
        return "it does not begin with https://"
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", parts.netloc):
        return f"{parts.netloc!r} is no host"
    if re.search(r"\s", link) or "//" in parts.path:
        return "it holds a space or a doubled slash"
    is_closed = link.endswith(")") and link.count("(") == link.count(")")
    return "" if re.search(r"[\w/=~-]$", link) or is_closed else f"it ends in {link[-1]!r}"


def _asked(link: str) -> str:
    """Why a link leads nowhere, as its host or the network says; "" if it leads somewhere."""
    asked = urllib.request.Request(link, headers={"User-Agent": "Mozilla/5.0 (the check of a site's links)"})
    try:
        urllib.request.urlopen(asked, timeout=20).close()
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def _pages(site: Path) -> dict[str, Page]:
    found = {path.relative_to(site).as_posix(): path for path in sorted(site.rglob("*.html"))}
    return {name: Page(path) for name, path in found.items() if not name.startswith("_static")}


def _of_page(site: Path, pages: dict[str, Page], name: str, page: Page) -> Iterator[str]:
    weight = page.path.stat().st_size
    for link in sorted(page.links | page.loads):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            fault = parts.scheme not in ("data", "mailto") and malformed(link)
            yield from [f"{name} links to {link}: {fault}"] if fault else []
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
