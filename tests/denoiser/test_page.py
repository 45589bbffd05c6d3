"""The page of a denoised picture: whole in one file, true to the numbers, and readable by anybody."""

import base64
import io
import itertools
import os
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

import dnlib
from dnlib.denoiser import CANDIDATES, UNCHANGED, Choice, denoise_picture, write_picture_page
from dnlib.denoiser.caveats import caveats_of
from dnlib.denoiser.panels import DETAIL, LONGEST, Frame, panels_of
from dnlib.images import Picture, Range, photo
from dnlib.noise import inspect_image

NOISE = np.random.default_rng(0).normal(0, 10, (200, 240, 3))
FOUND = inspect_image((128 + NOISE[:64, :64]).round().astype(np.uint8))
RISKS = {"median": 25.0, "nl_means": 4.0, UNCHANGED: 100.0}
CHOICE = Choice("nl_means", {"h": 8.0}, 4.0, 10.0, RISKS, noise_found=FOUND, untried={"ridge": "it <may> take long"})
GRAY = 127.5


class Page(HTMLParser):
    """What a page holds: its elements with their attributes, and its text."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.source = [], path.read_text(encoding="utf-8")
        self.text = ""
        self.feed(self.source)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def of(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(tmp_path):
    """The page of arrays before and after."""

    def write(before, after, choice=CHOICE, name="cat.png", **layout):
        pictures = [Picture.of(image, **layout) for image in (before, after)]
        write_picture_page(tmp_path / "page.html", name, *pictures, choice)
        return Page(tmp_path / "page.html")

    return write


def drawn(address):
    """An image out of the address that holds it."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition("base64,")[2])))).astype(float)


def test_everything_is_inside_and_said_to_those_who_do_not_see_it(page):
    found = page(128 + NOISE, np.full(NOISE.shape, 128.0))
    addresses = [one[key] for _, one in found.elements for key in ("src", "href", "srcset") if key in one]
    assert addresses and all(address.startswith("data:image/") for address in addresses)
    assert "://" not in found.source and "@import" not in found.source
    assert found.of("html") == [{"lang": "en"}] and len(found.of("main")) == len(found.of("h1")) == 1
    assert all(one["alt"] for one in found.of("img")) and all(one["aria-label"] for one in found.of("input"))
    levels = [int(tag[1]) for tag, _ in found.elements if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert "prefers-color-scheme: dark" in found.source and len(found.source) < 1e6


def test_candidates_come_best_first_with_what_they_leave_and_gain(page):
    found = page(128 + NOISE, np.full(NOISE.shape, 128.0))
    rows = [found.text.index(CANDIDATES[name].words) for name in ("nl_means", "median")]
    assert rows == sorted(rows) and rows[1] < found.text.index("the picture as it is")
    assert all(number in found.text for number in ("+14.0", "+6.0", "+0.0"))  # 10 log10 of 100/4, 100/25, 1
    assert "nl_means · chosen" in found.text and "median · chosen" not in found.text
    assert f"{CANDIDATES['ridge'].words}: it <may> take long" in found.text
    assert all(candidate.words for candidate in CANDIDATES.values())


def test_how_sure_the_gain_is_stands_beside_it(page):
    found = page(128 + NOISE, np.full(NOISE.shape, 128.0), replace(CHOICE, risk_error=0.2))
    assert "about 14.0 dB better, give or take 0.4" in found.text and "+14.0 ± 0.4" in found.text
    assert found.text.count("±") == 1  # of the one that was chosen


def test_the_noise_found_is_said_and_drawn(page):
    found = page(128 + NOISE, np.full(NOISE.shape, 128.0))
    assert FOUND.sentence in found.text and "% of white" in found.text
    sources = [one["src"] for one in found.of("img") if one["src"].startswith("data:image/svg")]
    svgs = [base64.b64decode(source.partition(",")[2]).decode() for source in sources]
    assert len(svgs) == 2 and all("currentColor" in svg for svg in svgs)
    assert any("red" in one["alt"] and f"{FOUND.curves[0, 1, 0]:.3g}" in one["alt"] for one in found.of("img"))


@pytest.mark.parametrize("name", ["<script>alert(1)</script>.png", 'a"b&c.png', os.fsdecode(b"caf\xe9.png")])
def test_any_name_is_text(page, name):
    found = page(128 + NOISE, np.full(NOISE.shape, 128.0), name=name)
    assert len(found.of("script")) == 1 and name.encode(errors="replace").decode() in found.text


def test_pictures_are_true_to_the_pixel():
    before = np.arange(400.0).reshape(20, 20)
    after = before - np.linspace(-8, 8, 400).reshape(20, 20)
    (view,) = panels_of(Frame(before, after, np.ones((20, 20), bool), 2.0))
    assert view.exact and view.size == (20, 20) and view.zoom == (24, 16) and view.limit == 8
    np.testing.assert_allclose(drawn(view.removed), GRAY + GRAY * (before - after) / 8, atol=1)
    for address, image in ((view.before, before), (view.after, after)):
        seen = np.clip((image - view.black) / (view.white - view.black), 0, 1)
        np.testing.assert_allclose(drawn(address), 255 * seen, atol=1)


def test_the_detail_lies_where_most_was_removed_and_a_large_picture_is_reduced(rng):
    before = rng.normal(0, 1, (300, 2 * LONGEST + 10))
    before[130:280, 1500:1640] *= 5
    whole, detail = panels_of(Frame(before, 0 * before, np.ones(before.shape, bool), 1.0))
    assert whole.reduced == 3 and whole.size == (670, 100) and not whole.exact
    assert detail.reduced == 1 and detail.size == (DETAIL, DETAIL) and detail.exact
    assert detail.rows.start <= 130 and detail.rows.stop >= 280
    assert detail.columns.start <= 1500 and detail.columns.stop >= 1640
    assert whole.limit == pytest.approx(detail.limit / 3)  # the mean of 9 independent values


def test_what_was_not_measured_is_gray_and_draws_no_detail(rng):
    before = rng.normal(0, 1, (400, 400))
    before[:200] = np.nan
    inside = np.isfinite(before)
    whole, detail = panels_of(Frame(before, 0 * before, inside, 1.0))
    assert detail.rows.start >= 200 - DETAIL // 2 and abs(drawn(whole.before)[:190] - GRAY).max() < 2


def test_a_picture_left_as_it_is_has_nothing_to_compare(page):
    found = page(128 + NOISE, 128 + NOISE, replace(CHOICE, filter=UNCHANGED))
    assert not found.of("input") and "nothing was removed" in found.text and "where most was removed" not in found.text


def test_uncertainty_is_drawn_with_its_scale(page):
    uncertainty = np.full(NOISE.shape, 3.0)
    assert "How far off" not in page(128 + NOISE, 128 + 0 * NOISE).text
    found = page(128 + NOISE, 128 + 0 * NOISE, replace(CHOICE, uncertainty=uncertainty))
    assert found.text.count("How far off") == 2  # of the whole picture and of the detail
    assert any("brightest have a standard deviation of 3" in one["alt"] for one in found.of("img"))


def test_channels_are_drawn_and_explained_each_by_itself(page):
    channels = np.moveaxis(NOISE[..., :2], -1, 0) * np.array([1, 10])[:, None, None]
    dim, bright = replace(CHOICE, noise_found="it is tiny"), replace(CHOICE, noise=100.0, filter="median")
    choice = replace(dim, parts={"channel 0": dim, "channel 1": bright})
    found = page(channels, 0 * channels, choice, axes="CYX")
    assert len(found.of("input")) == 4 and found.text.count("What was tried") == 2
    assert "+40" in found.text and "+400" in found.text  # four standard deviations of either channel's noise
    assert "median · chosen" in found.text and "nl_means · chosen" in found.text and "it is tiny" in found.text


def test_a_real_choice_carries_what_the_page_needs(page):
    clean = photo("camera")[:128, :128]
    noisy = np.clip(np.rint(4095 * clean + np.random.default_rng(1).normal(0, 160, clean.shape)), 0, 4095)
    picture = Picture.of(noisy.astype(np.uint16))
    _, choice = denoise_picture(picture, patience=0.02)
    assert choice.how == "judged" and choice.noise_found.unit == "of 4095"
    assert choice.noise_found.level == pytest.approx(160, rel=0.15)
    assert {*choice.risks, *choice.untried} == {*CANDIDATES, UNCHANGED}
    assert (
        "neighbours share" in choice.untried["ridge_cascade"] and "3 colours" in choice.untried["photographs_network"]
    )
    assert "minute" in choice.untried["ridge"] and choice.untried["blind_spot"] == "only if it is asked for"


def test_small_pictures_counts_and_filters_that_were_asked_for_are_told_apart(rng):
    image = rng.normal(100, 5, (32, 32))
    _, small = dnlib.denoise(image, filter="median", return_choice=True)
    assert small.how == "asked for" and "fewer than 64 pixels" in small.noise_found and not small.untried
    _, counts = dnlib.denoise(rng.poisson(0.5, (80, 80)), dtype="float32", return_choice=True)
    assert counts.how == "counted" and "counts of photons" in " ".join(caveats_of(counts))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"saturated": 0.3}, "30% of the pixels"),
        ({"blocks": True}, "JPEG"),
        ({"enlarged": True}, "enlarged"),
        ({"pure": 0.1, "map": np.full((9, 9), 0.2)}, "10% of what is neither black nor white"),
        ({"white": 4095}, "white 4095"),
    ],
)
def test_caveats_go_with_what_was_found(changes, said):
    if white := changes.pop("white", 0):
        changed = FOUND.stated_in(Range(0, white, white))
    else:
        changed = replace(FOUND, **changes)
    assert said in " ".join(caveats_of(replace(CHOICE, noise_found=changed)))
    assert said not in " ".join(caveats_of(CHOICE))


def test_caveats_go_with_what_was_chosen():
    said = " ".join(caveats_of(replace(CHOICE, filter="white_noise_network", weights=(0.5, 0.8), how="asked for")))
    assert "A network learnt from photographs" in said and "50% was taken off in one channel" in said
    assert "more good than harm" in said and "network" not in " ".join(caveats_of(CHOICE))
    assert "rows levelled" in " ".join(caveats_of(replace(CHOICE, beforehand=("rows levelled",))))
    (impulses,) = (
        one for one in caveats_of(replace(CHOICE, beforehand=("1% impulses replaced",))) if "impulses" in one
    )
    assert "one pixel" in impulses and "edge" not in impulses
