import errno
import functools
import hashlib
import http.server
import io
import re
import signal
import threading
import zipfile
from pathlib import PurePath

import numpy as np
import pytest
from scipy.io import savemat

from dnlib.images import Picture, datasets, read, write
from dnlib.images.datasets import Dataset

TEXTS = {"title": "t", "home": "h", "licence": "l", "redistribution": "yes", "citation": "c", "scene": "each"}
ENTRY = {"images": 1, "bytes": 1} | TEXTS


@pytest.fixture
def register(monkeypatch, tmp_path):
    """Add a made-up dataset whose files are served by this machine."""

    def add(name, kind="clean", files=(), **options):
        (tmp_path / "files").mkdir(exist_ok=True)
        lines = [f"{path} sha256:{digest} {url}" for path, digest, url in files]
        (tmp_path / "files" / f"{name}.txt").write_text("\n".join(lines))
        known = {name: Dataset(name, kind=kind, **ENTRY | options)}
        monkeypatch.setattr(datasets, "SHIPPED", tmp_path)
        monkeypatch.setattr(datasets, "registry", lambda: known)
        return known[name]

    return add


@pytest.fixture
def server(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as service:
        thread = threading.Thread(target=service.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{service.server_address[1]}"
        service.shutdown()
        thread.join()


def picture(rng, path, shape=(16, 16, 3)):
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, Picture.of(rng.integers(0, 255, shape).astype(np.uint8)))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_registry_is_whole():
    needed = {"kodak24", "bsds500", "set14", "set12", "sidd_val_crops", "davis480p", "polyu", "fmd"}
    assert needed <= datasets.registry().keys()
    for name, dataset in datasets.registry().items():
        assert dataset.licence and dataset.citation and dataset.bytes > 0, name
        assert dataset.kind in ("clean", "pairs", "bursts", "noisy")
        files, urls = dataset.downloads().registry, dataset.downloads().urls
        assert len(files) == (1 if dataset.unpack else dataset.images * (2 if dataset.kind == "pairs" else 1)), name
        for path, digest in files.items():
            assert re.fullmatch("sha256:[0-9a-f]{64}", digest) and re.fullmatch(r"https://[\w%./-]+", urls[path]), name
        assert len(set(urls.values())) == len(files), name
        if dataset.kind == "pairs" and not dataset.unpack:
            noisy, clean = (
                {p.stem for p in map(PurePath, files) if p.parent.name == side} for side in ("noisy", "clean")
            )
            assert noisy == clean and len(noisy) == dataset.images, name


def test_bundled_photographs_are_always_there():
    assert [e.name for e in datasets.load("bundled", limit=2)] == ["camera", "astronaut"]
    assert all(e.clean.dtype == np.uint8 and e.clean.ndim == 2 for e in datasets.load("bundled", split="gray"))
    assert len(datasets.load("bundled")) == 10 and len(datasets.load("bundled", split="gray")) == 6
    assert "scikit-image" in datasets.fingerprint("bundled")


def test_what_cannot_be_loaded_is_refused():
    with pytest.raises(ValueError, match=r"split of the bundled photographs can be None or gray; 'train' was given"):
        datasets.load("bundled", split="train")
    for name in ("bundled", "kodak24"):
        with pytest.raises(ValueError, match="limit=-1"):
            datasets.load(name, limit=-1)
    assert datasets.load("bundled", limit=0) == []


def test_a_folder_under_dnlib_data_is_served(register, rng):
    dataset = register("mine", images=2)
    picture(rng, dataset.folder / "b.png")
    assert not dataset.is_present  # not whole
    with pytest.raises(FileNotFoundError, match=r"1 of 2 files.*dnlib data mine.*DNLIB_DATA"):
        datasets.load("mine")
    picture(rng, dataset.folder / "a.png")
    assert [e.name for e in datasets.load("mine")] == ["a", "b"]
    assert [e.name for e in datasets.load("mine", limit=1)] == ["a"]
    before = datasets.fingerprint("mine")
    picture(rng, dataset.folder / "b.png".replace("b", "c"))
    assert datasets.fingerprint("mine") != before
    with pytest.raises(ValueError, match="no split 'train'"):
        datasets.load("mine", split="train")


def test_pairs_are_matched_by_name(register, rng):
    dataset = register("pairs", kind="pairs")
    for side in ("noisy", "clean"):
        picture(rng, dataset.folder / side / "x.png")
    (example,) = datasets.load("pairs")
    assert example.noisy.shape == example.clean.shape and (example.noisy != example.clean).any()
    picture(rng, dataset.folder / "noisy" / "lonely.png")
    with pytest.raises(ValueError, match="lonely"):
        datasets.load("pairs")


def test_images_know_their_scene(register, rng):
    dataset = register("mine", images=3, scene={"chart": "a.*"})
    for name in ("a1", "a2", "b"):
        picture(rng, dataset.folder / f"{name}.png")
    assert [(e.name, e.scene) for e in datasets.load("mine")] == [("a1", "chart"), ("a2", "chart"), ("b", "b")]
    assert all(e.scene == e.name for e in datasets.load("bundled"))


def test_bursts_have_a_frame_axis_in_the_order_of_time(register, rng):
    dataset = register("video", kind="bursts", images=12)
    for frame in range(12):
        picture(rng, dataset.folder / "dog" / f"{frame}.jpg")
    (example,) = datasets.load("video")
    assert example.name == "dog" and example.clean.shape == (12, 16, 16, 3)
    np.testing.assert_array_equal(example.clean[10], read(dataset.folder / "dog" / "10.jpg").pixels)
    (dataset.folder / "dog" / "5.jpg").unlink()
    assert not dataset.is_present


def test_images_keep_the_order_in_which_scores_on_record_took_them(register, rng):
    dataset = register("mine", images=2)
    for name in ("100", "12"):
        picture(rng, dataset.folder / f"{name}.png")
    assert [e.name for e in datasets.load("mine")] == ["100", "12"]


def test_sidd_blocks_are_read_from_matlab_files(register, server, rng):
    folder, url = server
    blocks = {key: rng.integers(0, 255, (2, 3, 16, 16, 3)).astype(np.uint8) for key in ("Noisy", "Gt")}
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for key, value in blocks.items():
            buffer = io.BytesIO()
            savemat(buffer, {f"Validation{key}BlocksSrgb": value})
            file.writestr(f"test/{key}.mat", buffer.getvalue())
    (folder / "blocks.zip").write_bytes(archive.getvalue())
    digest = hashlib.sha256(archive.getvalue()).hexdigest()
    register("sidd", kind="pairs", unpack="zip", files=[("blocks.zip", digest, f"{url}/blocks.zip")])
    datasets.fetch("sidd")
    examples = datasets.load("sidd")
    assert [e.name for e in examples][:2] == ["00_00", "00_01"] and len(examples) == 6
    np.testing.assert_array_equal(examples[4].noisy, blocks["Noisy"][1, 1])


@pytest.fixture
def archive(register, server, rng):
    """A dataset of three frames in an archive."""
    folder, url = server
    with zipfile.ZipFile(folder / "video.zip", "w") as file:
        for frame in range(3):
            picture(rng, folder / f"{frame}.jpg")
            file.write(folder / f"{frame}.jpg", f"dog/{frame}.jpg")
        file.writestr("dog/mask.png", "no frame")
    digest = hashlib.sha256((folder / "video.zip").read_bytes()).hexdigest()
    return register("video", kind="bursts", images=3, unpack="zip", files=[("video.zip", digest, f"{url}/video.zip")])


def test_a_half_unpacked_archive_is_not_there_and_is_unpacked_again(archive, rng):
    picture(rng, archive.folder / "unpacked" / "dog" / "0.jpg")
    assert not archive.is_present
    with pytest.raises(FileNotFoundError, match="1 of 3 files of video"):
        datasets.load("video")
    datasets.fetch("video")
    assert archive.is_present and datasets.load("video")[0].clean.shape == (3, 16, 16, 3)
    assert sorted(path.name for path in archive.folder.iterdir()) == ["unpacked", "video.zip"]


def test_what_is_being_unpacked_does_not_count(archive, rng, monkeypatch):
    def interrupted(path, folder, kind):
        for frame in range(3):
            picture(rng, folder / "dog" / f"{frame}.jpg")
        assert not archive.is_present
        raise KeyboardInterrupt

    monkeypatch.setattr(datasets.shutil, "unpack_archive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        datasets.fetch("video")
    assert [path.name for path in archive.folder.iterdir()] == ["video.zip"]


def test_fetching_verifies_and_does_not_download_twice(register, server, rng):
    folder, url = server
    digest = picture(rng, folder / "a.png")
    dataset = register("mine", files=[("sub/a.png", digest, f"{url}/a.png")])
    assert datasets.fetch("mine") == dataset.folder
    (folder / "a.png").unlink()
    datasets.fetch("mine")
    assert len(datasets.load("mine")) == 1


def test_a_download_with_another_hash_is_discarded_and_the_old_file_kept(register, server, rng):
    folder, url = server
    picture(rng, folder / "a.png")
    dataset = register("mine", files=[("a.png", "0" * 64, f"{url}/a.png")])
    with pytest.raises(ValueError, match=r"a\.png does not have the hash"):
        datasets.fetch("mine")
    assert not dataset.folder.exists()
    dataset.folder.mkdir(parents=True)
    (dataset.folder / "a.png").write_bytes(b"the old one")
    with pytest.raises(ValueError, match="discarded"):
        datasets.fetch("mine")
    assert (dataset.folder / "a.png").read_bytes() == b"the old one"
    assert [p.name for p in dataset.folder.iterdir()] == ["a.png"]


def test_no_network_is_one_clear_line(register):
    register("mine", files=[("a.png", "0" * 64, "http://127.0.0.1:9/a.png")])
    with pytest.raises(ConnectionError, match="is there a network") as error:
        datasets.fetch("mine")
    assert "\n" not in str(error.value)


def full_disk(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("fault", ["no network", "another hash", "full disk", "Ctrl-C"])
def test_a_failed_fetch_leaves_nothing_and_keeps_what_lay_there(
    request, register, server, rng, tmp_path, monkeypatch, fault
):
    usual = signal.signal(signal.SIGINT, signal.default_int_handler)  # programs in a shell's background ignore it
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, usual))
    folder, url = server
    good, digest = picture(rng, folder / "good.png"), picture(rng, folder / "a.png")
    address = "http://127.0.0.1:9/a.png" if fault == "no network" else f"{url}/a.png"
    files = [("sub/deep/a.png", "0" * 64 if fault == "another hash" else digest, address)]
    monkeypatch.setenv("DNLIB_DATA", str(tmp_path / "new" / "data"))
    register("mine", files=files)
    if fault in ("full disk", "Ctrl-C"):
        stop = full_disk if fault == "full disk" else lambda *_, **__: signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr("pooch.core.hash_matches", stop)
    wrong = {"no network": ConnectionError, "another hash": ValueError, "full disk": OSError}
    for _ in range(2):
        with pytest.raises(wrong.get(fault, KeyboardInterrupt)):
            datasets.fetch("mine")
        assert not (tmp_path / "new").exists()
    dataset = register("mine", images=2, files=[("sub/good.png", good, f"{url}/good.png"), *files])
    (dataset.folder / "own").mkdir(parents=True)  # empty, and a user's
    with pytest.raises(wrong.get(fault, KeyboardInterrupt)):
        datasets.fetch("mine")
    left = sorted(path.relative_to(dataset.folder).as_posix() for path in dataset.folder.rglob("*"))
    whole = fault in ("no network", "another hash")  # the first file came before the fault
    assert left == ["own", *(["sub", "sub/good.png"] if whole else [])]


def test_an_unknown_dataset_names_the_known_ones():
    with pytest.raises(ValueError, match=r"kodak24.*'imagenet' was given"):
        datasets.find("imagenet")
