"""Links, terms, cards, charts, the reference, and the check of what was built."""

import inspect
import io
import json
import re

import pytest
from building import cards, charts, checks, formulas, reference, terms
from building.links import Links
from docutils import nodes
from docutils.core import publish_doctree
from sphinx import addnodes

from dnlib.images import ROOT
from dnlib.zoo import available

# --- links ----------------------------------------------------------------------------------------------------

PAGES = {"README.md": "index.md", "docs/verdicts.md": "docs/verdicts.md"}


@pytest.mark.parametrize(
    "written, expected",
    [
        ("[a](verdicts.md#records)", "[a](verdicts.md#records)"),
        ("[up](../README.md)", "[up](../index.md)"),
        ("[README](../README.md)", "[Denoising images when no clean image exists](../index.md)"),
        ("[`code`](../dnlib/cli.py)", '<a href="../dnlib/cli.py">`code`</a>'),
        ("[folder](../benchmarks)", "folder"),
        ("[out](https://example.org/a)", "[out](https://example.org/a)"),
        ("[here](#anchor)", "[here](#anchor)"),
        ("`[no](link.md)`", "`[no](link.md)`"),
        ("```\n[no](link.md)\n```", "```\n[no](link.md)\n```"),
        ("![said](report.jpg)", "![said](report.jpg)"),
    ],
)
def test_a_link_leads_somewhere_on_the_site(written, expected):
    assert Links(ROOT, PAGES).rewritten(written, "docs/verdicts.md") == expected


def test_a_folder_is_linked_where_the_repository_is_hosted():
    links = Links(ROOT, PAGES, "https://example.org/r")
    assert (
        links.rewritten("[f](../benchmarks)", "docs/verdicts.md") == "[f](https://example.org/r/tree/main/benchmarks)"
    )


def test_what_is_linked_is_remembered_and_a_dead_link_refused():
    links = Links(ROOT, PAGES)
    links.rewritten("[a](LICENSE) ![b](results/strip.png)", "README.md")
    assert links.files == {"LICENSE"} and links.pictures == {"results/strip.png"}
    with pytest.raises(FileNotFoundError, match=r"README.md links to docs/gone.md, and there is no docs/gone.md"):
        links.rewritten("[a](docs/gone.md)", "README.md")


# --- the glossary ---------------------------------------------------------------------------------------------

GLOSSARY = "# Glossary\n\n## Blind spot, hole\n\nA pixel.\n\n## PSNR\n\nA ratio.\n\n## Bayes' rule\n\nHow.\n"


def test_a_term_is_linked_at_its_first_use_and_not_in_titles_or_code():
    document = publish_doctree(
        "A blind spot\n============\n\nNow ``PSNR`` of blind-spot networks, a blind spot. Holes; PSNR."
    )
    assert terms.link(document, terms.terms(GLOSSARY), "glossary.html") == ["blind-spot", "PSNR"]
    found = {node.astext(): node["refuri"] for node in document.findall() if node.tagname == "reference"}
    assert found == {"blind-spot": "glossary.html#blind-spot-hole", "PSNR": "glossary.html#psnr"}
    assert "Now PSNR of blind-spot networks, a blind spot. Holes; PSNR." in document.astext()  # nothing is lost


def test_a_term_is_not_linked_within_a_link_that_sphinx_has_not_resolved_yet():
    document = publish_doctree("See the PSNR.")
    (paragraph,) = document.findall(nodes.paragraph)
    waiting = addnodes.pending_xref("", *paragraph.children)
    paragraph.children = []
    paragraph += waiting
    assert terms.link(document, terms.terms(GLOSSARY), "glossary.html") == []


def test_every_term_of_the_glossary_is_explained():
    text = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    _, *entries = text.split("\n## ")
    assert len(entries) == len({entry.splitlines()[0] for entry in entries}) > 30
    assert [entry.splitlines()[0].lower() for entry in entries] == sorted(e.splitlines()[0].lower() for e in entries)
    assert all(len(entry.splitlines()) > 2 for entry in entries)


# --- made pages -----------------------------------------------------------------------------------------------


def test_every_network_that_ships_has_a_page_and_is_listed():
    pages = cards.pages()
    assert set(pages) == {"index", *available()}
    assert all(f"({name}.md)" in pages["index"] for name in available())
    page = pages["ssid_phones"]
    assert 'zoo.load_method("ssid_phones")' in page and "`dnlib train ssid_phones`" in page and "28.91 dB" in page


def test_every_benchmark_is_drawn_with_its_numbers():
    page = charts.page(ROOT / "benchmarks" / "results")
    found = json.loads((ROOT / "benchmarks" / "results" / "denoise.json").read_text(encoding="utf-8"))
    assert f"<td>{found['psnr']['dnlib.denoise']:.4g}</td>" in page
    asked = re.search(r"for question in ([^;]+)", (ROOT / "Makefile").read_text(encoding="utf-8"))[1].split()
    assert len(asked) > 5 and all(f"`{name}.py`" in page.split("##")[0] for name in asked)
    assert all((ROOT / "benchmarks" / f"{name}.py").is_file() for name in asked)
    assert page.count("<table") == page.count("<caption") == sum(len(drawn) for drawn in charts.CHARTS.values())


def test_decibels_are_dots_on_an_axis_that_is_stated_and_all_else_bars_from_zero():
    dots = charts.chart("PSNR", "dB", {"a <b>": 29.5, "c": 29.63}, (29.3, 29.7))
    assert "<caption>PSNR [dB]; the axis goes from 29.3 to 29.7</caption>" in dots and "a &lt;b&gt;" in dots
    assert re.findall(r'style="(.+?)"', dots) == ["left: 50.0%", "left: 82.5%"]
    bars = charts.chart("Time", "s", {"a": 2.0, "b": 0.5})
    assert "<caption>Time [s]</caption>" in bars
    assert re.findall(r'style="(.+?)"', bars) == ["width: 100.0%", "width: 25.0%"]


def test_every_number_lies_on_its_axis_and_charts_of_one_benchmark_share_it():
    page = charts.page(ROOT / "benchmarks" / "results")
    places = [float(place) for place in re.findall(r'style="(?:left|width): (.+?)%"', page)]
    assert len(places) > 200 and all(0 <= place <= 100 for place in places)
    for section in page.split("\n## ")[1:]:
        assert len(set(re.findall("the axis goes from .+?<", section))) <= 1


def test_a_benchmark_without_charts_and_a_chart_without_numbers_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"differ: .*denoise"):
        charts.page(tmp_path)
    with pytest.raises(ValueError, match=r"denoise.json has nothing at ssim"):
        charts._numbers("denoise", {"psnr": {}}, "ssim")


@pytest.mark.parametrize("room", reference.ROOMS)
def test_the_reference_has_every_public_name(room):
    page = reference.page(room)
    for name in reference.exported(room):
        assert (
            f":: dnlib.{room}.{name}\n" in page
            or f"py:data:: {name}\n" in page
            or f"\ndnlib.{room}.{name}\n---" in page
        ), name


def test_types_are_linked_within_the_library_and_beyond_it_where_an_inventory_is_at_hand(tmp_path):
    words = reference.types()
    assert words["Crops"] == "dnlib.training.Crops" and words["ndarray"] == "numpy.ndarray" and words["str"] == "str"
    (tmp_path / "torch.inv").touch()
    (tmp_path / "other.inv").touch()
    here = str(tmp_path / "torch.inv")
    assert reference.inventories(tmp_path) == {"torch": ("https://docs.pytorch.org/docs/stable/", here)}


def test_docstrings_become_rest_that_says_the_same():
    said = inspect.cleandoc(
        """
        The risk is |f(y) - y|^2 of f(image, **setting).

            E |x| = 0

        Parameters
        ----------
        x : array
            In |x| and *.png.

        Examples
        --------
        >>> print("|", 2**3)
        | 8
        """
    )
    text = reference.rest(said)
    assert r"\|f(y) - y\|^2 of f(image, \*\*setting)" in text and "\n::\n\n    E |x| = 0\n" in text
    assert r"In \|x\| and \*.png." in text and '>>> print("|", 2**3)\n| 8' in text


def test_formulas_are_mathml_and_bad_ones_are_named():
    def drawn(latex):
        return formulas._mathml(nodes.math("", latex), "inline")

    assert "<mfrac>" in drawn(r"\frac{1}{2}")
    with pytest.raises(ValueError, match="not LaTeX that can be drawn: 'x\\^'"):
        drawn("x^")
    with pytest.raises(ValueError, match=r"has the unknown command \\nosuch"):
        drawn(r"\nosuch x")


# --- the check ------------------------------------------------------------------------------------------------


def test_dead_links_pictures_without_text_and_heavy_pages_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">ok</a><a href="b.html#gone"></a><a href="c.html"></a><a href="https://example.org"></a>'
        '<img src="big.png" alt=""><img src="big.png">'
    )
    (tmp_path / "b.html").write_text('<p id="there"></p>')
    (tmp_path / "big.png").write_bytes(bytes(checks.HEAVIEST))
    assert checks.problems(tmp_path) == [
        "a.html links to b.html#gone, and b.html has no such place",
        "a.html links to c.html, which is not there",
        "a.html weighs 3.0 MB with its pictures; 3 are allowed",
        "a.html shows big.png without alternative text",
    ]
    (tmp_path / "a.html").write_text('<img src="b.html" alt="">')
    assert checks.problems(tmp_path) == []
    (tmp_path / "a.html").write_text('<a href="b.html">one <a href="b.html#there">two</a></a> <a href="b.html">x</a>')
    assert checks.problems(tmp_path) == ["a.html has the link to b.html#there within another one"]
    view = '{"0": {"src": "big.png"}, "1": {"src": "none.webp"}}'
    (tmp_path / "a.html").write_text(f"<figure data-pictures='{view}'>")
    assert checks.problems(tmp_path) == [
        "a.html links to none.webp, which is not there",
        "a.html weighs 3.0 MB with its pictures; 3 are allowed",
    ]


def test_code_within_a_card_is_shown_as_it_is_written():
    pages = cards.pages().values()
    assert any("`dnlib data sidd_val_crops`" in page for page in pages)
    assert not any("sidd\\_val\\_crops`" in page for page in pages)


FORMS = {
    "https://example.org/a_(b)": "",
    "https://example.org/a?b=c#d-e": "",
    "http://example.org/a": "it does not begin with https://",
    "tcp://host:8786": "it does not begin with https://",
    "//example.org/a": "it does not begin with https://",
    "https:///a": "'' is no host",
    "https://example/a": "'example' is no host",
    "https://example.org/a b": "it holds a space or a doubled slash",
    "https://example.org//a": "it holds a space or a doubled slash",
    "https://example.org/a)": "it ends in ')'",
    "https://example.org/a,": "it ends in ','",
}


@pytest.mark.parametrize("link", FORMS)
def test_a_link_to_another_host_is_well_formed(link, tmp_path):
    (tmp_path / "a.html").write_text(f'<a href="{link}">there</a>')
    assert checks.problems(tmp_path) == ([f"a.html links to {link}: {FORMS[link]}"] if FORMS[link] else [])


def test_other_hosts_are_asked_once_each_and_only_if_that_is_wanted(tmp_path, monkeypatch):
    asked = []

    def answer(request, timeout):
        asked.append(request.full_url)
        if "gone" in request.full_url:
            raise OSError("HTTP Error 404: Not Found")
        return io.BytesIO()

    monkeypatch.setattr(checks.urllib.request, "urlopen", answer)
    for name in ("a", "b"):
        (tmp_path / f"{name}.html").write_text(
            '<a href="https://example.org/a#b">x</a><a href="https://example.org/gone">y</a><a href="a.html">z</a>'
        )
    assert checks.problems(tmp_path) == [] and asked == []
    assert checks.unreachable(tmp_path) == ["https://example.org/gone: HTTP Error 404: Not Found"]
    assert asked == ["https://example.org/a", "https://example.org/gone"]
