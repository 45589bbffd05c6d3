"""Model cards as pages: what each network that ships learnt from, how, and what it reaches."""

from collections.abc import Mapping
from typing import Any

from dnlib.zoo import available, read_card

_FIRST = ("noise", "needs", "trained_on", "scores", "licence", "command")  # what a reader asks first


def pages() -> dict[str, str]:
    """The Markdown of a page for each card, and of one that lists them, by name; Markdown lists `index` first."""
    cards = {name: read_card(name) for name in available()}
    return {"index": _index(cards)} | {name: page(name, card) for name, card in cards.items()}


def page(name: str, card: Mapping[str, Any]) -> str:
    """One card: what a reader asks first, then all that it holds."""
    order = [key for key in _FIRST if key in card] + [key for key in card if key not in (*_FIRST, "title")]
    rows = "".join(f"| {key.replace('_', ' ')} | {_cell(card[key])} |\n" for key in order)
    return (
        f'# {card["title"]}\n\n```python\nfrom dnlib import zoo\n\nmethod = zoo.load_method("{name}")\n```\n\n'
        f"| | |\n|---|---|\n{rows}"
    )


def _index(cards: Mapping[str, Mapping[str, Any]]) -> str:
    names = "\n".join(cards)
    rows = "".join(
        f"| [{card['title']}]({name}.md) | {_cell(card.get('noise', ''))} | {_cell(card.get('scores', ''))} |\n"
        for name, card in cards.items()
    )
    return (
        "# Model cards\n\nThe networks that ship with the library, each with the command that trains it again.\n\n"
        f"| network | noise | reaches |\n|---|---|---|\n{rows}\n"
        f"```{{toctree}}\n:hidden:\n\n{names}\n```\n"
    )


def _cell(value: Any) -> str:
    """A value of a card within a cell of a table."""
    if isinstance(value, Mapping):
        return "<br>".join(f"{_cell(key)}: {_cell(inner)}" for key, inner in value.items())
    if isinstance(value, list) and len(value) > 12:
        return f"{len(value)} values"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    text = str(value).replace("|", "\\|").replace("\n", " ")
    if "`" in text:  # it says itself what is code
        return text
    return f"`{text}`" if text.startswith("dnlib ") or len(text) == 64 else text.replace("_", "\\_").replace("*", "\\*")
