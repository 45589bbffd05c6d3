"""From a model card to the untrained method it describes: by name for dnlib's own classes, else by import path."""

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dnlib import methods, networks
from dnlib.methods import Method
from dnlib.training import check_architecture, settings

ROOMS = {"method": methods, "network": networks}


def build(card: dict[str, Any], *, trust: bool = False) -> Method:
    """The untrained method that a card describes.

    Parameters
    ----------
    card : dict
        `method` and `network`, each a name of dnlib's or an import path "package.module:Class", and the arguments of
        each, `method_arguments` and `network_arguments`. An argument that is a network itself (SSID has two) is
        written in the same way: its `network` and its `network_arguments`.
    trust : bool
        Whether import paths may be imported, which runs the code found there.

    Raises
    ------
    ValueError
        For an unknown name, an import path that is not trusted or leads to no such class, and arguments that do not
        fit.

    Examples
    --------
    >>> card = {"method": "Noise2Noise", "method_arguments": {}}
    >>> card |= {"network": "BabyUNet", "network_arguments": {"channels": 1, "width": 4}}
    >>> type(build(card)).__name__
    'Noise2Noise'
    """
    arguments = {
        name: _network(value, name, trust) if isinstance(value, dict) else value
        for name, value in card["method_arguments"].items()
    }
    method, network = _maker("method", card["method"], trust), _network(card, "the card", trust)
    return _made(method, card["method"], network, **arguments)


def name_of(part: nn.Module) -> str:
    """What a card calls the class of a method or network: dnlib's name, or "package.module:Class".

    Raises ValueError for a class that cannot be imported by anybody else.
    """
    kind = type(part)
    for room in ROOMS.values():
        if getattr(room, kind.__name__, None) is kind:
            return kind.__name__
    if kind.__module__ == "__main__" or "<locals>" in kind.__qualname__:
        raise ValueError(
            f"{kind.__qualname__} is defined in a script, a notebook or a function, where nothing can import it again; "
            f"move it into a module of its own"
        )
    return f"{kind.__module__}:{kind.__qualname__}"


def check_builds(card: dict[str, Any], method: Method) -> None:
    """Raises ValueError, naming the first difference, if a card builds another method than this one."""
    with torch.random.fork_rng(devices=[]):
        built = build(card, trust=True)  # the method is here: its code has run already
    check_architecture("the method", method.state_dict(), built.state_dict(), "the card builds")
    given, found = settings(method), settings(built)
    for name in sorted(given.keys() | found.keys()):
        if given.get(name) != found.get(name):
            raise ValueError(
                f"the card builds another method: {name} is {found.get(name)!r} there and {given.get(name)!r} in the "
                f"one given; name the arguments it was made with in network_arguments and method_arguments"
            )


def _network(part: dict[str, Any], where: str, trust: bool) -> nn.Module:
    if missing := [key for key in ("network", "network_arguments") if key not in part]:
        raise ValueError(f"the network of {where} lacks {', '.join(missing)}; a card names both for each network")
    return _made(_maker("network", part["network"], trust), part["network"], **part["network_arguments"])


def _made(maker: Callable[..., nn.Module], name: str, *given: Any, **arguments: Any) -> nn.Module:
    try:
        inspect.signature(maker).bind(*given, **arguments)
    except TypeError as error:
        raise ValueError(f"the card's arguments do not fit {name}{inspect.signature(maker)}: {error}") from None
    return maker(*given, **arguments)


def _maker(kind: str, name: str, trust: bool) -> Callable[..., nn.Module]:
    if ":" not in name:
        return _own(kind, name)
    if not trust:
        raise ValueError(
            f"the card names the {kind} {name}, which is not dnlib's: loading it would import and run that code. "
            f"If you trust whoever wrote the card, say so with trust=True"
        )
    return _imported(kind, name)


def _own(kind: str, name: str) -> Callable[..., nn.Module]:
    makers = [own for own in ROOMS[kind].__all__ if _makes(kind, getattr(ROOMS[kind], own))]
    if name not in makers:
        raise ValueError(
            f"there is no {kind} {name!r}; there are: {', '.join(makers)}, "
            f"and import paths such as package.module:Class"
        )
    return getattr(ROOMS[kind], name)


def _imported(kind: str, name: str) -> type[nn.Module]:
    module, _, path = name.partition(":")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise ValueError(
                f"the card names the {kind} {name}, and there is no module {error.name} here; install it, or put its "
                f"folder on PYTHONPATH"
            ) from None
        raise
    for step in path.split("."):
        if not hasattr(found, step):
            raise ValueError(f"the card names the {kind} {name}, and {module} has no {path}")
        found = getattr(found, step)
    if not (inspect.isclass(found) and _makes(kind, found)):
        base = "dnlib.methods.Method" if kind == "method" else "torch.nn.Module"
        raise ValueError(f"the card names the {kind} {name}, which is no class derived from {base}")
    return found


def _makes(kind: str, thing: Any) -> bool:
    """Whether a thing is a class of methods or networks, or a function that says it returns a network."""
    made = thing if inspect.isclass(thing) else getattr(thing, "__annotations__", {}).get("return")
    base = Method if kind == "method" else nn.Module
    return inspect.isclass(made) and issubclass(made, base) and made is not Method
