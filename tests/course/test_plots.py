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
    noise = rng.normal(0.5, 0.1, (200, 200, 3))
    plots.show(plots.gallery([noise] * 4, list("abcd")), alt="noise")
    ((bundle, _),) = shown
    content = base64.b64decode(bundle[pictures.kind_of(bundle)])
    assert len(content) < 300_000 and Image.open(io.BytesIO(content)).mode == "RGB"


def test_noise_that_is_shown_is_the_noise_that_was_made(rng):
    """A large picture of white noise of 25 gray levels to a third of it; one whose pixels are enlarged exactly."""
    noise = np.rint(np.clip(128 + 25 * rng.standard_normal((264, 264, 3)), 0, 255)).astype(np.uint8)
    for picture, off in ((noise, 8), (noise[:132, :132].repeat(2, axis=0).repeat(2, axis=1), 0)):
        stored = np.asarray(Image.open(io.BytesIO(base64.b64decode(pictures.encoded(picture)[1]))), float)
        assert np.sqrt(np.mean((stored - picture) ** 2)) <= off


def test_a_ramp_of_colours_is_not_reduced_to_a_palette():
    ramp = np.stack([np.tile(np.arange(256, dtype=np.uint8), (9, 1))] * 3, axis=-1)
    ramp[..., 1] //= 2
    kind, text = pictures.encoded(ramp)
    assert kind == "image/png"
    np.testing.assert_array_equal(Image.open(io.BytesIO(base64.b64decode(text))), ramp)


def test_galleries_fill_rows():
    fig = plots.gallery([np.zeros((4, 4))] * 5, list("abcde"), columns=3)
    assert [ax.get_title() for ax in fig.axes] == ["a", "b", "c", "d", "e"]
    first, below = fig.axes[0].get_position(), fig.axes[3].get_position()
    assert first.x0 == below.x0 and first.y0 > below.y1
    plots.plt.close(fig)


@pytest.mark.parametrize(("side", "drawn"), [(100, 200), (128, 128), (256, 256)])
def test_galleries_enlarge_by_whole_numbers_and_never_reduce(side, drawn):
    fig = plots.gallery([np.zeros((side, side))] * 4, list("abcd"), width=9)
    assert [round(n) for n in fig.axes[0].get_window_extent().bounds[2:]] == [drawn, drawn]
    plots.plt.close(fig)


def test_long_titles_do_not_run_into_each_other():
    fig = plots.gallery([np.zeros((8, 8))] * 3, ["a title that is wider than its picture"] * 3, width=1)
    fig.canvas.draw()
    boxes = [ax.title.get_window_extent() for ax in fig.axes]
    edges = [0, *(edge for box in boxes for edge in (box.x0, box.x1)), fig.bbox.width]
    plots.plt.close(fig)
    assert edges == sorted(edges)


def test_a_picture_beside_curves_is_shrunk_to_a_whole_number_too(rng):
    picture = rng.random((30, 40, 3))
    fig, (ax, curves) = plots.figure(1, 2, width=4)
    plots.image(ax, picture, "noise")
    curves.plot([0, 1])
    drawn = plots._pixels(fig) / 255
    box = ax.get_window_extent()
    inside = drawn[len(drawn) - round(box.y1) : len(drawn) - round(box.y0), round(box.x0) : round(box.x1)]
    plots.plt.close(fig)
    zoom = len(inside) // 30
    assert zoom > 1 and np.abs(inside - np.kron(picture, np.ones((zoom, zoom, 1)))).max() < 1 / 255


def test_a_bar_of_colours_has_its_unit_and_stands_beside_the_last_map():
    fig, axes = plots.figure(1, 2)
    for ax in axes:
        plots.residual(ax, np.zeros((4, 4)), limit=0.2)
    plots.bar(axes, "of white")
    plots._pixels(fig)
    bar = fig.axes[-1]
    assert bar.get_ylabel() == "of white" and bar.get_ylim() == (-0.2, 0.2)
    assert bar.get_position().x0 > axes[1].get_position().x1
    plots.plt.close(fig)


def test_a_gray_image_keeps_its_unit_for_its_bar():
    fig, ax = plots.figure()
    plots.image(ax, np.array([[0.0, 5.0, 20.0]]), high=15)
    plots.bar(ax, "gray levels")
    assert ax.images[0].get_array().tolist() == [[0, 5, 15]] and fig.axes[-1].get_ylim() == (0, 15)
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


def test_no_title_is_cut_off_where_maps_just_fit():
    fig, axes = plots.figure(1, 3, width=10, height=3.1)
    for ax in axes:
        ax.imshow(np.zeros((19, 19)), vmin=-6, vmax=0, extent=(-9.5, 9.5, 9.5, -9.5))
        ax.set(title="moved by 1", xlabel="columns away", xticks=range(-8, 9, 4), yticks=range(-8, 9, 4))
    axes[0].set_ylabel("rows away")
    plots.bar(axes, "log10 of the strongest")
    plots._pixels(fig)
    top, bottom = axes[0].title.get_window_extent().y1, axes[0].xaxis.label.get_window_extent().y0
    plots.plt.close(fig)
    assert bottom > 0 and top < fig.bbox.height, (bottom, top)
