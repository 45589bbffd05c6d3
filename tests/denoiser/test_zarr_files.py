"""Zarrs denoised: frame by frame as at once, whole or not at all, and never over what is read."""

import os
import signal
import tracemalloc

import numpy as np
import pytest
import tifffile
from click.testing import CliRunner
from endings import SOON, ended

from dnlib.cli import main
from dnlib.denoiser import denoise_file, denoise_files, denoise_picture
from dnlib.images import Picture, read, write

zarr = pytest.importorskip("zarr", minversion="3", reason='needs pip install "dnlib[zarr]"')

OPTIONS = {"filter": "median"}


def stack(path, rng, axes="TYX", count=5):
    lengths = {"T": count, "C": 2, "Z": 3, "Y": 40, "X": 48}
    pixels = rng.normal(1000, 50, [lengths[letter] for letter in axes]).astype(np.uint16)
    write(path, Picture.of(pixels, axes=axes))
    return path


def everything(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


@pytest.mark.parametrize("axes", ["TYX", "CYX", "TCZYX", "ZYX"])
@pytest.mark.parametrize("ending", [".zarr", ".tif", ".npy"])
def test_frame_by_frame_gives_what_it_gives_at_once(tmp_path, rng, axes, ending):
    path = stack(tmp_path / "a.zarr", rng, axes)
    denoise_file(path, tmp_path / f"out{ending}", **OPTIONS)
    whole, _ = denoise_picture(read(path), **OPTIONS)
    back = read(tmp_path / f"out{ending}", axes=axes if ending == ".npy" else None)
    order = [back.axes.index(letter) for letter in axes]
    assert sorted(back.axes) == sorted(axes)
    np.testing.assert_array_equal(np.transpose(back.pixels, order), whole.pixels)
    if ending == ".zarr":
        assert back.axes == axes and not np.array_equal(back.pixels, read(path).pixels)


def test_a_tiff_becomes_a_zarr_and_what_is_lost_is_named(tmp_path, rng):
    frames = rng.normal(1000, 50, (5, 40, 48)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", frames, ome=True, metadata={"axes": "TYX", "PhysicalSizeX": 0.25})
    done = denoise_file(tmp_path / "a.tif", tmp_path / "out.zarr", **OPTIONS)
    assert "out.zarr: left out: OME-XML" in done.notes
    back = read(tmp_path / "out.zarr")
    assert back.axes == "TYX" and {one.letter: one[1:3] for one in back.metadata.sizes}["X"] == (0.25, "micrometer")
    denoise_file(tmp_path / "a.tif", tmp_path / "out.tif", **OPTIONS)
    np.testing.assert_array_equal(back.pixels, read(tmp_path / "out.tif").pixels)


def test_fifty_frames_take_the_memory_of_ten(tmp_path, rng):
    peaks = []
    for count in (10, 10, 50, 50):  # the first of each may fill what is kept
        frames = rng.normal(1000, 50, (count, 64, 64)).astype(np.uint16)
        write(tmp_path / "a.zarr", Picture.of(frames, axes="TYX"), overwrite=True)
        tracemalloc.start()
        denoise_file(tmp_path / "a.zarr", tmp_path / "out.zarr", overwrite=True, **OPTIONS)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert min(peaks[2:]) < peaks[1] + 15 * 64 * 64 * 2, peaks  # of 80 frames more, read and written


@pytest.mark.parametrize("place", ["0/c/3/0/0", "0/zarr.json", "zarr.json"])
def test_what_is_broken_is_refused_in_one_line_and_leaves_nothing(tmp_path, rng, place):
    path = stack(tmp_path / "a.zarr", rng)
    (path / place).write_bytes((path / place).read_bytes()[:30])
    result = CliRunner().invoke(main, ["denoise", str(path), "-o", str(tmp_path / "out.zarr"), "--filter", "median"])
    assert result.exit_code == 2 and "a.zarr cannot be read as a .zarr image" in result.output, result.output
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("image", "output", "message"),
    [
        ("a.zarr", "a.zarr", "one of the files that are read"),
        ("a.zarr", "a.zarr/out.zarr", "lies in .*a.zarr, which is read"),
        ("a.zarr", "a.zarr/0/out.tif", "lies in .*a.zarr, which is read"),
        ("a.zarr/0", "a.zarr", "holds what is read"),
    ],
)
def test_nothing_is_written_into_or_over_what_is_read(tmp_path, rng, image, output, message):
    stack(tmp_path / "a.zarr", rng)
    before = everything(tmp_path)
    with pytest.raises(ValueError, match=message):
        list(denoise_files([tmp_path / image], tmp_path / output, overwrite=True, **OPTIONS))
    assert everything(tmp_path) == before


def test_a_report_inside_the_zarr_is_refused(tmp_path, rng):
    path = stack(tmp_path / "a.zarr", rng)
    with pytest.raises(ValueError, match=r"of its own"):
        denoise_file(path, tmp_path / "out.zarr", report=path / "report.html", **OPTIONS)


def test_a_zarr_is_one_picture_of_a_folder_and_of_a_pattern(tmp_path, rng):
    (tmp_path / "shots").mkdir()
    stack(tmp_path / "shots" / "b.zarr", rng)
    write(tmp_path / "shots" / "a.png", Picture.of(rng.integers(90, 160, (24, 20)).astype(np.uint8)))
    for images in (["shots"], ["shots/*"]):
        done = list(denoise_files([tmp_path / one for one in images], tmp_path / "out", overwrite=True, **OPTIONS))
        assert [one.image.name for one in done] == ["a.png", "b.zarr"] and not any(one.refusal for one in done)
    assert read(tmp_path / "out" / "b.zarr").count == 5
    with pytest.raises(FileExistsError, match="is no folder, and what there is"):
        list(denoise_files([tmp_path / "shots"], tmp_path / "out" / "b.zarr", overwrite=True, **OPTIONS))


def test_the_noise_of_a_zarr_is_that_of_the_first_frame_that_holds_something(tmp_path, rng):
    frames = rng.normal(1000, 50, (4, 64, 64)).astype(np.uint16)
    frames[:2] = 7
    for name in ("a.zarr", "a.tif"):
        write(tmp_path / name, Picture.of(frames, axes="TYX"))
    write(tmp_path / "b.tif", Picture.of(frames[2]))
    found = [CliRunner().invoke(main, ["noise", str(tmp_path / name)]) for name in ("a.zarr", "a.tif", "b.tif")]
    assert found[0].exit_code == 0 and found[0].stdout == found[1].stdout == found[2].stdout
    assert "frame 2 of 4 is inspected" in found[0].stderr


@pytest.mark.skipif(os.name == "nt", reason="limits and signals differ")
def test_a_disk_that_fills_up_leaves_nothing_and_one_line(tmp_path, rng):
    path = stack(tmp_path / "a.zarr", rng)
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(OSError, match="was not written: the disk is full"):
            denoise_file(path, tmp_path / "out.zarr", **OPTIONS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_end_from_outside_leaves_nothing_half_written(tmp_path, rng, number, status):
    stack(tmp_path / "a.zarr", rng, count=200)
    found = ended(tmp_path, number, "denoise", "a.zarr", "-o", "out.zarr", "--filter", "median", when=SOON)
    assert found.returncode == status and "Traceback" not in found.stderr, found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]
