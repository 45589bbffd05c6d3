"""Links of Markdown pages: between pages they stay; to other files of the repository they lead to a copy of it."""

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

_LINK = re.compile(
    r"^```.*?^```|(?P<mark>!?)\[(?P<said>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<link>[^)\s]+)\)|`[^`\n]+`",
    re.DOTALL | re.MULTILINE,
)  # code is matched too, and left alone


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
        relative = posixpath.relpath(there, here) + hash_ + anchor
        if not (self.root / target).exists():
            raise FileNotFoundError(f"{page} links to {found['link']}, and there is no {target}")
        if target in self.pages:
            return f"[{found['said']}]({relative})"
        if found["mark"]:
            self.pictures.add(target)
            return f"![{found['said']}]({relative})"
        if (self.root / target).is_dir():
            return f"[{found['said']}]({self.home}/tree/main/{target})" if self.home else found["said"]
        self.files.add(target)
        return f'<a href="{relative}">{found["said"]}</a>'
