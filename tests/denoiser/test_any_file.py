"""Files of all kinds, whole and broken: denoised with all they say, or refused in one line; nothing is half written.

DNLIB_FILES=2000 tries as many; by default a few.
"""

import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, Phase, event, given, settings, strategies as st
from PIL import Image

from dnlib.denoiser import denoise_file
from dnlib.denoiser.destinations import check_beside
from dnlib.images import Stack, opened, read, refused

FILES = int(os.environ.get("DNLIB_FILES", "60"))
TYPES = ("uint8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
SHAPES = {"YX": (), "TYX": (5,), "CYX": (3,), "TCYX": (5, 2), "ZTYX": (2, 5), "YXS": (), "TYXS": (5,), "CTYX": (2, 5)}
TAGS = [
    (315, 2, 0, "Ada", True), (33550, 12, 3, (30.0, 30.0, 0.0), True), (42113, 2, 0, "-9999", True),
    (274, 3, 1, 6, True), (274, 3, 1, 3, True), (34665, 4, 1, 8, True),
]  # fmt: skip
RASTER = {"icc_profile", "exif", "resolution"}
KEPT = {".tif": {"icc_profile", "resolution"}, ".png": RASTER, ".jpg": RASTER, ".npy": set()}
CONTENTS = {
    "noise": lambda rng, shape: rng.normal(120, 20, shape).clip(1, 250),
    "photons": lambda rng, shape: rng.poisson(0.4, shape),
    "constant": lambda rng, shape: np.full(shape, 7),
    "black frame": lambda rng, shape: rng.normal(120, 20, shape).clip(1, 250) * (np.arange(shape[0]) > 0).reshape(
        -1, *[1] * (len(shape) - 1)
    ),
    "holes": lambda rng, shape: np.where(rng.random(shape) < 0.02, np.nan, rng.normal(120, 20, shape)),
}  # fmt: skip


def written_tiff(draw, path: Path) -> bool:
    """Write some TIFF; whether it is one that has to be denoised."""
    axes, kind, content = draw(st.sampled_from(list(SHAPES))), draw(st.sampled_from(TYPES)), draw(contents)
    shape = (*SHAPES[axes], draw(sides), draw(sides), *([draw(st.integers(2, 5))] if "S" in axes else []))
    pixels = pixels_of(draw, content, shape, kind)
    colour = axes.endswith("S") and shape[-1] in (3, 4)
    style = draw(st.sampled_from(("plain", "imagej", "ome", "pages")))
    options = {
        "photometric": draw(st.sampled_from(("rgb", "rgb", "minisblack"))) if colour else "minisblack",
        "planarconfig": "contig" if axes.endswith("S") else None,
        "byteorder": draw(st.sampled_from("<>")),
        "bigtiff": draw(st.booleans()) and style != "imagej",
        "resolution": draw(st.sampled_from((None, (300, 300), (4, 2)))),
    }
    if colour and shape[-1] == 4 and options["photometric"] == "rgb":
        options["extrasamples"] = [draw(st.sampled_from(("unassalpha", "assocalpha", "unspecified")))]
    if draw(st.integers(0, 9)) == 0 and not axes.endswith("S") and kind == "uint8":
        options["photometric"] = "miniswhite"
    if style != "imagej":
        options["compression"] = draw(st.sampled_from((None, "deflate", "lzw", "packbits", "zstd")))
        options["tile"] = draw(st.sampled_from((None, (16, 16))))
        tag = draw(st.sampled_from([None, *TAGS]))
        options["extratags"] = [tag] if tag else []
        if options["compression"] in ("deflate", "lzw") and kind in ("uint8", "uint16"):
            options["predictor"] = draw(st.booleans())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if style == "pages":
            with tifffile.TiffWriter(path, bigtiff=options.pop("bigtiff"), byteorder=options.pop("byteorder")) as file:
                for page in pixels.reshape(-1, *shape[len(SHAPES[axes]) :]):
                    file.write(page, metadata=None, description="made by a test", **options)
        else:
            chosen = {"imagej": {"imagej": True}, "ome": {"ome": True}}.get(style, {})
            try:
                tifffile.imwrite(path, pixels, metadata={"axes": axes}, **chosen, **options)
            except Exception:  # not all that is drawn can be written
                tifffile.imwrite(path, pixels, **{**options, "compression": None, "tile": None})
    usual = options["photometric"] != "miniswhite" and style != "pages"
    return usual and content == "noise" and min(shape) > 1


def written_raster(draw, path: Path) -> bool:
    """Write some PNG or JPEG; whether it is one that has to be denoised."""
    mode = draw(st.sampled_from(("L", "RGB") if path.suffix == ".jpg" else ("L", "LA", "RGB", "RGBA", "P", "I;16")))
    content = draw(contents)
    shape = (draw(sides), draw(sides), *{"LA": (2,), "RGB": (3,), "P": (3,), "RGBA": (4,)}.get(mode, ()))
    pixels = pixels_of(draw, content, shape, "uint16" if mode == "I;16" else "uint8")
    image = Image.fromarray(pixels)
    image = image.quantize(16) if mode == "P" else image
    exif = Image.Exif()
    exif[274] = draw(st.integers(1, 8))
    exif[271] = "a maker"
    options = {"dpi": (300, 300)} if draw(st.booleans()) else {}
    image.save(path, exif=exif, icc_profile=b"profile" if draw(st.booleans()) else None, **options)
    return content == "noise" and mode != "P" and path.suffix == ".png"


def written_npy(draw, path: Path) -> bool:
    """Write some array; whether it is one that has to be denoised."""
    shape = [*draw(st.lists(st.integers(1, 12), min_size=1, max_size=2)), draw(sides), draw(sides)]
    pixels = pixels_of(draw, draw(contents), tuple(shape[draw(st.integers(0, 2)) :]), draw(st.sampled_from(TYPES)))
    np.save(path, np.asfortranarray(pixels) if draw(st.booleans()) else pixels.astype(pixels.dtype.newbyteorder(">")))
    return False


def pixels_of(draw, content: str, shape: tuple[int, ...], kind: str) -> np.ndarray:
    values = CONTENTS[content](np.random.default_rng(draw(st.integers(0, 99))), shape)
    return (values if kind.startswith("float") else np.nan_to_num(values)).astype(kind)


sides = st.sampled_from((6, *range(8, 40)))
contents = st.sampled_from(["noise"] * 4 + list(CONTENTS))
WRITERS = {".tif": written_tiff, ".png": written_raster, ".jpg": written_raster, ".npy": written_npy}


def damaged(draw, path: Path) -> bool:
    """Cut a file off anywhere, or change a byte, in one case of three; whether it was."""
    data, how = path.read_bytes(), draw(st.sampled_from(("whole", "whole", "whole", "whole", "cut", "changed")))
    place = draw(st.integers(0, len(data) - 1))
    if how == "cut":
        path.write_bytes(data[:place])
    elif how == "changed":
        path.write_bytes(data[:place] + bytes([data[place] ^ draw(st.integers(1, 255))]) + data[place + 1 :])
    return how != "whole"


def check_same(path: Path, out: Path, broken: bool, **reading) -> None:
    """The result has the input's layout, type, range and metadata; frames read one by one are those read at once."""
    before, after = read(path, **reading), read(out, **reading)
    assert after.pixels.shape == before.pixels.shape and after.alpha == before.alpha
    assert after.pixels.dtype == np.dtype(reading.get("dtype", before.pixels.dtype))
    assert out.suffix == ".npy" or after.axes == before.axes
    if not broken:
        for name in KEPT[path.suffix] & KEPT[out.suffix]:
            assert getattr(after.metadata, name) == getattr(before.metadata, name), name
    if out.suffix == path.suffix == ".tif" and not broken:
        assert after.metadata.texts == before.metadata.texts and after.metadata.tags == before.metadata.tags
        assert bool(after.metadata.ome) == bool(before.metadata.ome)
    with opened(path, **reading) as one_by_one:
        event("frame by frame" if isinstance(one_by_one, Stack) else "at once")
        for number in range(before.count):
            np.testing.assert_array_equal(one_by_one.frame(number).pixels, before.frame(number).pixels)


@given(st.data())
@settings(max_examples=FILES, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_any_file_comes_out_right_or_is_refused_in_one_line(data):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"a{data.draw(st.sampled_from(['.tif'] * 4 + list(WRITERS)))}")
        good = WRITERS[path.suffix](data.draw, path)
        broken = damaged(data.draw, path)
        good = good and not broken
        out = Path(folder, f"out{data.draw(st.sampled_from((path.suffix, '.tif', '.npy')))}")
        reading = {"ignore_nan": data.draw(st.booleans())}
        try:
            denoise_file(path, out, filter="median", device="cpu", range=None, dtype=None, **reading)
        except (ValueError, OSError, FloatingPointError) as error:
            event("refused: " + str(error)[-60:])
            assert refused(error) and "\n" not in str(error) and str(error), repr(error)
            small = any(word in str(error) for word in ("8x8", "--axes", "write .tif or .npy", "transparent"))
            assert not good or small, error
            assert [file.name for file in Path(folder).iterdir()] == [path.name]
        else:
            assert {file.name for file in Path(folder).iterdir()} == {path.name, out.name}
            if out.suffix != ".npy":
                check_same(path, out, broken, **reading)


def test_what_is_written_beside_the_result_never_replaces_it_or_the_picture(tmp_path):
    image, link = tmp_path / "noisy.tif", tmp_path / "link.tif"
    image.touch()
    link.symlink_to(image)
    result = tmp_path / "denoised.tif"
    around = tmp_path / ".." / tmp_path.name
    for uncertainty in (link, around / "noisy.tif", around / "denoised.tif"):
        with pytest.raises(ValueError, match="of its own"):
            check_beside(image, result, None, uncertainty, overwrite=True)
    check_beside(image, result, None, around / "deviation.tif", overwrite=False)
