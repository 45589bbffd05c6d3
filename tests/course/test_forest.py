"""Pictures of margins: well formed, escaped, and every dot where its number says."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
import samples

from dnlib.course import curves, forest
from dnlib.course.claims import Claim
from dnlib.course.curves import Point
from dnlib.course.verdicts import judge

SVG = "{http://www.w3.org/2000/svg}"


def record(seed, steps=100, **measured):
    return samples.record(seed, parameters={"steps": steps}, **measured)


def claim(name, **options):
    return Claim(name, "01_x", "s", "A <b> & 'c'.", name, {"at_least": 0.0}, **({"unit": "dB"} | options))


def drawn(**gains):
    """The forest of claims with these numbers, one for each seed; and its rows by id."""
    records = [record(seed, **{name: value}) for name, values in gains.items() for seed, value in enumerate(values)]
    claims = [claim(name) for name in gains]
    judgements = [judge([one], [r for r in records if one.id in r.measured])[0] for one in claims]
    root = ElementTree.fromstring(forest.draw("f", "A <title> & more", judgements))
    return root, {g.get("id"): g for g in root.iter(f"{SVG}g")}


def spot(element):
    """x and y of a dot."""
    return [float(n) for n in re.findall(r"-?[\d.]+", element.find(f"{SVG}path[@class='dot']").get("transform"))]


def test_rows_stand_in_order_each_dot_at_its_margin_in_half_widths():
    # Student's half interval of 0, 1, 2 around m is 2.484, of two numbers d apart 6.353 d
    root, rows = drawn(even=(-1.0, 0.0, 1.0), one=(3.0,), fails=(-10.0, -11.0, -12.0), holds=(4.0, 5.0, 6.0))
    assert list(rows) == ["forest-holds", "forest-even", "forest-fails", "forest-one"]
    assert [row.get("class") for row in rows.values()] == ["held", "undecided", "did-not-hold", "undecided"]
    for number, (name, mean) in enumerate((("holds", 5), ("even", 0), ("fails", -11))):
        x, y = spot(rows[f"forest-{name}"])
        assert x == pytest.approx(forest.place(mean / 2.4841), abs=0.1)
        assert y == forest.TOP + forest.ROW * (number + 0.5)
        line = rows[f"forest-{name}"].find(f"{SVG}line[@class='interval']")
        ends = [float(line.get(key)) for key in ("x1", "x2")]
        assert ends == pytest.approx([forest.place(mean / 2.4841 + side) for side in (-1, 1)], abs=0.1)
    shapes = {rows[name].find(f"{SVG}path").get("d") for name in rows if name != "forest-one"}
    assert len(shapes) == 3  # verdicts are told apart without colour
    assert rows["forest-one"].find(f"{SVG}path") is None and "+3 dB, one seed" in "".join(rows["forest-one"].itertext())
    assert root.find(f"{SVG}title").text == "A <title> & more" and root.find(f"{SVG}desc").text == forest.ABOUT


def test_what_is_farther_than_the_axis_stands_at_its_end_with_an_arrow():
    _, rows = drawn(far=(1.0, 1.0001), same=(2.0,) * 6, few=(2.0,) * 5, near=(1.0, 1.1), below=(-1.0, -1.0001))
    for name, x in (("far", forest.RIGHT), ("same", forest.RIGHT), ("below", forest.LEFT)):
        assert spot(rows[f"forest-{name}"])[0] == x
        assert rows[f"forest-{name}"].find(f"{SVG}path[@class='arrow']") is not None
    assert rows["forest-near"].find(f"{SVG}path[@class='arrow']") is None
    for name in ("same", "few"):
        assert "+2 dB, no spread" in "".join(rows[f"forest-{name}"].itertext())
    assert rows["forest-few"].find(f"{SVG}path") is None  # as many may be alike by chance


def test_the_axis_is_odd_and_grows():
    places = [forest.place(x) for x in np.linspace(-120, 120, 241)]
    middle = forest.place(0)
    assert places == sorted(places) and places[0] == forest.LEFT and places[-1] == forest.RIGHT
    assert np.array(places) + places[::-1] == pytest.approx(2 * middle)


def test_without_a_margin_there_is_no_forest():
    assert forest.draw("f", "t", judge([claim("a", sample="nothing"), claim("b")], [record(0, a=1)])) == ""


def points_of(text):
    root = ElementTree.fromstring(text)
    texts = [element.text for element in root.iter(f"{SVG}text")]
    return np.array([spot(g) for g in root.iter(f"{SVG}g")]), texts, [g.get("class") for g in root.iter(f"{SVG}g")]


def test_a_claim_at_several_lengths_is_a_curve_on_a_logarithmic_axis():
    records = [
        record(seed, steps, gain=gain + seed)
        for steps, gain in ((10, -100.0), (100, -0.5), (1000, 99.0))
        for seed in (0, 1)
    ]
    long = judge([claim("gain", length="steps")], records)[0]
    places, texts, verdicts = points_of(curves.of_lengths(long))
    assert verdicts == ["did-not-hold", "undecided", "held"]
    assert places[1] == pytest.approx((places[0] + places[2]) / 2, abs=0.1)  # equal steps of both axes
    assert places[0, 0] < places[1, 0] and places[0, 1] > places[1, 1]
    assert {"10", "100", "1000", "margin, dB", "0"} <= set(texts)
    assert curves.of_lengths(judge([claim("gain", length="steps")], records[:2])[0]) == ""
    counted = judge([claim("gain", length="steps", sample="nothing")], records)[0]
    assert counted.by_length and curves.of_lengths(counted) == ""


def test_cards_with_a_curve_are_drawn_the_others_not():
    curve = [{"steps": 10, "loss": 0.0, "psnr": 20.0}, {"steps": 20, "loss": 0.0, "psnr": 21.0}]
    places, texts, _ = points_of(curves.of_cards({"a<b": {"curve": curve}, "c": {"curve": curve}, "none": {}}))
    assert len(places) == 4 and {"a<b", "c"} <= set(texts) and "none" not in texts
    assert curves.of_cards({"none": {}}) == ""


def test_labels_and_lengths_do_not_run_into_each_other():
    lines = {name: [Point(n, 1.0) for n in range(1000, 1100)] for name in "abc"}
    root = ElementTree.fromstring(curves.draw("c", "t", "dB", lines))
    texts = {element.text: element for element in root.iter(f"{SVG}text")}
    heights = sorted(float(texts[name].get("y")) for name in "abc")
    assert np.diff(heights).min() >= curves.LINE
    ticks = [float(texts[str(n)].get("x")) for n in range(1000, 1100) if str(n) in texts]
    assert 2 <= len(ticks) < 10 and np.diff(ticks).min() >= 48
