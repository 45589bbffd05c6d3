"""Formulas as MathML, which browsers draw themselves: no script, no network, and screen readers read them."""

import re

from latex2mathml.converter import convert


def inline(visitor, node) -> None:
    """Write a formula within a line."""
    visitor.body.append(_mathml(node, "inline"))
    raise _skip()


def block(visitor, node) -> None:
    """Write a formula on lines of its own; what is too wide can be scrolled to."""
    visitor.body.append(f'<div class="formula" tabindex="0">{_mathml(node, "block")}</div>')
    raise _skip()


def _mathml(node, display: str) -> str:
    """Raises ValueError for what is not LaTeX, or a command that is not known."""
    try:
        drawn = convert(node.astext(), display=display)
    except Exception as error:
        raise ValueError(f"this formula is not LaTeX that can be drawn: {node.astext()!r} ({error!r})") from error
    if unknown := re.search(r">(\\\w+)<", drawn):
        raise ValueError(f"the formula {node.astext()!r} has the unknown command {unknown[1]}")
    return drawn


def _skip() -> Exception:
    from docutils.nodes import SkipNode

    return SkipNode()
