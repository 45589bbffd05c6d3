"""The README and the pages in docs/: their Python runs (with fewer steps), commands, links and numbers are right."""

import ast
import importlib
import json
import re
import shlex
import sys
from pathlib import Path

import click
import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from dnlib import cli
from dnlib.course import jobs, records
from dnlib.images import ROOT, Picture, arrays, bursts, write
from dnlib.noise import CorrelatedGaussian, noisy_burst
from dnlib.zoo import available, find, provenance, read_card, untrained
from dnlib.zoo.recipes import sizes

README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
LINKED = [README, ROOT / "CONTRIBUTING.md", *DOCS]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(language: str) -> list[tuple[str, str]]:
    """The page and the code of every block in a language, each code once."""
    found = {}
    for page in [README, *DOCS]:
        for kind, code in FENCED.findall(text(page)):
            if kind == language:
                found.setdefault(code, page.stem)
    return [(page, code) for code, page in found.items()]


# --- Python -------------------------------------------------------------------------------------------------


@pytest.fixture
def shots(tmp_path, monkeypatch):
    """Two folders of noisy frames, where the pages have them."""
    monkeypatch.chdir(tmp_path)
    for seed, place in enumerate(("kitchen", "garden")):
        clean = bursts.set_in_motion(arrays.photo("coffee"), shape=(64, 70), seed=seed)
        noisy = noisy_burst(clean, CorrelatedGaussian(20, 3), torch.Generator().manual_seed(seed)).image
        (tmp_path / "shots" / place).mkdir(parents=True)
        for number, frame in enumerate(noisy):
            write(tmp_path / "shots" / place / f"{number}.tif", Picture.of(arrays.to_image(frame[None])))


@pytest.mark.parametrize("page, code", blocks("python"), ids=lambda given: given.strip().splitlines()[-1][:30])
def test_a_snippet_runs(page, code, rng, shots):
    noisy, second = rng.random((2, 64, 70), dtype=np.float32)
    space = {"image": noisy, "noisy": noisy, "second": second}
    exec(re.sub(r"steps=\d+", "steps=2", code), space)
    for name in {"denoised", "unsure"} & space.keys():
        assert space[name].shape == noisy.shape and np.isfinite(space[name]).all()
    assert "method" not in space or len(list(space["method"].parameters()))
    assert "losses" not in space or len(space["losses"]) == 2


# --- commands -----------------------------------------------------------------------------------------------

INLINE = [code for page in LINKED for code in re.findall(r"`([^`\n]+)`", FENCED.sub("", text(page)))]
PRINTED = [line for _, code in blocks("sh") for line in code.splitlines()] + INLINE
COMMANDS = sorted(
    {found[1].strip() for line in PRINTED if (found := re.search(r"(?:^|[/\\ ])dnlib ((?!\[)[^#]+)", line))}
)
TARGETS = {found[1] for line in PRINTED if (found := re.match(r"make (\w+)", line))}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_one_that_dnlib_takes(command):
    words = [word for word in shlex.split(command) if word != "--traceback"]
    if words[0] == "COMMAND":
        return
    taken = cli.main.commands[words[0]]
    if isinstance(taken, click.Group) and len(words) > 1:
        taken, words = taken.commands[words[1]], words[1:]
    context = click.Context(taken, info_name=words[0], help_option_names=["-h", "--help"])
    _, left, _ = taken.make_parser(context).parse_args(words[1:])
    assert not left, left
    if words[0] == "run" and "NN" not in words:
        given = taken.make_context("run", words[1:]).params
        chosen = {name: given[name] for name in ("profile", "seeds", "device")}
        assert jobs.plan(given["chapters"], overrides=dict(given["overrides"]), **chosen)


def test_the_page_says_how_many_trainings_make_gpu_goes_on_with_and_for_how_long():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    names, minutes = (
        re.search(rf"^GPU_{what} \?= (.+)$", makefile, re.MULTILINE)[1] for what in ("TRAININGS", "MINUTES")
    )
    assert set(names.split()) <= set(available()) and len(names.split()) == 6
    assert f"the six trainings that we expect to gain most, for {minutes} minutes each" in PROSE
    assert f"`GPU_TRAININGS`), {6 * int(minutes)} in all" in PROSE
    steps = [card["steps"] for card in map(read_card, names.split())]
    assert steps[:4] == [16_000, 40_000, 40_000, 40_000]
    assert (
        "which has had 16,000 steps, while Poisson noise and the rows of Laine et al.'s table have had 40,000" in PROSE
    )


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("blind_spot_rgb_sigma25", "with a blind spot takes {} PFLOP"), ("noise2clean_rgb_sigma25", "one without {}.")],
)
def test_the_operations_of_the_paper_s_table_are_counted(name, sentence):
    size, network = sizes("paper", find(name)), untrained(name, "paper")[0].network.to("meta")
    with FlopCounterMode(display=False) as counter:
        network(torch.rand(size["count"], 3, size["size"], size["size"], device="meta")).sum().backward()
    assert sentence.format(round(counter.get_total_flops() * size["steps"] / 1e15)) in PROSE
    assert (size["width"], size["steps"]) == (48, 500_000) and "width of 48" in PROSE and "500,000 steps" in PROSE


def test_the_pages_show_every_command_and_make_has_every_target():
    shown = {shlex.split(command)[0] for command in COMMANDS}
    assert shown - {"COMMAND", "--traceback"} == cli.main.commands.keys()
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"reproduce", "test", "lab", "bench"} <= TARGETS
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in TARGETS)


# --- links --------------------------------------------------------------------------------------------------


def links(page: Path) -> list[tuple[Path, str]]:
    """The file and the anchor ("" for none) of every relative link and picture of a page."""
    found = re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", text(page)))
    relative = [link.partition("#") for link in found if not re.match(r"\w+:", link)]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in relative]


def anchors(page: Path) -> set[str]:
    """Those of its headings, as GitHub makes them; of an HTML page, those it states."""
    if page.suffix == ".html":
        return set(re.findall(r'\bid="([^"]+)"', text(page)))
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", text(page)), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_every_link_leads_somewhere_in_the_checkout(page):
    for path, anchor in links(page):
        assert path.is_relative_to(ROOT) and path.exists(), f"{page.name}: {path}"
        assert not anchor or anchor in anchors(path), f"{page.name}: {path.name}#{anchor}"


def test_every_page_of_docs_is_reached_from_the_readme():
    reached, ahead = set(), [README]
    while ahead:
        page = ahead.pop()
        reached.add(page)
        ahead += [path for path, _ in links(page) if path.suffix == ".md" and path not in reached and path.is_file()]
    assert set(DOCS) <= reached


def test_the_readme_is_short_and_has_its_generated_parts():
    readme = text(README)
    assert len(readme.splitlines()) <= 200
    for name in ("chapters", "verdicts", "headlines"):
        marker = f"<!-- {name}: generated from results/records by `dnlib run --publish` -->"
        assert re.search(rf"^{re.escape(marker)}\n(?:(?!<!--).*\n)*<!-- end -->$", readme, re.MULTILINE), name


# --- numbers ------------------------------------------------------------------------------------------------

PROSE = " ".join(" ".join(text(page).split()) for page in [README, *DOCS])


def test_the_chapters_that_a_dataset_is_said_to_serve_are_those_that_recorded_it():
    paths = sorted(records.COMMITTED.glob("*-laptop-s0.json"))
    recorded = {path.name.partition("_")[0]: records.read(path).datasets for path in paths}
    table = re.findall(r"^\| `(\w+)`, [^|]+\| ([^|]+) \|$", text(ROOT / "docs" / "reproduce.md"), re.MULTILINE)
    assert {name for name, _ in table} | {"bundled"} == set().union(*recorded.values())
    for name, chapters in table:
        ends = [part.partition(" to ") for part in chapters.split(", ")]
        said = {number for number in recorded for first, _, last in ends if first <= number <= (last or first)}
        assert said == {number for number, used in recorded.items() if name in used}, name


def section(title: str) -> str:
    """One of the page about reproducing."""
    return re.search(rf"^## {title}\n(.*?)^## ", text(ROOT / "docs" / "reproduce.md"), re.DOTALL | re.MULTILINE)[1]


def test_the_committed_runs_are_those_that_the_page_about_reproducing_tells_to_make():
    recorded = {path.stem for path in records.COMMITTED.glob("*.json")}

    def runs(line):
        given = cli.main.commands["run"].make_context("run", shlex.split(line, comments=True)[2:]).params
        options = {"profile": given["profile"], "seeds": given["seeds"], "overrides": dict(given["overrides"])}
        return {job.name for job in jobs.plan(given["chapters"], **options)}

    told, *_ = FENCED.findall(section("Profiles and seeds"))
    found = runs(told[1].splitlines()[0])
    for line in FENCED.findall(section("Further runs"))[0][1].splitlines():
        assert not runs(line) & recorded if "not recorded yet" in line else runs(line) <= recorded, line
        found |= runs(line)
    assert recorded <= found


def test_what_the_further_runs_took_is_recorded():
    names = {"04": "04_blind_spot_bayes-smoke-s0-dataset=kodak24", "06": "06_patch_craft-laptop-s0-dataset=davis480p"}
    own = {key: records.read(records.COMMITTED / f"{name}.json") for key, name in names.items()}
    others = [records.read(path) for path in records.COMMITTED.glob("*=*.json") if path.stem not in names.values()]
    assert max(one.seconds for one in others) < 30 * 60 and 30 * 60 < own["04"].seconds < 60 * 60
    assert f"needed {own['06'].peak_memory_mb / 1000:.0f} GB" in " ".join(section("Further runs").split())


def test_the_phone_images_of_the_pages_are_recorded():
    record = records.read(records.COMMITTED / "07_pixel_shuffle-laptop-s0.json")
    table = {name: row["psnr"] for name, row in record.measured["phones"]["table"]["its own crops (phones)"].items()}
    assert f"from {table['noisy']:.1f} to {table['AP-BSN']:.1f} dB" in PROSE
    assert f"plain blind spot ends at {table['plain blind spot']:.1f}" in PROSE
    assert f"estimated level at {table['BM3D, estimated level']:.1f}" in PROSE
    assert f"best setting reaches {table['NL-means, calibrated']:.1f}" in PROSE
    assert f"noise's spectrum {table['BM3D, told the spectrum']:.1f}" in PROSE


def test_every_benchmark_s_numbers_say_which_question_they_answer_and_on_which_machine():
    for path in (ROOT / "benchmarks" / "results").glob("*.json"):
        script, found = ROOT / "benchmarks" / f"{path.stem}.py", json.loads(text(path))
        assert found["question"] == ast.get_docstring(ast.parse(text(script))).split("\n")[0], path.name
        assert found["machine"] and found["versions"], path.name


def test_a_benchmark_s_numbers_are_stored_with_where_they_come_from(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    outcome = importlib.import_module("outcome")
    monkeypatch.setattr(outcome, "folder", lambda: tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__doc__", "How fast is it?\n")
    outcome.store("speed", seconds=1.5)
    found = json.loads(text(tmp_path / "speed.json"))
    assert found["question"] == outcome.question() and found["seconds"] == 1.5
    assert (found["machine"], found["versions"]) == (provenance.machine(), provenance.versions())
    assert found["commit"].removesuffix("+") == provenance.commit().removesuffix("+")


def prose_of(number: str) -> str:
    (notebook,) = jobs.select([number])
    chapter = json.loads(text(notebook))
    return "\n".join("".join(cell["source"]) for cell in chapter["cells"] if cell["cell_type"] == "markdown")


def test_chapter_06_shows_what_the_benchmark_found_for_other_kinds_of_noise():
    found = json.loads(text(ROOT / "benchmarks" / "results" / "burst_kinds.json"))["kinds"]
    rows = re.findall(r"^\| [a-z].* \| (.+) \| (.+) \| (.+) \| (\d+) % \|$", prose_of("06"), re.MULTILINE)
    for kind, row in zip(found.values(), rows, strict=True):
        means = [float(np.mean(kind[what])) for what in ("all tiles", "filtered", "clean tiles", "kept")]
        assert [float(number) for number in row] == [*(round(mean, 1) for mean in means[:3]), round(100 * means[3])]


@pytest.mark.parametrize(
    ("number", "networks"),
    [
        ("08", ["LG-BPN"]),
        ("09", ["SSID", "SSID, S-2", "distilled"]),
        ("10", ["AP-BSN", "SSID, S-2", "distilled", "learned from clean photographs"]),
    ],
)
def test_chapters_say_what_networks_make_of_clean_pictures_as_the_benchmark_found(number, networks):
    found = json.loads(text(ROOT / "benchmarks" / "results" / "clean_input.json"))["psnr"]["phones, texture"]
    (said,) = re.findall(r"By `benchmarks/clean_input\.py`.*?\.\s", prose_of(number), re.DOTALL)
    expected = [f"{found[name][of]:.1f}" for name in networks for of in ("of clean", "of noisy")]
    assert re.findall(r"(\d+\.\d) dB", said) == expected


def test_chapter_04_shows_what_the_benchmark_found_on_bsd300():
    found, prose = json.loads(text(ROOT / "benchmarks" / "results" / "talk.json")), prose_of("04")
    ours, paper = found["psnr"]["BSD300"], found["published"]["BSD300"]
    classic = paper["CBM3D, told sigma"]
    numbers = {who: " | ".join(f"{row[name]:.2f}" for name in ours) for who, row in (("ours", ours), ("paper", paper))}
    assert f"| | {' | '.join(ours)} | CBM3D, told $\\sigma$ |" in prose
    assert f"| ours | {numbers['ours']} | – |\n| paper | {numbers['paper']} | {classic:.2f} |" in prose
    kodak = float(read_card("blind_spot_rgb_sigma25_long")["scores"]["kodak24, Gaussian(25)"].split(" dB")[0])
    below = found["published"]["kodak24"]["CBM3D, told sigma"] - kodak
    run = found["psnr"]["kodak24"]["CBM3D, told sigma"]
    assert f"{run:.2f} dB in our own run (`benchmarks/talk.py`)" in prose
    assert f"our full one is {ours['full'] - classic:.1f} dB above the paper's CBM3D" in prose
    assert f"on Kodak24 {below:.1f} below it and {run - kodak:.1f} below our own run of it" in prose


def test_chapter_04_says_of_the_regulariser_what_its_benchmark_found():
    rows = json.loads(text(ROOT / "benchmarks" / "results" / "regulariser.json"))["rows"]
    first, second = (
        rows["with it"][seed]["sigma 10"]["percent_above"] - rows["without it"][seed]["sigma 10"]["percent_above"]
        for seed in ("0", "1")
    )
    told = f"higher with it by {first:.0f} % of the truth with one seed, and lower by {-second:.0f} % with the other"
    assert told in prose_of("04")


def test_chapter_04_s_ladder_is_that_of_the_benchmark():
    rows = json.loads(text(ROOT / "benchmarks" / "results" / "lag.json"))["rows"]["2400 steps, seed 0"]
    steps = "Noise2Clean, depth 3", "Noise2Clean, two ways", "blind, clean targets", "blind, noisy targets"
    told = ["{:+.2f} ± {:.2f}".format(*rows[step]["distance"]) for step in steps]
    ladder = prose_of("04").partition("| from Noise2Clean on, one after the other |")[2].partition("\n\n")[0]
    assert re.findall(r"\| ([^|]+ ± [^|]+) \|", ladder) == told


def sentences() -> list[str]:
    """What the pages say of the benchmarks, as the benchmarks' files have it."""
    found = {path.stem: json.loads(text(path)) for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    psnr, seconds = found["denoise"]["psnr"], found["denoise"]["seconds_per_image"]
    plain = [value for name, value in psnr.items() if name.endswith("as it comes")]
    whole = found["blind_spot"]["whole_image"]
    network, bm3d = whole["TwoWayBlindSpotUNet, shipped weights"], whole["BM3D, true sigma"]
    ours, theirs = (found["noise2void"][name]["seconds_until"]["26 dB"] for name in ("dnlib", "CAREamics"))
    video, block = found["patch_craft"]["grid"]["sigma 20, kernel 3"], found["ssid"]["block"]
    level = min(row["level_within_10_percent"] for row in found["inspection"]["found"].values())
    estimated = "BM3D with estimated level"
    sure = {name: found["uncertainty"][name]["fresh draws"] for name in ("held_back", "counts_held_back")}
    all_held, counts = sure.values()
    real, white = sets_of_pictures()
    gray = [one for name, one in white.items() if name.startswith(("set12", "bsd68_gray"))]
    whole_photographs = [one for name, one in white.items() if name.startswith("kodak24, whole")]
    middles = [one for name, one in white.items() if name.startswith("kodak24, sigma")]
    near = sum(round(one["pictures"] * one["close_to_best"]) for one in gray)
    apart = [one["held_back"] for name, one in white.items() if one in gray and "sigma 25" in name]
    harmless, exact = found["harmless"], found["harmless"]["without_noise"]
    return [
        f"Of {harmless['cases']} pictures with white noise",
        f"{exact['unchanged']} of {exact['of']} without noise came back exactly",
        f"it reaches {psnr['dnlib.denoise']:.2f} dB in {seconds['dnlib.denoise']:.1f} s",
        f"reach {min(plain):.2f} to {max(plain):.2f} dB as they come",
        f"reaches {psnr[estimated]:.2f} dB in {seconds[estimated]:.1f} s",
        f"takes {network['seconds']:.1f} s ({network['psnr']:.2f} dB at σ = 25",
        f"told σ, {bm3d['psnr']:.2f} dB in {bm3d['seconds']:.1f} s",
        f"26 dB after {ours} s, CAREamics after {theirs} s",
        f"from {video['start']:.2f} to {video['adapted']:.2f} dB",
        f"noise's spectrum, {video['BM3D, true spectrum']:.2f} dB",
        f"takes {found['patches']['full size']['seconds']:.0f} s for seven frames",
        f"one pass: {block['SSID']:.1f} s",
        f"AP-BSN takes {block['AP-BSN']:.0f} s and LG-BPN {block['LG-BPN']:.0f} s",
        f"{found['training']['ratio']:.1f} times as fast as the plain float32 form",
        f"to 10 % on {100 * level:.0f} % of the Kodak",
        f"{100 * all_held['within_68']:.0f} % of the errors are below one such deviation and "
        f"{100 * all_held['within_95']:.0f} % below 1.96 of them",
        f"Its scale is {all_held['scale']:.2f} times the true one, and scatters by a factor of "
        f"{all_held['scale_scatter']:.2f}",
        f"too small for photon counts, {counts['scale']:.2f} times the true one",
        *(
            f"({real[name]['pictures']}) | "
            + " | ".join(f"{real[name][kind]:.1f}" for kind in ("noisy", "dnlib", "bm3d"))
            for name in real
        ),
        f"It takes {of_bm3d(real.values())} of BM3D's time",
        f"It takes {of_bm3d(whole_photographs)} of BM3D's time on whole photographs in colour, "
        f"{of_bm3d(middles)} on their middles, and {of_bm3d(gray)} in gray.",
        f"{near} of these {sum(one['pictures'] for one in gray)} gray pictures are within 0.3 dB of the best",
        f"{apart[0]['dnlib']:.2f} dB (BM3D {apart[0]['bm3d']:.2f} dB) and {apart[1]['dnlib']:.2f} dB "
        f"({apart[1]['bm3d']:.2f} dB)",
        *(
            f"{row['bought']:.2f} ± {(row['interval'][1] - row['interval'][0]) / 2:.2f} dB"
            for row in found["clean_or_pairs"]["rows"].values()
        ),
        f"{found['correlation']['ratios']['corrcoef']:.0f} times as fast as one `numpy.corrcoef`",
    ]


def of_bm3d(sets) -> str:
    """From the smallest to the largest share of BM3D's seconds."""
    shares = [one["seconds"] / one["bm3d_seconds"] for one in sets if "seconds" in one]
    return " to ".join(dict.fromkeys([f"{min(shares):.1f}", f"{max(shares):.1f}"]))


def test_how_often_the_level_is_right_is_as_measured():
    found = json.loads(text(ROOT / "benchmarks" / "results" / "one_image.json"))["found"]

    def right_of(names, called_rough):
        rows = [row for name in names for row in found[name].values()]
        levels = [pair for row in rows for pair in zip(row["ratios"], row["rough"], strict=True)]
        right = [abs(ratio - 1) < 0.15 for ratio, rough in levels if rough == called_rough]
        return sum(right), len(right)

    others = found.keys() - {"polyu"}
    right, pictures = right_of(others, False)
    assert f"of {pictures} pictures of phones, of microscopes and of simulated noise" in PROSE
    assert f"the level is right to 15 % on {right}." in PROSE and right_of(others, True) == (0, 0)
    sure, rough = right_of(["polyu"], False), right_of(["polyu"], True)
    assert f"right on {sure[0] + rough[0]} of {sure[1] + rough[1]}." in PROSE
    assert f"right on {sure[0]} of the {sure[1]} files of which that is not said" in PROSE
    assert f"and on {rough[0]} of the {rough[1]} of which it is." in PROSE


def sets_of_pictures() -> tuple[dict, dict]:
    """What any_picture found on real noise, and on white noise."""
    sets = json.loads(text(ROOT / "benchmarks" / "results" / "any_picture.json"))["sets"]
    white = {name: one for name, one in sets.items() if "sigma" in name}
    return {name: one for name, one in sets.items() if name not in white}, white


def test_white_noise_is_in_the_table_and_the_denoiser_ahead_in_every_row():
    white = sets_of_pictures()[1]
    for name, one in white.items():
        told = [f"{one['dnlib']:.2f}", f"{one['bm3d']:.2f}"]
        told += [f"{one['seconds']:.1f}", f"{one['bm3d_seconds']:.1f}"] if "seconds" in one else ["", ""]
        ending = " | ".join([f"({one['pictures']})", name.rpartition(" ")[2], *told])
        assert " ".join(ending.split()) in PROSE and one["dnlib"] > one["bm3d"], name


CAMERAS = "kodak24, camera at ISO 1600", "kodak24, camera at ISO 3200, JPEG"


def test_none_came_out_worse_and_how_often_the_choice_is_good_is_said():
    sets, white = sets_of_pictures()
    real = sets.values()
    assert min(one["worst_gain"] for one in white.values()) >= 0
    pictures = sum(one["pictures"] for one in real)
    close = sum(round(one["pictures"] * one["close_to_best"]) for one in real)
    assert f"None of these {pictures} came out worse" in PROSE and min(one["worst_gain"] for one in real) >= 0
    assert f"{close} of them are within 0.3 dB of the best candidate" in PROSE
    held = [one["held_back"] for one in real]
    close = sum(round(one["pictures"] * one["close_to_best"]) for one in held)
    assert f"Of the {sum(one['pictures'] for one in held)} held back {close} are within 0.3 dB of the best" in PROSE
    *first, last = [
        f"{sets[name]['held_back']['gain']:.1f}"
        for name in ("sidd_textured", "sidd_val_crops", "polyu", *CAMERAS, "fmd", "fluorescence")
    ]
    assert f"the gains of these sets are {', '.join(first)} and {last} dB" in PROSE
    assert json.loads(text(ROOT / "benchmarks" / "results" / "harmless.json"))["harmed"] == 0
    assert "none came out more than 0.1 dB worse" in PROSE


def test_what_training_further_on_a_picture_gains_is_said():
    found = json.loads(text(ROOT / "benchmarks" / "results" / "adapt.json"))
    one, burst = found["adapted"], found["adapted to the burst"]
    numbers = {2: "two", 3: "three", 4: "four"}
    videos = numbers[min(int(told.split()[-1]) for told in one["kept"].values())]
    assert f"On five frames each of {videos} videos" in PROSE
    assert f"a minute of it gained {one['gain']['sigma 25']:.2f} dB where the noise was white" in PROSE
    shared = [told for way in (one, burst) for noise, told in way["kept"].items() if noise != "sigma 25"]
    assert all(told.startswith("0 of") for told in shared) and "no network was kept, with `--burst` or without" in PROSE


@pytest.mark.parametrize("sentence", sentences())
def test_the_speed_and_quality_that_the_pages_name_were_measured(sentence):
    assert sentence in PROSE
