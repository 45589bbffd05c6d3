"""Trained methods on disk: float16 numbers in a safetensors file, and a card that says where they come from.

The card, NAME.yaml beside NAME.safetensors, names architecture and hash; a file whose hash differs is
refused, and no pickle is ever loaded.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from dnlib.images import SHIPPED, atomic, check_entries, in_checkout
from dnlib.methods import Method
from dnlib.training import check_architecture, choose_device
from dnlib.zoo.building import METHOD, build, check_builds, name_of

NEEDED = METHOD | {"sha256": str}
TRAINED = NEEDED | {"command": str, "seed": int, "steps": int, "seconds": float, "cpu_seconds": float}
ACCOUNT = ("steps", "seconds", "cpu_seconds", "precision", "device", "machine", "commit", "finished")
HOME = SHIPPED / "weights"
TRAININGS = SHIPPED / "trainings"  # cards of trainings whose weights are not kept


class _Dumper(yaml.SafeDumper):
    """Writes numbers and arrays of NumPy and torch as plain ones, and paths, noise models and other things as text."""


for kind in (dict, list, tuple):
    _Dumper.add_multi_representer(kind, yaml.SafeDumper.yaml_representers[kind])
_Dumper.add_multi_representer(
    object,
    lambda dumper, value: dumper.represent_data(value.tolist() if hasattr(value, "tolist") else str(value)),
)


def available() -> list[str]:
    """The names of the weights that come with the course.

    Examples
    --------
    >>> "blind_spot_rgb_sigma25" in available()
    True
    """
    return sorted(path.stem for path in HOME.glob("[!.]*.yaml"))  # none that was left when its writer was killed


def read_card(name: str | Path, needed: dict[str, type] = NEEDED) -> dict[str, Any]:
    """What is known about weights: how they were made, from what, and how they score.

    Parameters
    ----------
    name : str or Path
        A name of `available()`, or the path of a card or a safetensors file.
    needed : dict
        Entries that it must have, with their types: by default those from which `build` makes the method; `TRAINED` to
        go on with a training or to compare trainings.

    Raises
    ------
    ValueError
        For an unknown name, and for a file that is no card.
    FileNotFoundError
        For a path that leads nowhere.

    Examples
    --------
    >>> read_card("blind_spot_rgb_sigma25")["needs"]
    ['noisy']
    """
    _, path = _files(name)
    if not path.is_file():
        if _is_path(name):
            raise FileNotFoundError(f"there is no model card at {path}")
        raise ValueError(f"there are no weights {str(name)!r}; there are: {', '.join(available()) or 'none'}")
    try:
        card = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path} is not a model card: {' '.join(str(error).split())}") from error
    what = "a model card" if needed is NEEDED else "the card of a training"
    check_entries(f"{path} is not {what}", card, needed)
    return card


def load_method(name: str | Path, *, device: str = "cpu", trust: bool = False) -> Method:
    """A trained method, ready to denoise.

    Parameters
    ----------
    name : str or Path
        A name of `available()`, or the path of a safetensors file with its card beside it.
    device : str
        cpu, cuda, cuda:1, mps, or auto.
    trust : bool
        Whether a card may name classes that are not dnlib's, "package.module:Class". They are imported, and importing
        runs their code: say so only for cards of people you trust.

    Raises
    ------
    ValueError
        If file and card do not belong together (another hash, another architecture), and for classes that are not
        there or not trusted.
    FileNotFoundError
        If the card or the weights are missing.

    Examples
    --------
    >>> import torch
    >>> method = load_method("blind_spot_rgb_sigma25")
    >>> method.denoise(torch.rand(1, 3, 20, 24)).mean.shape
    torch.Size([1, 3, 20, 24])
    """
    card, (path, _) = read_card(name), _files(name)
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; its card lies beside where it should be")
    content = path.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != card["sha256"]:
        anew = f", or train anew: {card['command']}" if card.get("command") else ""
        raise ValueError(
            f"{path} is not the file its card describes: its sha256 is {found[:12]}..., the card says "
            f"{card['sha256'][:12]}...; it was changed or cut short. Restore it{anew}"
        )
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a safetensors file ({error}); nothing else is ever loaded") from error
    return _filled(card, tensors, str(path), device, trust)


def as_stored(method: Method, card: dict[str, Any], *, device: str = "cpu") -> Method:
    """The method as it will come back from disk, in half precision: what is to be scored before a card is written.

    Raises ValueError as `save_method` does.
    """
    return _filled(card, _narrowed(method), "the method", device, trust=True)


def save_method(method: Method, path: str | Path, card: dict[str, Any] | None = None) -> Path:
    """Write a method to disk: its weights in float16, and a card from which `load_method` builds it again.

    Parameters
    ----------
    method : Method
        Of dnlib's classes or your own, as long as they can be imported from a module.
    path : str or Path
        Of the weights; the ending .safetensors may be left out. The card, .yaml, is written beside them.
    card : dict
        The arguments with which the classes were made, `network_arguments` and `method_arguments`, where there were
        any, and whatever else should be known; what is no number, text, list or dictionary is written as the text
        that it prints. The names of the classes are filled in.

    Returns
    -------
    Path
        Of the weights.

    Raises
    ------
    ValueError
        If the card would build something else, naming the first difference; for weights that are not finite in half
        precision, and for classes that nobody can import again.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from dnlib.methods import Noise2Noise
    >>> from dnlib.networks import BabyUNet
    >>> method = Noise2Noise(BabyUNet(1, 4))
    >>> path = save_method(method, f"{mkdtemp()}/mine", {"network_arguments": {"channels": 1, "width": 4}})
    >>> read_card(path)["network"], type(load_method(path)).__name__
    ('BabyUNet', 'Noise2Noise')

    A network or method that is not dnlib's needs nothing more than a module to be imported from, such as
    my_package.networks. Its card names it by import path, and is loaded with `trust=True`:

    >>> from torch.nn import Conv2d
    >>> arguments = {"in_channels": 1, "out_channels": 1, "kernel_size": 3, "padding": 1}
    >>> path = save_method(Noise2Noise(Conv2d(**arguments)), f"{mkdtemp()}/own", {"network_arguments": arguments})
    >>> read_card(path)["network"]
    'torch.nn.modules.conv:Conv2d'
    >>> type(load_method(path, trust=True).network).__name__
    'Conv2d'
    """
    whose = {"method": name_of(method), "network": name_of(method.network)}
    card = whose | {"method_arguments": {}, "network_arguments": {}} | (card or {})
    card = yaml.safe_load(_written(card))  # as it will be read
    check_builds(card, method)
    content = save(_narrowed(method))
    card |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    weights, beside = _beside(path)
    _write((weights, beside), (content, _written(card)))
    return weights


def _written(card: dict[str, Any]) -> bytes:
    return yaml.dump(card, Dumper=_Dumper, sort_keys=False, width=120, allow_unicode=True).encode()


def publish(path: str | Path) -> Path:
    """Copy weights and card to where the course keeps its own: `dnlib train NAME --publish`.

    Parameters
    ----------
    path : str or Path
        Of either file.

    Returns
    -------
    Path
        Of the weights that ship from now on.

    Raises
    ------
    ValueError
        For weights that score lower on the held-out images than those that are there, or that `load_method` refuses,
        and outside of a checkout.

    Examples
    --------
    >>> publish("my_network.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: there is no model card at my_network.yaml
    """
    if not in_checkout():
        raise ValueError("weights are published in a checkout of the repository; this is an installed package")
    card, there = read_card(path), HOME / _beside(path)[1].name
    shipped = read_card(there) if there.is_file() else {}
    if not card.get("held_out", 0) >= shipped.get("held_out", 0):
        raise ValueError(
            f"{path} reaches {card.get('held_out', 0):.2f} dB on held-out images and what ships "
            f"{shipped['held_out']:.2f} dB; only what is at least as good is published"
        )
    load_method(path)
    return copy(path, there)


def keep(path: str | Path) -> Path:
    """Copy a card into `data/trainings`, where the rows that are compared are kept: `dnlib train NAME --keep`.

    Raises ValueError for a card of another training of this name, seed and length than the one that is there, and
    outside of a checkout.

    Examples
    --------
    >>> keep("my_network.safetensors")
    Traceback (most recent call last):
    FileNotFoundError: there is no model card at my_network.yaml
    """
    if not in_checkout():
        raise ValueError("cards are kept in a checkout of the repository; this is an installed package")
    card, source = read_card(path, TRAINED), _beside(path)[1]
    there = TRAININGS / f"{source.stem}-s{card['seed']}-{card['steps']}.yaml"
    if there.is_file() and read_card(there)["sha256"] != card["sha256"]:
        raise ValueError(f"{there} tells of another training of the same name, seed and length; delete it first")
    there.parent.mkdir(parents=True, exist_ok=True)
    with atomic(there) as temporary:
        temporary.write_bytes(source.read_bytes())
    return there


def trainings(name: str) -> list[dict[str, Any]]:
    """The cards that were kept of a recipe, shortest training first.

    Raises ValueError for one whose learning curve does not reach the number of steps that it states.

    Examples
    --------
    >>> trainings("no_such_recipe")
    []
    """
    found = [read_card(path, TRAINED) for path in TRAININGS.glob(f"{name}-s*-*.yaml")]
    for card in found:
        if not (curve := card.get("curve")) or curve[-1]["steps"] != card["steps"]:
            raise ValueError(
                f"the learning curve of {card['command']} ends at step {curve[-1]['steps'] if curve else 0} of "
                f"{card['steps']}: the card was cut short; train again"
            )
    return sorted(found, key=lambda card: (card["steps"], card["seed"]))


def copy(path: str | Path, to: str | Path) -> Path:
    """Copy weights and card to another path, the card last. Returns that of the weights."""
    _write(_beside(to), [source.read_bytes() for source in _beside(path)])
    return _beside(to)[0]


def _write(pair: Sequence[Path], contents: Sequence[bytes]) -> None:
    """Write weights and card, and put them in place together once both are on disk, the weights first.

    If that is interrupted, the old card names another hash, `load_method` refuses the pair, and it is written again.
    """
    pair[0].parent.mkdir(parents=True, exist_ok=True)
    with atomic(pair[1]) as card, atomic(pair[0]) as weights:
        for temporary, content in zip((weights, card), contents, strict=True):
            temporary.write_bytes(content)


def instalments(card: dict[str, Any]) -> list[dict[str, Any]]:
    """What a card says of each of its instalments; the first training is one."""
    return card.get("instalments", [{key: card[key] for key in ACCOUNT if key in card}])


def _is_path(name: str | Path) -> bool:
    path = Path(name)
    return path.suffix in (".yaml", ".safetensors") or path.parent != Path()


def _files(name: str | Path) -> tuple[Path, Path]:
    """Weights and card, of a name or a path."""
    return _beside(name if _is_path(name) else HOME / name)


def _beside(path: str | Path) -> tuple[Path, Path]:
    """Weights and card; of a name with dots, such as net_v1.2, nothing is cut off."""
    path = Path(path)
    stem = path.stem if path.suffix in (".yaml", ".safetensors") else path.name
    return path.with_name(f"{stem}.safetensors"), path.with_name(f"{stem}.yaml")


def _narrowed(method: Method) -> dict[str, Tensor]:
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous().clone()  # none shares memory
        for name, tensor in method.state_dict().items()
    }
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} is not finite in half precision; these weights cannot be stored")
    return tensors


def _filled(card: dict[str, Any], tensors: dict[str, Tensor], where: str, device: str, trust: bool) -> Method:
    try:
        method = build(card, trust=trust)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
    check_architecture(where, tensors, method.state_dict(), card["method"])
    method.load_state_dict({name: one.float() if one.is_floating_point() else one for name, one in tensors.items()})
    return method.eval().to(choose_device(device))
