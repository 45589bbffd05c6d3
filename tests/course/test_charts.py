import numpy as np
import pytest

from dnlib.course import charts, plots


@pytest.fixture
def ax():
    fig, ax = plots.figure()
    yield ax
    plots.plt.close(fig)


def test_intervals_are_drawn_where_there_are_some_and_single_trainings_are_hollow(ax):
    rows = {"a": {"flat": (1.0, 0.5), "texture": (-2.0, np.inf)}, "b": {"texture": (0.5, 0.1)}, "c": {}}
    charts.intervals(ax, rows, published={"c": -1.0})
    segments = [c.lines[2][0].get_segments()[0] for c in ax.containers if c.lines[2]]
    assert [segment[:, 0].tolist() for segment in segments] == [[0.5, 1.5], [0.4, 0.6]]
    faces = [container.lines[0].get_markerfacecolor() for container in ax.containers]
    assert faces == [charts.BLUE, "white", charts.ORANGE]
    assert [text.get_text() for text in ax.texts] == ["not trained yet"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["flat", "texture", "as published"]
    assert ax.get_ylim() == (2.5, -0.5)  # the first row is on top


def test_series_of_a_row_do_not_lie_on_each_other(ax):
    charts.intervals(ax, {"a": dict.fromkeys("xyz", (0.0, 1.0))})
    heights = [container.lines[0].get_ydata()[0] for container in ax.containers]
    assert len(set(heights)) == 3 and np.mean(heights) == pytest.approx(0)


def test_a_band_holds_every_seed(ax):
    table = np.array([[1.0, 4.0], [3.0, 2.0], [2.0, 3.0]])
    charts.band(ax, np.array([10, 20]), table, "row", "C0")
    mean, *seeds = ax.lines
    assert mean.get_ydata().tolist() == [2, 3] and [line.get_ydata().tolist() for line in seeds] == table.tolist()
    low, high = ax.collections[0].get_datalim(ax.transData).intervaly
    assert (low, high) == (1, 4)


def test_a_heat_map_marks_the_best_of_each_column_and_leaves_blanks(ax):
    table = np.array([[30.0, np.nan], [20.0, 25.0]])
    charts.heat_map(ax, table, ["a", "b"], ["x", "y"])
    assert [text.get_weight() for text in ax.texts] == ["bold", "normal", "normal", "bold"]
    charts.heat_map(ax, table[:1], ["a"], ["x", "y"])
    assert ax.texts[-2].get_weight() == "normal"  # the best of one is no news


def test_names_stand_beside_their_dots(ax):
    charts.named(ax, {"L-1": (1.0, 2.0), "L-2": (3.0, 4.0)}, "rows", "C0", left=["L-2"])
    assert [(text.xy, text.get_ha()) for text in ax.texts] == [((1.0, 2.0), "left"), ((3.0, 4.0), "right")]
