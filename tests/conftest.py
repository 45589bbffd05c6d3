"""Tests run headless, without a GPU or a network, and without whatever data this machine happens to have."""

import errno
import os
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch is imported
import torch

os.environ["MPLBACKEND"] = "Agg"
os.environ["DNLIB_HEADLESS"] = "1"
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"  # the tests' own servers are reached directly
os.environ.pop("DNLIB_PROFILE", None)

HERE = ("localhost", "127.0.0.1", "::1")

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def no_local_data(monkeypatch, tmp_path_factory):
    monkeypatch.setenv("DNLIB_DATA", str(tmp_path_factory.mktemp("data")))


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """A connection to another machine fails the test. Datagrams may name one: until they are sent, nothing is."""

    def guarded(connect):
        def connected(self, address):
            if self.type == socket.SOCK_STREAM and isinstance(address, tuple) and address[0] not in HERE:
                pytest.fail(f"a test wanted to reach {address[0]}, and tests run without a network")
            return connect(self, address)

        return connected

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name)))


@pytest.fixture(autouse=True)
def same_start():
    """Torch's chance is the same whichever tests ran before, so that none passes by luck of its place."""
    torch.manual_seed(0)


@pytest.fixture
def full_disk(monkeypatch):
    """From now on the disk is full when half of a file is written, of files with this ending."""

    def filling(whole, suffix):
        def write(path, content, *how, **more):
            if path.suffix != suffix:
                return whole(path, content, *how, **more)
            whole(path, content[: len(content) // 2], *how, **more)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

        return write

    def fill(suffix):
        for name in ("write_bytes", "write_text"):
            monkeypatch.setattr(Path, name, filling(getattr(Path, name), suffix))

    return fill


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def noisy(rng):
    """A small photograph-like image [48, 40] with noise of standard deviation 0.1."""
    from dnlib.images.arrays import photo

    clean = photo("camera")[100:148, 200:240]
    return (clean + 0.1 * rng.standard_normal(clean.shape)).astype(np.float32)


@pytest.fixture
def chapters(monkeypatch, tmp_path):
    """Write small chapters into a folder that takes the place of notebooks/."""

    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
    from samples import PARAMETERS

    from dnlib.course import jobs
    from dnlib.course.parameters import declared

    def write(**bodies):
        for name, body in bodies.items():
            cells = [
                new_markdown_cell("# T\n\n**Question?**"),
                new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}),
                new_code_cell(body.replace("{name}", name)),
            ]
            kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
            nbformat.write(new_notebook(cells=cells, metadata=kernel), folder / f"{name}.ipynb")
        declared.cache_clear()
        return folder

    folder = tmp_path / "notebooks"
    folder.mkdir()
    monkeypatch.setattr(jobs, "NOTEBOOKS", folder)
    return write
