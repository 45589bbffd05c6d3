"""Which images show one scene: for a bootstrap over scenes they are one sample."""

import re
from collections.abc import Iterable

from dnlib.images.layouts import Example


def scene_rules(dataset: str, scene: str | dict[str, str] | None) -> dict[str, re.Pattern]:
    r"""The regular expressions behind the registry's key `scene` of a dataset: name of the scene -> expression.

    scene: "each", which gives none at all, a regular expression whose first group is the name of the scene, or a
    mapping from names of scenes to regular expressions. A name may refer to a group of its expression. Raises
    ValueError for anything else.

    Examples
    --------
    >>> scene_rules("set12", "each")
    {}
    >>> scene_rules("phones", r"(.+)_\d+")
    {'\\1': re.compile('(.+)_\\d+')}
    """
    if scene == "each":
        return {}
    texts = {r"\1": scene} if isinstance(scene, str) else scene
    refusal = (
        f'the scene of dataset {dataset} is "each", a regular expression whose first group is the name of the scene, '
        f"or a mapping from names of scenes to regular expressions; {scene!r} was given"
    )
    if not (
        texts and isinstance(texts, dict) and all(isinstance(part, str) for pair in texts.items() for part in pair)
    ):
        raise ValueError(refusal)
    try:
        rules = {name: re.compile(text) for name, text in texts.items()}
        for name, rule in rules.items():
            rule.sub(name, "")  # refuses a name that refers to a group which is not there
    except (re.error, IndexError) as error:
        raise ValueError(f"{refusal} ({error})") from error
    return rules


def scene_of(image: str, rules: dict[str, re.Pattern]) -> str:
    r"""The scene of an image: that of the first expression that matches its whole name, else its name.

    Examples
    --------
    >>> rules = scene_rules("phones", {"chart": "0[12]", r"room \1": r"room(\d)_\d+"})
    >>> [scene_of(image, rules) for image in ("01", "02", "03", "room7_11")]
    ['chart', 'chart', '03', 'room 7']
    """
    for name, rule in rules.items():
        if match := rule.fullmatch(image):
            return match.expand(name)
    return image


def check_scenes_apart(learnt: Iterable[Example], judges: Iterable[Example]) -> None:
    """See to it that images to learn from and images to judge with, of one dataset, share no scene.

    Raises ValueError if they do; it names the scenes.

    Examples
    --------
    >>> check_scenes_apart([Example("a1", scene="a"), Example("b1", scene="b")], [Example("a2", scene="a")])
    Traceback (most recent call last):
    ValueError: images of the scene a are learnt from and judge, too; hold the whole scene out
    """
    if shared := sorted({example.scene for example in learnt} & {example.scene for example in judges}):
        scenes = f"the scene{'s' * (len(shared) > 1)} {', '.join(shared)}"
        raise ValueError(f"images of {scenes} are learnt from and judge, too; hold the whole scene out")
