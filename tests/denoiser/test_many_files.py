"""Many files in one call, stacks frame by frame, and files that are written whole or not at all."""

import os
import signal
import sys
import tempfile
import tracemalloc
from functools import partial

import numpy as np
import PIL.Image
import pytest
import tifffile
from click.testing import CliRunner
from distributed import LocalCluster
from endings import ended

from dnlib.cli import main
from dnlib.denoiser import Choice, denoise_file, denoise_files, denoise_picture
from dnlib.denoiser.lessons import SIDE
from dnlib.denoiser.sampling import MARGIN, TILE
from dnlib.denoiser.shots import SMALLEST
from dnlib.images import Picture, Stack, opened, photo, read, write, writing
from dnlib.noise import inspect_files

OPTIONS = {"filter": "median"}


@pytest.fixture
def shots(tmp_path, rng):
    """A folder with frames 1, 2 and 10, and what is no picture."""
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in (1, 2, 10):
        write(folder / f"f_{number}.png", Picture.of(rng.integers(90, 160, (24, 20)).astype(np.uint8)))
    (folder / ".hidden.png").write_text("hidden")
    return folder


def stack_file(path, rng, count=5, **options):
    frames = rng.normal(1000, 50, (count, 40, 48)).astype(np.uint16)
    tifffile.imwrite(path, frames, photometric="minisblack", metadata={"axes": "TYX"}, **options)
    return path


def call(*arguments):
    return CliRunner().invoke(main, ["denoise", *map(str, arguments), "--filter", "median"])


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_on_a_cluster_files_come_out_as_alone_and_one_that_is_refused_stops_no_other(shots, tmp_path):
    (shots / "broken.png").write_bytes(b"no picture")
    list(denoise_files([shots], tmp_path / "alone", **OPTIONS))
    workers = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**workers, protocol="inproc://") as local:
        done = list(denoise_files([shots], tmp_path / "there", cluster=local.scheduler_address, **OPTIONS))
    assert {one.image.name for one in done if one.refusal} == {"broken.png"} and len(done) == 4
    for number in (1, 2, 10):
        alone, there = (tmp_path / folder / f"f_{number}.png" for folder in ("alone", "there"))
        assert there.read_bytes() == alone.read_bytes()


def test_a_folder_is_denoised_in_natural_order_as_each_file_alone(shots, tmp_path):
    done = list(denoise_files([shots], tmp_path / "out", **OPTIONS))
    assert [one.image.name for one in done] == ["f_1.png", "f_2.png", "f_10.png"] and not any(d.refusal for d in done)
    for one in done:
        denoise_file(one.image, tmp_path / "alone.png", overwrite=True, **OPTIONS)
        assert (tmp_path / "out" / one.image.name).read_bytes() == (tmp_path / "alone.png").read_bytes()
    assert len(list((tmp_path / "out").iterdir())) == 3


@pytest.mark.parametrize(
    ("scenes", "shape", "told_of"),
    [
        (["camera"] * 4, (SMALLEST, 200, 3), True),
        (["camera", "coins", "moon", "brick"], (SMALLEST, 200, 3), False),
        (["camera"] * 4, (SMALLEST, 200), False),  # a network could not learn from gray
        (["camera"] * 4, (SMALLEST - 1, 200, 3), False),  # nor from so little
    ],
)
def test_shots_of_one_scene_are_recognised_once(tmp_path, rng, scenes, shape, told_of):
    (tmp_path / "shots").mkdir()
    for number, name in enumerate(scenes):
        scene = photo(name)[number : number + shape[0], 2 * number : 2 * number + shape[1]]
        noisy = scene.reshape(*scene.shape, *[1 for _ in shape[2:]]) + rng.normal(0, 0.1, shape)
        np.save(tmp_path / "shots" / f"{number}.npy", noisy)
    done = list(denoise_files([tmp_path / "shots"], tmp_path / "out", **OPTIONS))
    told = [(one.image.name, note) for one in done for note in one.notes if "one scene" in note]
    if not told_of:
        assert not told
    else:
        ((name, note),) = told
        assert name == "2.npy" and note.startswith("0.npy, 1.npy and 2.npy look like shots of one scene")
        assert "Patch-Craft, chapter 06" in note


@pytest.mark.parametrize("what", ["-o", "--report"])
def test_a_folder_that_cannot_be_written_is_told_once_and_leaves_no_other_behind(shots, tmp_path, monkeypatch, what):
    locked, other = tmp_path / "locked", tmp_path / "other"
    locked.mkdir()

    def refuse(dir):
        if dir == locked:
            raise PermissionError

        return tempfile.NamedTemporaryFile(dir=dir)

    monkeypatch.setattr(writing.tempfile, "TemporaryFile", refuse)
    for folder in (locked, locked / "new"):
        said = call(shots, "-o", other, what, folder)
        assert said.exit_code == 2 and said.output.count("nothing can be written into the folder") == 1, said.output
        assert not other.exists() and not any(locked.iterdir())


def test_shots_are_large_enough_for_what_is_advised():
    assert SMALLEST == TILE + MARGIN + SIDE


def test_a_bmp_of_a_folder_becomes_a_png(shots, tmp_path, rng):
    PIL.Image.fromarray(rng.integers(90, 160, (24, 20)).astype(np.uint8)).save(shots / "f_11.bmp")
    done = list(denoise_files([shots], tmp_path / "out", **OPTIONS))
    assert (done[-1].image.name, done[-1].refusal, len(done)) == ("f_11.bmp", "", 4)
    assert read(tmp_path / "out" / "f_11.png").first.shape == (24, 20)
    write(shots / "f_11.png", Picture.of(rng.integers(90, 160, (24, 20)).astype(np.uint8)))
    with pytest.raises(ValueError, match="would both become"):
        list(denoise_files([shots], tmp_path / "out", overwrite=True, **OPTIONS))


def test_a_pattern_names_files_and_a_refused_one_stops_no_other(shots, tmp_path):
    (shots / "f_3.png").write_text("no picture")
    result = call(shots / "f_*.png", tmp_path / "missing.png", "-o", tmp_path / "out")
    assert result.exit_code == 2 and "Error: 2 of 5 files were refused" in result.output, result.output
    assert "f_3.png cannot be read" in result.output and "missing.png is not there" in result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["f_1.png", "f_10.png", "f_2.png"]


@pytest.mark.parametrize(
    ("images", "output", "message"),
    [
        (["shots"], "shots/out", "lies in the folder"),
        (["shots"], "shots", "lies in the folder"),
        (["shots/f_1.png"], "shots/f_1.png", "one of the files that are read"),
        (["shots/f_1.png", "shots/f_2.png"], "shots", "one of the files that are read"),
        (["shots"], "out.tif", "goes into a folder"),
        (["shots"], "no/out", "no folder"),
        (["shots/*.tif"], "out", "no file is called like"),
        (["empty"], "out", "holds no image file"),
    ],
)
def test_what_would_write_over_something_is_refused_before_any_work(shots, tmp_path, images, output, message):
    (tmp_path / "empty").mkdir()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises((ValueError, OSError), match=message):
        list(denoise_files([tmp_path / image for image in images], tmp_path / output, overwrite=True, **OPTIONS))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_bar_is_there_before_anything_is_loaded_that_takes_seconds(shots, tmp_path, monkeypatch, capsys):
    class Loaded(type(sys)):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            raise ValueError(f"{name} is wanted; shown: {capsys.readouterr().err}")

    monkeypatch.setitem(sys.modules, "dnlib.denoiser.plan", Loaded("plan"))
    with pytest.raises(ValueError, match=r"check_request is wanted; shown: \s*files: +0%"):
        list(denoise_files([shots], tmp_path / "out", progress=True, **OPTIONS))


def test_pages_and_deviations_of_several_go_into_folders(shots, tmp_path):
    beside = {"report": tmp_path / "pages", "uncertainty": tmp_path / "deviations"}
    done = list(denoise_files([shots], tmp_path / "out", **beside, **OPTIONS))
    names = [one.image.name for one in done]
    assert sorted(path.name for path in beside["report"].iterdir()) == sorted(f"{name}.html" for name in names)
    for name in names:
        assert name in (beside["report"] / f"{name}.html").read_text()
        deviation = read(beside["uncertainty"] / f"{name}.tif").pixels
        assert deviation.shape == read(tmp_path / "out" / name).pixels.shape and deviation.min() >= 0


@pytest.mark.parametrize(
    ("what", "path", "message"),
    [
        ("report", "page.html", "goes into a folder; .*page.html would be a file"),
        ("uncertainty", "std.tif", "goes into a folder; .*std.tif would be a file"),
        ("report", "shots/pages", "that is read; name a folder outside it"),
        ("report", "no/pages", "there is no folder"),
    ],
)
def test_what_cannot_be_such_a_folder_is_refused_before_the_work(shots, tmp_path, what, path, message):
    with pytest.raises((ValueError, OSError), match=message):
        list(denoise_files([shots], tmp_path / "out", **{what: tmp_path / path}, **OPTIONS))
    assert list(tmp_path.iterdir()) == [shots]


@pytest.mark.parametrize("where", [".", "out"])
def test_deviations_take_the_place_of_nothing(tmp_path, rng, where):
    """Of a.png they would be a.png.tif, which is another picture, or what becomes of it."""
    files = [tmp_path / "a.png", tmp_path / "a.png.tif"]
    for file in files:
        write(file, Picture.of(rng.integers(90, 160, (24, 20)).astype(np.uint8)))
    before = files[1].read_bytes()
    with pytest.raises(ValueError, match=r"a\.png\.tif is a file that is read, or a result; .*for --uncertainty"):
        list(denoise_files(files, tmp_path / "out", uncertainty=tmp_path / where, overwrite=True, **OPTIONS))
    assert files[1].read_bytes() == before and sorted(tmp_path.iterdir()) == files


@pytest.mark.parametrize("options", [{}, {"compression": "deflate"}, {"imagej": True}, {"byteorder": ">"}])
def test_a_stack_read_frame_by_frame_becomes_what_it_becomes_at_once(tmp_path, rng, options):
    path = stack_file(tmp_path / "a.tif", rng, **options)
    with opened(path) as stack:
        assert isinstance(stack, Stack) and stack.count == 5
    denoise_file(path, tmp_path / "out.tif", **OPTIONS)
    whole, choice = denoise_picture(read(path), **OPTIONS)
    np.testing.assert_array_equal(read(tmp_path / "out.tif").pixels, whole.pixels)
    write(tmp_path / "whole.tif", whole)
    assert (tmp_path / "out.tif").read_bytes() == (tmp_path / "whole.tif").read_bytes()
    assert isinstance(choice, Choice)


def test_fifty_frames_take_the_memory_of_ten(tmp_path, rng):
    peaks = []
    for count in (10, 10, 50, 50):  # the first of each may fill what is kept
        write(tmp_path / "a.tif", Picture.of(rng.normal(1000, 50, (count, 64, 64)).astype(np.uint16)), overwrite=True)
        tracemalloc.start()
        denoise_file(tmp_path / "a.tif", tmp_path / "out.tif", overwrite=True, filter="median")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert min(peaks[2:]) < peaks[1] + 15 * 64 * 64 * 2, peaks  # of 80 frames more, read and written


def test_a_stack_cut_off_anywhere_is_refused_and_leaves_nothing(tmp_path, rng):
    whole = stack_file(tmp_path / "whole.tif", rng).read_bytes()
    for cut in rng.integers(0, len(whole) - 200, 12):
        (tmp_path / "cut.tif").write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"cut\.tif cannot be read"):
            denoise_file(tmp_path / "cut.tif", tmp_path / "out.tif", **OPTIONS)
    assert not (tmp_path / "out.tif").exists()


def test_nan_in_a_frame_is_refused_with_its_number_and_the_files_name(tmp_path, rng):
    frames = rng.normal(0, 1, (12, 24, 20)).astype(np.float32)
    frames[7, 3, 4] = np.nan
    np.save(tmp_path / "a.npy", frames)
    with pytest.raises(ValueError, match=r"a\.npy: frame 7 holds 1 NaN"):
        denoise_file(tmp_path / "a.npy", tmp_path / "out.npy", **OPTIONS)
    denoise_file(tmp_path / "a.npy", tmp_path / "out.npy", ignore_nan=True, **OPTIONS)
    assert np.isnan(np.load(tmp_path / "out.npy")).sum() == 1


def test_a_jpeg_left_as_it_is_is_copied_and_another_is_said_to_be_encoded_again(tmp_path):
    clean = (255 * photo("camera")[100:292, 100:292]).astype(np.uint8)
    PIL.Image.fromarray(clean).save(tmp_path / "a.jpg", quality=98)
    done = denoise_file(tmp_path / "a.jpg", tmp_path / "out.jpg")
    assert "left as it is" in done.lines[0] and not any("JPEG again" in note for note in done.notes)
    assert (tmp_path / "out.jpg").read_bytes() == (tmp_path / "a.jpg").read_bytes()
    done = denoise_file(tmp_path / "a.jpg", tmp_path / "median.jpg", **OPTIONS)
    assert sum("JPEG again" in note for note in done.notes) == 1


def test_photon_counts_are_refused_with_the_files_name(tmp_path, rng):
    write(tmp_path / "a.tif", Picture.of(rng.poisson(0.4, (3, 40, 48)).astype(np.uint16), axes="TYX"))
    for work in (partial(denoise_file, output=tmp_path / "out.tif"), inspect_files):
        with pytest.raises(ValueError, match=r"^[^:]*a\.tif: the image holds photon counts"):
            work(tmp_path / "a.tif")


@pytest.mark.skipif(os.name == "nt", reason="limits and signals differ")
@pytest.mark.parametrize("name", ["out.tif", "out.npy"])
def test_a_disk_that_fills_up_leaves_nothing_and_one_line(tmp_path, rng, name):
    path = stack_file(tmp_path / "a.tif", rng, count=20)
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OSError, match="was not written: the disk is full"):
            denoise_file(path, tmp_path / name, **OPTIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_without_room_is_told_before_the_work(tmp_path, rng, monkeypatch):
    path = stack_file(tmp_path / "a.tif", rng)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(writing.shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(ValueError, match="its disk has 1e-06 GB left"):
        denoise_file(path, tmp_path / "out.tif", **OPTIONS)


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_end_from_outside_leaves_whole_files_only(tmp_path, rng, number, status):
    """Sent when the second stack is half written."""
    for name in ("a.tif", "b.tif"):
        stack_file(tmp_path / name, rng)
    found = ended(tmp_path, number, "denoise", "a.tif", "b.tif", "-o", "out", "--filter", "median")
    assert found.returncode == status and "Traceback" not in found.stderr, found.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.tif"]
    assert read(tmp_path / "out" / "a.tif").count == 5
