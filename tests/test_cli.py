import os
import re
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from dnlib import course, denoise, training
from dnlib.cli import main
from dnlib.course import jobs, load_claims, runner
from dnlib.denoiser import learned
from dnlib.images import Picture, datasets, photo, places, read, write
from dnlib.zoo import provenance, several, trainer


@pytest.fixture
def noisy_file(tmp_path, rng):
    pixels = np.clip(255 * photo("astronaut")[:48, 100:160] + 25 * rng.standard_normal((48, 60, 3)), 0, 255)
    write(tmp_path / "noisy.png", Picture.of(pixels.astype(np.uint8)))
    return tmp_path / "noisy.png"


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def refused(result, *fragments):
    """Exit status 2, one error line that holds all fragments, no traceback."""
    error = [line for line in result.output.splitlines() if line.startswith("Error: ")]
    return result.exit_code == 2 and len(error) == 1 and all(fragment in result.output for fragment in fragments)


def test_denoise_writes_the_picture_and_says_what_it_chose(noisy_file, tmp_path):
    result = call("denoise", noisy_file, "-o", tmp_path / "out.png", "--report", tmp_path / "page.html")
    assert result.exit_code == 0, result.output
    assert "is left" in result.output and (tmp_path / "page.html").is_file()
    before, after = read(noisy_file).pixels, read(tmp_path / "out.png").pixels
    assert after.dtype == before.dtype and after.shape == before.shape and (after != before).any()


def test_nothing_is_overwritten_without_force(noisy_file, tmp_path):
    for name in ("out.png", "page.html"):
        (tmp_path / name).write_text("precious")
    assert refused(call("denoise", noisy_file, "-o", tmp_path / "out.png"), "exists", "--force")
    assert refused(call("denoise", noisy_file, "-o", tmp_path / "b.png", "--report", tmp_path / "page.html"), "exists")
    assert (tmp_path / "out.png").read_text() == (tmp_path / "page.html").read_text() == "precious" and not (
        tmp_path / "b.png"
    ).exists()
    assert call("denoise", noisy_file, "-o", tmp_path / "out.png", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("content", "name", "fragments"),
    [
        (b"", "empty.png", ["cannot be read"]),
        (b"just text", "text.png", ["text.png cannot be read"]),
        (None, "missing.png", ["missing.png is not there"]),
        (b"x", "picture.webp", ["'.webp'", ".png"]),
    ],
)
def test_bad_files_are_one_line_and_leave_nothing_behind(tmp_path, content, name, fragments):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert refused(call("denoise", tmp_path / name, "-o", tmp_path / "out.png"), *fragments)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(
    ("pixels", "fragment"),
    [
        (np.zeros((0, 5)), "8x8"), (np.ones((1, 1)), "8x8"), (np.ones((30, 30)), "constant"),
        (np.full((30, 30), np.nan), "NaN"), (np.zeros(30), "[30]"), (np.array([["a"] * 9] * 9), "type"),
    ],
)  # fmt: skip
def test_bad_images_are_one_line(tmp_path, pixels, fragment):
    np.save(tmp_path / "a.npy", pixels)
    assert refused(call("denoise", tmp_path / "a.npy", "-o", tmp_path / "out.npy"), fragment)
    assert not (tmp_path / "out.npy").exists()


def test_an_empty_name_is_not_the_current_folder(noisy_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for arguments in (["", "-o", "out"], [noisy_file, "-o", ""], [noisy_file, "-o", "a.png", "--report", ""]):
        assert refused(call("denoise", *arguments), "an empty name was given")
    assert [path.name for path in tmp_path.iterdir()] == ["noisy.png"]


def test_what_noise_cannot_be_measured_of_is_told(tmp_path):
    np.save(tmp_path / "a.npy", np.full((80, 80), 5.0))
    assert refused(call("noise", tmp_path / "a.npy"), "every value is 5): there is no noise in it")
    assert refused(call("noise", tmp_path / "a.npy", "--clean", tmp_path), "two folders are measured together")


def test_bad_destinations_are_one_line(noisy_file, tmp_path):
    assert refused(call("denoise", noisy_file, "-o", tmp_path / "no" / "out.png"), "no folder")
    assert refused(call("denoise", noisy_file, "-o", tmp_path), "folder")
    for page in (tmp_path / "same.html", tmp_path / "page.png"):
        assert refused(call("denoise", noisy_file, "-o", tmp_path / "same.html", "--report", page), ".html")
    assert [path.name for path in tmp_path.iterdir()] == ["noisy.png"]
    assert refused(call("denoise", noisy_file, "-o", tmp_path / "out.gif"), ".gif")
    assert refused(call("denoise", noisy_file, "-o", tmp_path / "out.png", "--filter", "magic"), "magic", "nl_means")


@pytest.mark.parametrize(
    ("arguments", "fragments"),
    [
        (["run", "77"], ["'77'", "00_start_here"]),
        (["run", "--profile", "huge"], ["'huge'", "smoke, laptop or paper"]),
        (["run", "01", "-p", "noise_sdt", "1"], ["'noise_sdt'", "noise_std"]),
        (["run", "01", "-p", "noise_std", "loud"], ["'noise_std' is of type float"]),
        (["run", "00", "01", "-p", "noise_std", "0.2"], ["00_start_here has no parameter"]),
        (["run", "--seed", "-4"], ["-4 is not in the range"]),
        (["run", "01", "--device", "tpu"], ["the device can be auto, cpu", "'tpu' was given"]),
        (["run", "01", "--device", "tpu", "--cluster", "tcp://127.0.0.1:9"], ["'tpu' was given"]),
        (
            ["run", "01", "--in-place", "-p", "nope", "1", "--profile", "huge", "--seed", "5", "--publish"],
            ["without other options; --profile, --publish, --seed, -p were given"],
        ),
        (["data", "imagenet"], ["'imagenet'", "kodak24"]),
        (["data", "kodak"], ["Did you mean 'kodak24'?"]),
        (["claims", "nowhere"], ["no records", "dnlib run"]),
        (["report", "nowhere"], ["no records"]),
    ],
)
def test_wrong_requests_are_one_line_before_anything_runs(arguments, fragments, monkeypatch):
    for name in ("execute", "execute_in_place"):
        monkeypatch.setattr(runner, name, lambda *_: pytest.fail("something ran"))
    assert refused(call(*arguments), *fragments)


def test_a_mistake_in_the_claims_is_told_before_anything_runs(monkeypatch, tmp_path):
    (tmp_path / "claims.yaml").write_text("- {id: c, colour: red}")
    monkeypatch.setattr(course, "load_claims", lambda: load_claims(tmp_path / "claims.yaml"))
    monkeypatch.setattr(runner, "execute", lambda *_: pytest.fail("something ran"))
    assert refused(call("run", "00", "--profile", "smoke", "--out", tmp_path), "an entry that is not a claim")


def test_a_folder_in_use_is_refused(tmp_path):
    with runner.reserved(tmp_path):
        assert refused(call("run", "00", "--profile", "smoke", "--out", tmp_path), "another run is writing")


def test_a_failing_chapter_gives_a_failing_status_and_is_named(tmp_path, monkeypatch):
    def execute(job, observe):
        failed = job.chapter.startswith("00")
        return jobs.Outcome(job, "failed" if failed else "ok", cell=7 if failed else None, error="ValueError: no")

    monkeypatch.setattr(runner, "execute", execute)
    result = call("run", "--profile", "smoke", "--out", tmp_path)
    assert result.exit_code == 1
    assert "FAILED" in result.output and "00_start_here, cell 7: ValueError: no" in result.output
    assert "01_donut_vs_classic-smoke-s0: done" in result.output and (tmp_path / "report.html").is_file()


def test_ctrl_c_has_status_130_where_nothing_is_written(monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("dnlib.images.files_of", interrupted)
    said = CliRunner().invoke(main, ["noise", "a.png", "b.png"])
    assert said.exit_code == 130 and said.output == "interrupted\n"


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_ctrl_c_ends_quietly_with_status_130_and_frees_the_folder(tmp_path):
    program = [sys.executable, "-m", "dnlib", "run", "00", "--profile", "smoke", "--out", str(tmp_path)]
    process = subprocess.Popen(
        program,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test's process may ignore it
    )
    line = ""
    while "00_start_here" not in line:
        line = process.stdout.readline()
        assert line, "the run ended before it began"
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in output and "Traceback" not in output
    assert not list((tmp_path / "notebooks").iterdir()) and not list((tmp_path / "records").iterdir())
    with runner.reserved(tmp_path):
        pass


def test_the_committed_claims_can_be_listed():
    result = call("claims")
    assert result.exit_code == 0 and "held" in result.output


def test_datasets_are_listed_and_the_doctor_finds_no_break():
    assert "kodak24" in call("data").output
    result = call("doctor")
    assert result.exit_code == 0, result.output
    assert "Jupyter kernel" in result.output and "datasets" in result.output


def test_only_what_dnlib_itself_refuses_is_one_line(monkeypatch, tmp_path):
    """A ValueError of NumPy, of Python or of an unpacking is a bug, and its traceback is what one needs."""

    def bug(*_):
        int("no number")

    def numpy_bug(*_):
        np.zeros(3).reshape(2, 2)

    def own_bug(name):
        _, _ = (name,)

    monkeypatch.setattr(datasets, "fetch", lambda *_, **options: pytest.fail("something was fetched"))
    for mistake in (bug, numpy_bug, own_bug):
        with monkeypatch.context() as context:
            context.setattr(datasets, "find", mistake)
            result = call("data", "kodak24")
        assert result.exit_code == 1 and type(result.exception) is ValueError, result.output
    assert refused(call("data", "imagenet"), "imagenet")
    result = call("--traceback", "data", "imagenet")
    assert result.exit_code == 1 and "imagenet" in str(result.exception)
    (tmp_path / "folder.npy").mkdir()
    assert refused(call("denoise", tmp_path / "folder.npy", "-o", tmp_path / "out.npy"), "folder.npy")


@pytest.mark.parametrize(
    "arguments",
    [["run"], ["report"], ["claims"], ["run", "--in-place"], ["train", "noise2noise_rgb_sigma25", "--publish"]],
)
def test_outside_of_a_checkout_what_needs_one_says_so(arguments, monkeypatch, tmp_path):
    monkeypatch.setattr(places, "ROOT", tmp_path)
    assert refused(call(*arguments), "works in a checkout of the repository")


def test_smoke_is_not_published(monkeypatch):
    monkeypatch.setattr(runner, "execute", lambda *_: pytest.fail("something ran"))
    assert refused(call("run", "00", "--profile", "smoke", "--publish"), "tests the code alone; --publish takes")
    monkeypatch.setattr(provenance, "commit", lambda: "abc+")
    assert refused(call("run", "00", "--publish"), "differ from it; commit them")


@pytest.mark.parametrize("device", ["tpu", "cuda:99", "cuda:first"])
@pytest.mark.parametrize("filter", ["auto", "median", "blind_spot"])
def test_a_device_that_is_not_there_is_one_line(device, filter, noisy_file, tmp_path):
    arguments = ["-o", tmp_path / "out.png", "--filter", filter, "--device", device]
    assert refused(call("denoise", noisy_file, *arguments), repr(device))
    with pytest.raises(ValueError, match=repr(device)):
        denoise(np.zeros((32, 32)), filter=filter, device=device)
    assert [path.name for path in tmp_path.iterdir()] == ["noisy.png"]


@pytest.mark.parametrize("option", [["--device", "tpu"], ["--filter", "magic"], ["--dtype", "int3"]])
@pytest.mark.parametrize("cluster", [[], ["--cluster", "tcp://127.0.0.1:9"]])
def test_a_request_that_no_file_can_meet_is_refused_once_and_leaves_no_folder(option, cluster, noisy_file, tmp_path):
    (tmp_path / "other.png").write_bytes(noisy_file.read_bytes())
    result = call("denoise", noisy_file, tmp_path / "other.png", "-o", tmp_path / "out", *option, *cluster)
    assert refused(result, repr(option[1])) and result.output.count(repr(option[1])) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("more", [[], ["--more", "2h"], ["--plan"], ["--seed", "1", "--seed", "2"]])
@pytest.mark.parametrize("cluster", [[], ["--cluster", "tcp://127.0.0.1:9"]])
def test_a_training_on_a_device_that_no_machine_has_is_refused_once(more, cluster, monkeypatch):
    monkeypatch.setattr(trainer, "train", lambda *_, **__: pytest.fail("something ran"))
    result = call("train", "noise2noise_rgb_sigma25", "--device", "tpu", *more, *([] if "--plan" in more else cluster))
    assert refused(result, "'tpu' was given") and result.output.count("'tpu'") == 1


@pytest.mark.parametrize("device", ["cpu", "cuda:1", "mps"])
def test_the_device_asked_for_is_the_device_used(device, noisy_file, tmp_path, monkeypatch):
    asked = []

    def nowhere(*arguments, device=None, **options):
        asked.append(device or arguments[-1])
        raise KeyboardInterrupt

    monkeypatch.setattr(learned, "method_of", nowhere)
    monkeypatch.setattr(trainer, "train", nowhere)
    monkeypatch.setattr(training, "choose_device", lambda device, **_: device)
    monkeypatch.setattr(several, "choose_device", lambda device, **_: device)
    call("denoise", noisy_file, "-o", tmp_path / "out.png", "--filter", "blind_spot", "--device", device)
    call("train", "noise2noise_rgb_sigma25", "--device", device)
    assert asked == [device] * 2


def test_what_cannot_be_kept_is_named_and_options_tell_what_a_file_is(tmp_path, rng):
    pixels = np.clip(rng.normal(0.5, 0.1, (3, 70, 72)), 0, 1)
    np.save(tmp_path / "a.npy", pixels)
    assert refused(call("denoise", tmp_path / "a.npy", "-o", tmp_path / "b.tif"), "--axes CYX or TYX")
    told = ["--axes", "CYX", "--filter", "median", "--dtype", "float32"]
    result = call("denoise", tmp_path / "a.npy", "-o", tmp_path / "b.tif", *told)
    assert result.exit_code == 0 and "channel 2: median" in result.output, result.output
    assert read(tmp_path / "b.tif").pixels.dtype == np.float32
    result = call("noise", tmp_path / "a.npy", "--axes", "CYX")
    assert result.exit_code == 0 and "channel 1: Noise of standard deviation 2" in result.output, result.output
    Image.fromarray((255 * pixels[0]).astype(np.uint8)).save(tmp_path / "c.png", dpi=(300, 300), icc_profile=b"profile")
    result = call("denoise", tmp_path / "c.png", "-o", tmp_path / "d.npy", "--filter", "median")
    assert result.exit_code == 0 and "left out: colour profile, resolution" in result.output, result.output
    result = call("noise", tmp_path / "c.png", "--range", 0, 4095)
    assert "of 4095" in result.output
    assert refused(call("denoise", tmp_path / "c.png", "-o", tmp_path / "e.png", "--dtype", "float32"), "write .tif")
    assert refused(call("noise", tmp_path / "c.png", "--range", 9, 9), "from black up to white")


def test_names_that_no_encoding_has_are_no_obstacle(noisy_file, tmp_path):
    name = tmp_path / os.fsdecode(b"caf\xe9.png")
    noisy_file.rename(name)
    out = tmp_path / os.fsdecode(b"out\xe9.png")
    result = call("denoise", name, "-o", out, "--filter", "median", "--report", tmp_path / "page.html")
    assert result.exit_code == 0 and out.exists() and (tmp_path / "page.html").exists(), result.output


def test_the_longest_name_is_written(noisy_file, tmp_path):
    assert call("denoise", noisy_file, "-o", tmp_path / f"{'a' * 251}.png", "--filter", "median").exit_code == 0


def test_denoise_without_arguments_explains_itself_with_an_example_that_runs(tmp_path, monkeypatch):
    said = CliRunner().invoke(main, ["denoise"])
    assert said.exit_code == 0
    monkeypatch.chdir(tmp_path)
    exec(re.search(r'python -c "(.*)"', said.output)[1], {})
    command = re.search(r"^  dnlib (denoise noisy.png .*)$", said.output, re.MULTILINE)[1]
    done = CliRunner().invoke(main, [*shlex.split(command), "--filter", "median"])  # quickly
    assert done.exit_code == 0, done.output
    assert {path.name for path in tmp_path.iterdir()} == {"noisy.png", "denoised.png", "report.html"}


def test_denoise_says_that_it_needs_a_place_for_the_result():
    said = CliRunner().invoke(main, ["denoise", "a.png"])
    assert said.exit_code == 2 and "say where the result goes: dnlib denoise a.png -o denoised.png" in said.output
