"""Trained methods on disk: float16 numbers in a safetensors file, and a card that says where they come from.

The card, NAME.yaml beside NAME.safetensors, names architecture and hash; a file whose hash differs is
refused, and no pickle is ever loaded.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from dnlib import methods, networks
from dnlib.images import SHIPPED, atomic
from dnlib.methods import Method
from dnlib.training import check_architecture, choose_device

NEEDED = ("method", "method_arguments", "network", "network_arguments", "command", "sha256")
ACCOUNT = ("steps", "seconds", "cpu_seconds", "precision", "device", "machine", "commit", "finished")
HOME = SHIPPED / "weights"


def available() -> list[str]:
    """The names of the weights that come with the course."""
    return sorted(path.stem for path in HOME.glob("*.yaml"))


def read_card(name: str | Path) -> dict[str, Any]:
    """What is known about weights: a name of `available()`, or the path of a card or a safetensors file.

    Raises ValueError for an unknown name, FileNotFoundError for a path that leads nowhere.
    """
    path = _card_path(name)
    if not path.is_file():
        if Path(name).suffix:
            raise FileNotFoundError(f"there is no model card at {path}")
        raise ValueError(f"there are no weights {str(name)!r}; there are: {', '.join(available()) or 'none'}")
    card = yaml.safe_load(path.read_text(encoding="utf-8"))
    missing = [key for key in NEEDED if not isinstance(card, dict) or key not in card]
    if missing:
        raise ValueError(f"{path} is not a model card: it lacks {', '.join(missing)}")
    return card


def load_method(name: str | Path, *, device: str = "cpu") -> Method:
    """The trained method, ready to denoise.  device: cpu, cuda or auto.

    Raises ValueError if file and card do not belong together: another hash, another architecture.
    """
    card, path = read_card(name), _card_path(name).with_suffix(".safetensors")
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; its card lies beside where it should be")
    content = path.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != card["sha256"]:
        raise ValueError(
            f"{path} is not the file its card describes: its sha256 is {found[:12]}..., the card says "
            f"{card['sha256'][:12]}...; it was changed or cut short. Restore it, or train anew: {card['command']}"
        )
    method = build(card)
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file ({error}); nothing else is ever loaded") from error
    check_architecture(str(path), tensors, method.state_dict(), card["method"])
    method.load_state_dict({name: _widen(tensor) for name, tensor in tensors.items()})
    return method.eval().to(choose_device(device))


def save_method(method: Method, path: Path, card: dict[str, Any]) -> None:
    """Write weights (float16) and card; `card` says how to `build` the method, and whatever else is known.

    Raises ValueError for weights that are not finite in half precision.
    """
    tensors = {name: _narrow(tensor).cpu().contiguous() for name, tensor in method.state_dict().items()}
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} is not finite in half precision; these weights cannot be stored")
    content = save(tensors)
    card = card | {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path.with_suffix(".safetensors")) as temporary:
        temporary.write_bytes(content)
    with atomic(path.with_suffix(".yaml")) as temporary:
        temporary.write_text(yaml.safe_dump(card, sort_keys=False, width=120, allow_unicode=True), encoding="utf-8")


def publish(path: Path) -> Path:
    """Copy weights and card to where the course keeps its own.

    Raises ValueError for weights that score lower on the held-out images than those that are there.
    """
    card, there = read_card(path), HOME / path.with_suffix(".yaml").name
    shipped = read_card(there) if there.is_file() else {}
    if card.get("held_out", 0) < shipped.get("held_out", 0):
        raise ValueError(
            f"{path} reaches {card.get('held_out', 0):.2f} dB on held-out images and what ships "
            f"{shipped['held_out']:.2f} dB; only what is at least as good is published"
        )
    HOME.mkdir(parents=True, exist_ok=True)
    for file in (path, path.with_suffix(".yaml")):
        with atomic(HOME / file.name) as temporary:
            temporary.write_bytes(file.read_bytes())
    return HOME / path.name


def instalments(card: dict[str, Any]) -> list[dict[str, Any]]:
    """What a card says of each of its instalments; the first training is one."""
    return card.get("instalments", [{key: card[key] for key in ACCOUNT if key in card}])


def build(card: dict[str, Any]) -> Method:
    """The untrained method that a card describes: `method` and `network`, each with its arguments.

    Of a method's arguments, those that are networks themselves (SSID has two) are written as the card writes its own:
    a `network` and its `network_arguments`.
    Raises ValueError for a name that is not there, and for an argument that is no network and looks like one.
    """
    method, network = _named("method", card["method"]), _network(card, "the card")
    arguments = card["method_arguments"].items()
    return method(network, **{name: _network(v, name) if isinstance(v, dict) else v for name, v in arguments})


def _network(part: dict[str, Any], where: str) -> nn.Module:
    if missing := [key for key in ("network", "network_arguments") if key not in part]:
        raise ValueError(f"the network of {where} lacks {', '.join(missing)}; a card names both for each network")
    return _named("network", part["network"])(**part["network_arguments"])


def _named(kind: str, name: str) -> Callable[..., nn.Module]:
    room = {"method": methods, "network": networks}[kind]
    if name not in room.__all__:
        raise ValueError(f"there is no {kind} {name!r}; there are: {', '.join(room.__all__)}")
    return getattr(room, name)


def _card_path(name: str | Path) -> Path:
    path = Path(name)
    return path.with_suffix(".yaml") if path.suffix or path.parent != Path() else HOME / f"{name}.yaml"


def _narrow(tensor: Tensor) -> Tensor:
    return tensor.to(torch.float16) if tensor.is_floating_point() else tensor


def _widen(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor
