"""Noise models written as text: on model cards, in checkpoints, on the command line."""

import ast
import inspect

from dnlib.noise.camera import Camera
from dnlib.noise.correlated import AnyCorrelated, CorrelatedGaussian, Lines
from dnlib.noise.likelihoods import Gaussian, Impulse, Poisson, Sensor
from dnlib.noise.mixture import Mixture, Sum
from dnlib.noise.models import Noise
from dnlib.noise.stored import Resized, Stored, Turned

SIMPLE = (Gaussian, Poisson, Sensor, Impulse, CorrelatedGaussian, Camera, Lines, AnyCorrelated)
KINDS = {kind.__name__: kind for kind in (*SIMPLE, Mixture, Sum, Resized, Stored, Turned)}


def read_noise(text: str) -> Noise:
    """The noise model whose repr is `text`. Nothing in the text is executed.

    Parameters
    ----------
    text : str
        The name of a model and its arguments, by place or by name; numbers, texts, None, tuples, lists, and models.

    Returns
    -------
    Noise
        It draws exactly what the one whose repr it is draws.

    Raises
    ------
    ValueError
        For an unknown model or argument, an impossible value, anything that is not written out.

    Examples
    --------
    >>> read_noise("Gaussian(sigma=(5, 50))")
    Gaussian((5, 50))
    >>> read_noise("CorrelatedGaussian(20, between=0.5)").between
    0.5
    """
    try:
        call = ast.parse(text, mode="eval").body
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError):
        call = None
    return _model(call, text)


def _model(call: ast.expr | None, text: str) -> Noise:
    try:
        kind = KINDS[call.func.id]
    except (AttributeError, KeyError) as error:
        raise ValueError(
            f"noise is written as Gaussian(25), Poisson(30), Impulse(0.5), and so on for {', '.join(KINDS)}; "
            f"{text!r} was given"
        ) from error
    signature = inspect.signature(kind)
    try:
        named = {keyword.arg: _value(keyword.value) for keyword in call.keywords}
        arguments = signature.bind(*map(_value, call.args), **named)
        if len(named) < len(call.keywords):
            raise TypeError("an argument is given twice")
    except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError) as error:
        names = ", ".join(signature.parameters)
        raise ValueError(f"{text!r} cannot be read: {error}. {kind.__name__} takes {names}, written out") from error
    return kind(*arguments.args, **arguments.kwargs)


def _value(node: ast.expr) -> object:
    """A number, text, None, tuple or list as written out, or a noise model."""
    if isinstance(node, ast.List):
        return [_value(item) for item in node.elts]
    return _model(node, ast.unparse(node)) if isinstance(node, ast.Call) else ast.literal_eval(node)
