import base64
import io

import numpy as np
import pytest
from PIL import Image

from dnlib.course import plots


@pytest.fixture
def shown(monkeypatch):
    import IPython.display

    pictures = []
    monkeypatch.setattr(IPython.display, "display", lambda bundle, **options: pictures.append((bundle, options)))
    return pictures


def test_pictures_carry_alt_text_and_are_small(shown, rng):
    fig = plots.gallery([rng.random((64, 64, 3)), rng.random((64, 64))], ["a", "b"])
    plots.show(fig, alt="two noises")
    ((bundle, options),) = shown
    assert bundle["text/plain"] == options["metadata"]["image/png"]["alt"] == "two noises"
    assert Image.open(io.BytesIO(base64.b64decode(bundle["image/png"]))).mode == "P"
    assert not plots.plt.fignum_exists(fig.number)  # closed


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
