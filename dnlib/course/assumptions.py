"""The map of assumptions: what each method needs to be true, or to be at hand. Chapters fill in a row or two each."""

from typing import NamedTuple

from dnlib.course import tables

COLUMNS = ("independent pixels", "known noise", "two shots", "a burst", "clean images")


class Row(NamedTuple):
    """A method of a chapter, "00" to "12", and what it needs, of `COLUMNS`, in a word or two each."""

    chapter: str
    method: str
    needs: dict[str, str]


ROWS = (
    Row(
        "00",
        "the 60-second denoiser",
        {"known noise": "estimated from the picture", "clean images": "of other scenes, for its networks"},
    ),
    Row("01", "a filter tuned by hidden pixels", {"independent pixels": "yes"}),
    Row("01", "a filter judged by Stein's formula", {"known noise": "Gaussian, its covariance"}),
    Row("02", "Noise2Clean", {"clean images": "of other scenes"}),
    Row("02", "Noise2Noise", {"two shots": "of each scene"}),
    Row("03a", "Noise2Void, Noise2Self", {"independent pixels": "yes"}),
    Row("03b", "StructN2V", {"independent pixels": "but along a line", "known noise": "that line"}),
    Row("04", "blind spot, mean only", {"independent pixels": "yes"}),
    Row(
        "04",
        "blind spot and Bayes",
        {"independent pixels": "yes", "known noise": "its kind; its strength can be learnt"},
    ),
    Row("05", "measuring the noise of a camera", {"clean images": "or means of many shots"}),
    Row("06", "Patch-Craft", {"a burst": "noise new in every frame", "clean images": "of other scenes, to start from"}),
    Row("07", "AP-BSN", {"independent pixels": "beyond 5 pixels"}),
    Row("08", "LG-BPN", {"independent pixels": "beyond a diamond of 4"}),
    Row("09", "SSID", {"independent pixels": "beyond a square of 9"}),
    Row(
        "11",
        "denoising before development",
        {"independent pixels": "of the sensor: yes", "known noise": "shot and read noise"},
    ),
    Row("12", "recorrupted pairs", {"known noise": "its covariance"}),
)


def table(chapter: str) -> str:
    """The map as far as the end of a chapter, "03a" say, in Markdown: what comes later is still a question mark.

    Examples
    --------
    >>> for line in table("02").splitlines()[5:8]:
    ...     print(line)
    | 02 | Noise2Clean | – | – | – | – | of other scenes |
    | 02 | Noise2Noise | – | – | of each scene | – | – |
    | 03a | Noise2Void, Noise2Self | ? | ? | ? | ? | ? |
    """
    rows = []
    for row in ROWS:
        cells = (row.needs.get(column, "–") if row.chapter <= chapter else "?" for column in COLUMNS)
        rows.append((row.chapter, row.method, *cells))
    return tables.table(("chapter", "method", *COLUMNS), rows).rstrip("\n")
