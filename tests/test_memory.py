import sys
from pathlib import Path

import pytest
import torch

from dnlib import memory


class Recorder:
    def __init__(self):
        self.calls = []

    def mallopt(self, what, value):
        self.calls.append((what, value))

    def malloc_trim(self, pad):
        self.calls.append("trimmed")


@pytest.fixture
def library(monkeypatch):
    recorder = Recorder()
    monkeypatch.setattr(memory, "_glibc", lambda: recorder)
    return recorder


def test_settings_last_as_long_as_the_outermost_block(library):
    with memory.kept():
        before = list(library.calls)
        with memory.kept():
            pass
        assert library.calls == before
    assert library.calls[-1] == "trimmed"
    assert {what for what, _ in library.calls[:-1]} == {memory.TRIM_THRESHOLD, memory.MMAP_MAX}


def test_an_error_inside_puts_them_back(library):
    with pytest.raises(KeyError), memory.kept():
        raise KeyError
    assert library.calls[-1] == "trimmed" and memory._depth == 0


def test_where_there_is_no_glibc_nothing_happens(monkeypatch):
    monkeypatch.setattr(memory, "_glibc", lambda: None)

    @memory.kept()
    def work():
        return memory._depth

    assert work() == 0


@pytest.mark.skipif(not (sys.platform == "linux" and memory._glibc()), reason="needs glibc")
def test_memory_goes_back_in_the_end():
    def resident():
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

    def allocate():
        for _ in range(8):
            torch.ones(2**24)  # 64 MB

    before = resident()
    with memory.kept():
        allocate()
        assert resident() > before + 2**25
    assert resident() < before + 2**25
