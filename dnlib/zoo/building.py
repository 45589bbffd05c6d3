"""From a model card to the untrained method it describes: by name for dnlib's own classes, else by import path."""

import copy
import importlib
import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from dnlib import methods, networks
from dnlib.images import check_entries
from dnlib.methods import Method
from dnlib.training import check_architecture, settings

ROOMS = {"method": methods, "network": networks}
NETWORK = {"network": str, "network_arguments": dict}  # what a card says of each network
METHOD = {"method": str, "method_arguments": dict} | NETWORK
ADVICE = "name the arguments it was made with in network_arguments and method_arguments"
SIDE = 64  # in pixels, of the image that networks are compared on: a multiple of what most of them ask for


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
        For a card that lacks one of these, an unknown name, an import path that is not trusted or leads to no such
        class, and arguments that do not fit.

    Examples
    --------
    >>> card = {"method": "Noise2Noise", "method_arguments": {}}
    >>> card |= {"network": "BabyUNet", "network_arguments": {"channels": 1, "width": 4}}
    >>> type(build(card)).__name__
    'Noise2Noise'
    """
    check_entries("the card", card, METHOD)
    arguments = {
        name: _network(value, name, trust) if isinstance(value, dict) else value
        for name, value in card["method_arguments"].items()
    }
    method, network = _maker("method", card["method"], trust), _network(card, "network", trust)
    return _made(method, card["method"], [network], arguments)


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
    """Raises ValueError, naming the first difference, if a card builds another method than this one.

    Compared are weights by name and shape, public attributes, and what the networks answer with the same weights. A
    network that does not take an image of 64x64 pixels is not asked.
    """
    with torch.random.fork_rng(devices=[]):
        built = build(card, trust=True)  # the method is here: its code has run already
    check_architecture("the method", method.state_dict(), built.state_dict(), "the card builds")
    given, found = settings(method), settings(built)
    for name in sorted(given.keys() | found.keys()):
        if given.get(name) != found.get(name):
            raise ValueError(
                f"the card builds another method: {name} is {found.get(name)!r} there and {given.get(name)!r} in the "
                f"one given; {ADVICE}"
            )
    given, found = _answer(method.network, method.network), _answer(built.network, method.network)
    if given is not None and not (found is not None and _alike(given, found)):
        raise ValueError(
            f"the card builds another method: with the same weights its network answers otherwise than the one given; "
            f"{ADVICE}"
        )


def _answer(network: nn.Module, weights: nn.Module) -> Tensor | None:
    """What a network says to an image of noise, with the weights of another; None if it takes no such image."""
    try:
        network = copy.deepcopy(network).cpu().float().eval()
        network.load_state_dict(weights.state_dict())
        first = next(weight for weight in network.parameters() if weight.ndim == 4)
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.default_generator.manual_seed(0)
            answer = network(torch.rand(1, getattr(network, "channels", first.shape[1]), SIDE, SIDE))
    except Exception:  # of code that need not be ours
        return None
    return answer if isinstance(answer, Tensor) else None


def _alike(one: Tensor, other: Tensor) -> bool:
    close = 1e-3 * float(one.abs().max())
    return one.shape == other.shape and torch.allclose(one, other, atol=close, equal_nan=True)


def _network(part: dict[str, Any], where: str, trust: bool) -> nn.Module:
    check_entries(f"the card's {where}", part, NETWORK)
    return _made(_maker("network", part["network"], trust), part["network"], [], part["network_arguments"])


def _made(maker: Callable[..., nn.Module], name: str, given: list[nn.Module], arguments: dict[str, Any]) -> nn.Module:
    try:
        return maker(*given, **arguments)
    except Exception as error:  # torch has many kinds for a width that is a text, or negative
        written = {key: value for key, value in arguments.items() if not isinstance(value, nn.Module)}
        why = " ".join(str(error).split())
        raise ValueError(
            f"the card's arguments {written} do not fit {name}{inspect.signature(maker)}: {why}"
        ) from error


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
