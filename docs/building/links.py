"""Links of Markdown pages: between pages they stay; to other files of the repository they lead to a copy of it."""

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from dnlib.course import jobs

_LINK = re.compile(
    r"^```.*?^```|(?P<mark>!?)\[(?P<said>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<link>[^)\s]+)\)|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)  # code is matched too, and left alone


def slug(anchor: str) -> str:
    """What a page calls a heading, from what notebook viewers call it.

    Examples
    --------
    >>> slug("A-toy%3A-what%27s-in-it%3F")
    'a-toy-whats-in-it'
    """
    return re.sub(r"[^\w-]", "", unquote(anchor).lower())


def for_pages(html: str) -> str:
    """The report as a page of the site: its links to chapters lead to the site's pages of them, its head leads home.

    Examples
    --------
    >>> for_pages('<a href="../notebooks/01_x.ipynb#The-figure">01_x</a>')
    '<a href="../notebooks/01_x.html#the-figure">01_x</a>'
    >>> for_pages("<header>The course</header>")
    '<header><a href="../index.html">The course</a> › <a href="index.html">Results</a></header>'
    """
    way = r'<header><a href="../index.html">\1</a> › <a href="index.html">Results</a></header>'
    html = re.sub("<header>(.+?)</header>", way, html)
    found = r'href="(\.\./notebooks/[^"#]+)\.ipynb(#?)([^"]*)"'
    return re.sub(found, lambda link: f'href="{link[1]}.html{link[2]}{slug(link[3])}"', html)


@dataclass
class Links:
    """Rewrites the links of pages, and remembers which files they lead to.

    Attributes
    ----------
    root : pathlib.Path
        The repository.
    pages : dict of str to str
        Files of the repository that are pages, and what they are called on the site.
    home : str
        Where the repository is hosted; its folders are linked there, and nowhere without it.
    files, pictures : set of str
        What was linked and shown, to be copied.
    """

    root: Path
    pages: dict[str, str]
    home: str = ""
    files: set[str] = field(default_factory=set)
    pictures: set[str] = field(default_factory=set)

    def rewritten(self, text: str, page: str) -> str:
        """The text of a page, named as in the repository. Raises FileNotFoundError for a link to nothing."""
        return _LINK.sub(lambda found: self._one(found, page) if found["link"] else found[0], text)

    def _one(self, found: re.Match, page: str) -> str:
        path, hash_, anchor = found["link"].partition("#")
        if not path or re.match(r"\w+:", path):
            return found[0]
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(path)))
        here, there = posixpath.dirname(self.pages[page]) or ".", self.pages.get(target, target)
        relative = posixpath.relpath(there, here) + hash_ + (slug(anchor) if target.endswith(".ipynb") else anchor)
        if not (self.root / target).exists():
            raise FileNotFoundError(f"{page} links to {found['link']}, and there is no {target}")
        if target in self.pages:
            said = jobs.TITLE if found["said"] == "README" else found["said"]  # on the site it is the front page
            return f"[{said}]({relative})"
        if found["mark"]:
            self.pictures.add(target)
            return f"![{found['said']}]({relative})"
        if (self.root / target).is_dir():
            return f"[{found['said']}]({self.home}/tree/main/{target})" if self.home else found["said"]
        self.files.add(target)
        return f'<a href="{relative}">{found["said"]}</a>'
