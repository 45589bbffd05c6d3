import base64
import io

import numpy as np
import pytest
from PIL import Image

from dnlib.course import pictures, plots


@pytest.fixture
def shown(monkeypatch):
    import IPython.display

    pictures = []
    monkeypatch.setattr(IPython.display, "display", lambda bundle, **options: pictures.append((bundle, options)))
    return pictures


def test_pictures_carry_alt_text_and_their_figure_is_closed(shown):
    fig = plots.gallery([np.zeros((64, 64))], ["black"])
    plots.show(fig, alt="a black square")
    ((bundle, options),) = shown
    assert bundle["text/plain"] == options["metadata"]["image/png"]["alt"] == "a black square"
    assert not plots.plt.fignum_exists(fig.number)


def test_pictures_keep_their_colours_and_stay_small(shown, rng):
    noise = rng.normal(0.5, 0.1, (128, 128, 3))
    plots.show(plots.gallery([noise] * 4, list("abcd")), alt="noise")
    ((bundle, _),) = shown
    content = base64.b64decode(bundle["image/jpeg"])
    assert len(content) < 300_000 and Image.open(io.BytesIO(content)).mode == "RGB"


def test_a_ramp_of_colours_is_not_reduced_to_a_palette():
    ramp = np.stack([np.tile(np.arange(256, dtype=np.uint8), (9, 1))] * 3, axis=-1)
    ramp[..., 1] //= 2
    kind, text = pictures.stored(ramp)
    assert kind == "image/png"
    np.testing.assert_array_equal(Image.open(io.BytesIO(base64.b64decode(text))), ramp)


def test_galleries_fill_rows():
    fig = plots.gallery([np.zeros((4, 4))] * 5, list("abcde"), columns=3)
    assert len(fig.axes) == 6 and [ax.get_title() for ax in fig.axes] == ["a", "b", "c", "d", "e", ""]
    plots.plt.close(fig)


def test_values_outside_the_range_are_clipped_for_display_only():
    fig, ax = plots.figure()
    pixels = np.array([[-1.0, 0.5, 2.0]])
    plots.image(ax, pixels)
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0, 0.5, 1]])
    assert pixels.max() == 2
    plots.residual(ax, np.ones((2, 2, 3)))
    plots.plt.close(fig)


def test_a_strip_draws_every_pixel_as_a_whole_number_of_the_screen_s(rng):
    rows = [[rng.random((10, 14, 3)), np.ones((10, 14))], [None, np.zeros((10, 14))]]
    fig = plots.strip(rows, ["a", "two\nlines", "", "below"], zoom=3)
    fig.canvas.draw()
    drawn = np.asarray(fig.canvas.buffer_rgba())[..., :3] / 255
    titles = [ax.get_title() for ax in fig.axes]
    box = fig.axes[0].get_window_extent()
    top, left = len(drawn) - round(box.y1), round(box.x0)
    inside = drawn[top : top + 30, left : left + 42]
    plots.plt.close(fig)
    assert titles == ["a", "two\nlines", "below"]
    assert np.abs(inside - np.kron(rows[0][0], np.ones((3, 3, 1)))).max() < 1 / 255
