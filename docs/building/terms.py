"""The field's terms, linked to the glossary where a page first uses them."""

import re
from collections.abc import Iterable

from docutils import nodes
from sphinx import addnodes

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_NOT_IN = (
    nodes.reference,
    addnodes.pending_xref,
    nodes.title,
    nodes.literal,
    nodes.math,
    nodes.literal_block,
    nodes.raw,
)


def terms(glossary: str) -> dict[str, str]:
    r"""The headings of the glossary and their anchors. "Blind spot, hole" is two terms with one anchor.

    Examples
    --------
    >>> terms("# Glossary\n\n## Blind spot, hole\n\nA pixel ...")
    {'Blind spot': 'blind-spot-hole', 'hole': 'blind-spot-hole'}
    """
    found = {}
    for heading in _HEADING.findall(glossary):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found |= {term.strip(): anchor for term in heading.split(",")}
    return found


def pattern(names: Iterable[str]) -> re.Pattern:
    """Finds any of the terms as whole words, apart or with a hyphen, one or several; what is all capitals only as such.

    Examples
    --------
    >>> found = pattern(["Blind spot", "PSNR", "SURE"])
    >>> found.findall("blind-spot networks, Blind spots, PSNR; for sure, blinds pot")
    ['blind-spot', 'Blind spots', 'PSNR']
    """
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"\b(?:{'|'.join(map(_spelled, longest_first))})s?\b")


def _spelled(name: str) -> str:
    words = "[ -]".join(re.escape(word).replace("'", "['’]") for word in re.split("[ -]", name))
    return words if name.isupper() else f"(?i:{words})"


def link(document: nodes.document, names: dict[str, str], address: str) -> list[str]:
    """Link the first use of each term in the running text of a page; returns the terms that were found.

    names: each term with its anchor. address: of the glossary, seen from the page.
    """
    finder, seen = pattern(names), {}
    anchors = {_plain(name): anchor for name, anchor in names.items()}
    for text in list(document.findall(nodes.Text)):
        if not _is_prose(text):
            continue
        parts, end = [], 0
        for found in finder.finditer(text):
            anchor = anchors.get(_plain(found[0])) or anchors[_plain(found[0]).removesuffix("s")]
            if anchor not in seen:
                seen[anchor] = found[0]
                target = nodes.reference("", found[0], refuri=f"{address}#{anchor}", classes=["term"])
                parts += [nodes.Text(text[end : found.start()]), target]
                end = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[end:])])
    return list(seen.values())


def _plain(term: str) -> str:
    return term.lower().replace("-", " ").replace("’", "'")


def _is_prose(text: nodes.Text) -> bool:
    """Whether it stands in a paragraph, and not in a link, a formula or code."""
    above, node = [], text.parent
    while node is not None:
        above.append(node)
        node = node.parent
    return any(isinstance(node, nodes.paragraph) for node in above) and not any(
        isinstance(node, _NOT_IN) or "cell_output" in node.get("classes", []) for node in above if hasattr(node, "get")
    )
