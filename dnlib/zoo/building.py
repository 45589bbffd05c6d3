"""From a model card to the untrained method it describes: by name for dnlib's own classes, else by import path."""

import contextlib
import copy
import importlib
import inspect
import operator
import warnings
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

    Compared are weights by name and shape, public attributes, and, since private ones may be mere caches, how both
    denoise with the same weights. What does not take an image of 64x64 pixels is not asked.
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
    given, found = _answer(method, method), _answer(built, method)
    if given is not None and not _alike(given, found):
        raise ValueError(
            f"the card builds another method: with the same weights it answers otherwise than the one given; {ADVICE}"
        )


def _answer(method: Method, weights: Method) -> Tensor | None:
    """What a method, or else its network, makes of an image of noise with the weights of another; None for neither."""
    told = {"parameter": 1.0} if "parameter" in getattr(method, "needs", ()) else {}
    for ask in (lambda asked, image: asked.denoise(image, **told).mean, lambda asked, image: asked.network(image)):
        with contextlib.suppress(Exception):  # of code that need not be ours
            asked = copy.deepcopy(method).cpu().float().eval()
            asked.load_state_dict(weights.state_dict())
            first = next(weight for weight in asked.network.parameters() if weight.ndim == 4)
            with torch.random.fork_rng(devices=[]), torch.no_grad(), warnings.catch_warnings(action="ignore"):
                torch.default_generator.manual_seed(0)
                channels = getattr(asked.network, "channels", first.shape[1])
                answer = ask(asked, torch.rand(1, channels, SIDE, SIDE))
            if isinstance(answer, Tensor):
                return answer
    return None


def _alike(one: Tensor, other: Tensor | None) -> bool:
    if other is None or other.shape != one.shape:
        return False
    close = 1e-3 * float(one.nan_to_num(0, 0, 0).abs().max())
    return torch.allclose(one, other, atol=close, equal_nan=True)


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
    if ":" in name:
        if not trust:
            raise ValueError(
                f"the card names the {kind} {name}, which is not dnlib's: loading it would import and run that code. "
                f"If you trust whoever wrote the card, say so with trust=True"
            )
        return _imported(kind, name)
    makers = [own for own in ROOMS[kind].__all__ if _makes(kind, getattr(ROOMS[kind], own))]
    if name not in makers:
        raise ValueError(
            f"there is no {kind} {name!r}; there are: {', '.join(makers)}, "
            f"and import paths such as package.module:Class"
        )
    return getattr(ROOMS[kind], name)


def _imported(kind: str, name: str) -> type[nn.Module]:
    module, _, path = name.partition(":")
    if not all(part.isidentifier() for part in module.split(".")):
        raise ValueError(f"the card names the {kind} {name}; an import path is written like package.module:Class")
    try:
        found = importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise ValueError(
                f"the card names the {kind} {name}, and there is no module {error.name} here; install it, or put its "
                f"folder on PYTHONPATH"
            ) from None
        raise
    try:
        found = operator.attrgetter(path)(found)
    except AttributeError:
        raise ValueError(f"the card names the {kind} {name}, and {module} has no {path}") from None
    if not (inspect.isclass(found) and _makes(kind, found)):
        base = "dnlib.methods.Method" if kind == "method" else "torch.nn.Module"
        raise ValueError(f"the card names the {kind} {name}, which is no class derived from {base}")
    return found


def _makes(kind: str, thing: Any) -> bool:
    """Whether a thing is a class of methods or networks, or a function that says it returns a network."""
    made = thing if inspect.isclass(thing) else getattr(thing, "__annotations__", {}).get("return")
    base = Method if kind == "method" else nn.Module
    return inspect.isclass(made) and issubclass(made, base) and made is not Method
