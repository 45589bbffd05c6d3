"""What a reader moves, and a picture of the reader's own, taken by the start page."""

import numpy as np
import pytest
from imagecodecs import png_encode

from dnlib.course import widgets
from dnlib.images import arrays, read


@pytest.fixture
def noisy():
    """The bytes of a small noisy picture's file."""
    clean = arrays.middle(arrays.photo("chelsea"), 48)
    noisy = clean + 0.1 * np.random.default_rng(0).standard_normal(clean.shape)
    return png_encode((255 * noisy.clip(0, 1)).round().astype(np.uint8))


def test_bytes_of_a_picture_become_a_result_and_a_page_in_place_of_earlier_ones(noisy, tmp_path):
    (tmp_path / "denoised").mkdir()
    (tmp_path / "denoised" / "my cat.png").write_bytes(b"an earlier result")
    said, page = widgets.denoised("my cat.png", noisy, tmp_path / "denoised")
    assert said.startswith(f"{tmp_path / 'denoised' / 'my cat.png'}: ")
    assert read(tmp_path / "denoised" / "my cat.png").pixels.shape == (48, 48, 3)
    assert page == (tmp_path / "denoised" / "my cat.png.html").read_text(encoding="utf-8")
    assert {path.name for path in (tmp_path / "denoised").iterdir()} == {"my cat.png", "my cat.png.html"}


def test_what_is_no_picture_is_refused_by_its_name_alone_and_leaves_nothing(tmp_path):
    said, page = widgets.denoised("notes.png", b"no picture", tmp_path / "a" / "denoised")
    assert said.startswith("notes.png cannot be read") and str(tmp_path) not in said and page == ""
    assert not list((tmp_path / "a" / "denoised").iterdir())  # made, as its name says


def test_widgets_say_a_line_when_nobody_is_there(capsys):
    widgets.explore(lambda radius: pytest.fail("drawn although nobody looks"), radius=(1, 6))
    assert "radius" in capsys.readouterr().out


def test_widgets_draw_and_wait_for_the_knob_to_be_let_go(monkeypatch):
    import IPython.display

    shown, drawn = [], []
    monkeypatch.delenv("DNLIB_HEADLESS")
    monkeypatch.setattr(IPython.display, "display", shown.append)
    widgets.explore(lambda radius: drawn.append(radius), radius=(1, 6))
    slider = shown[0].children[0]
    assert not slider.continuous_update
    slider.value = 5
    shown[0].update()
    assert drawn[-1] == 5
