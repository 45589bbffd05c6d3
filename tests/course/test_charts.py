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


def test_the_lowest_point_of_a_curve_is_marked_in_its_colour_where_it_is_known(ax):
    table = {"loss": np.array([5, np.nan, 4, 6]), "true error": [3, 2, 1, 2], "third": [1, 2, 3, 4]}
    charts.curves(ax, range(10, 50, 10), table, colours=("C0", "C1"), styles=("o-", "o--"), lowest=True)
    lines, dots = ax.lines[::2], ax.lines[1::2]
    assert [dot.get_xydata().tolist() for dot in dots] == [[[30, 4]], [[30, 1]], [[10, 1]]]
    assert [line.get_color() for line in lines] == [dot.get_color() for dot in dots] == ["C0", "C1", "C0"]
    assert [line.get_linestyle() for line in lines] == ["-", "--", "-"]
    assert [text.get_text() for text in ax.legend().get_texts()] == list(table)


def test_curves_without_their_lowest_points_are_lines_alone(ax):
    charts.curves(ax, [1, 2], {"a": [1, 2], "b": [2, 1]})
    assert len(ax.lines) == 2


def test_beside_curves_stand_marks_of_other_x_lines_across_and_rings_of_the_truth(ax):
    table = {"dense": [1, 4, 3], "sparse": {20: 2}, "noisy": np.float32(0.5)}
    charts.curves(ax, [10, 20, 30], table, styles=("o-", "s", ":"), lowest=True, truth={"dense": {10: 2, 30: 5}})
    dense, lowest, rings, sparse, lowest_of_one, across = ax.lines
    assert dense.get_xydata().tolist() == [[10, 1], [20, 4], [30, 3]] and lowest.get_xydata().tolist() == [[10, 1]]
    assert rings.get_xydata().tolist() == [[10, 2], [30, 5]] and rings.get_markerfacecolor() == "none"
    assert rings.get_color() == dense.get_color() and sparse.get_xydata().tolist() == [[20, 2]]
    assert lowest_of_one.get_xydata().tolist() == [[20, 2]]
    assert across.get_ydata() == [0.5, 0.5] and across.get_linestyle() == ":"
    assert [text.get_text() for text in ax.legend().get_texts()] == list(table)


def test_what_a_mean_is_of_stands_around_it(ax):
    charts.intervals(ax, {"a": {"x": (2.0, 0.5, 1.0, 2.0, 3.0), "y": (1.0, 0.1)}})
    small = [line for line in ax.lines if line.get_marker() == "." and len(line.get_xdata())]
    mean = ax.containers[0].lines[0]
    assert [line.get_xdata().tolist() for line in small] == [[1, 2, 3]] and small[0].get_color() == mean.get_color()
    assert 0 < np.abs(small[0].get_ydata() - mean.get_ydata()[0]).max() < 0.11  # nearer to it than to the next series


def test_a_band_holds_every_seed(ax):
    table = np.array([[1.0, 4.0], [3.0, 2.0], [2.0, 3.0]])
    charts.band(ax, np.array([10, 20]), table, "row", "C0")
    mean, *seeds = ax.lines
    assert mean.get_ydata().tolist() == [2, 3] and [line.get_ydata().tolist() for line in seeds] == table.tolist()
    low, high = ax.collections[0].get_datalim(ax.transData).intervaly
    assert (low, high) == (1, 4)


def test_lags_stand_side_by_side_with_a_line_at_the_median_and_hide_no_image(ax):
    found = {(0, 1): [0.4, 0.1, 0.3], (7, 7): [0.0, 0.0]}
    charts.lags(ax, found)
    near, median, far, _, zero = ax.lines
    assert near.get_ydata().tolist() == [0.4, 0.1, 0.3] and median.get_ydata().tolist() == [0.3, 0.3]
    assert np.abs(near.get_xdata()).max() < 0.2 and np.abs(far.get_xdata() - 1).max() < 0.2
    assert len(set(far.get_xdata())) == 2  # equal values do not lie on each other
    assert zero.get_ydata() == [0, 0]


def test_lags_are_drawn_alike_each_time_and_take_nothing_from_numpy_s_generator(ax):
    before = np.random.get_state()[1].tolist()  # noqa: NPY002 - the one that a chapter seeds
    for _ in range(2):
        charts.lags(ax, {(0, 1): [0.1, 0.2]})
    assert ax.lines[0].get_xdata().tolist() == ax.lines[3].get_xdata().tolist()
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


def test_dots_of_a_row_lie_on_the_truth_s_disc_and_leave_out_what_is_not_there(ax):
    rows = {"a": {"first": 1.0, "true": 2.0, "second": 3.0}, "b": {"second": 4.0}}
    charts.dots_by_row(ax, rows, truth="true", colours=("C3", "C4"))
    drawn = {line.get_label(): line for line in ax.lines}
    places = {name: line.get_xydata().tolist() for name, line in drawn.items()}
    assert places == {"first": [[1, 0]], "true": [[2, 0]], "second": [[3, 0], [4, 1]]}
    assert [drawn[name].get_color() for name in rows["a"]] == ["C3", charts.GRAY, "C4"]
    assert drawn["true"].get_markersize() > drawn["first"].get_markersize() > drawn["second"].get_markersize()
    assert drawn["true"].get_zorder() < drawn["first"].get_zorder()
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"] and ax.get_ylim() == (1.5, -0.5)


def test_other_seeds_are_small_dots_and_the_series_of_a_row_then_stand_apart(ax):
    charts.dots_by_row(ax, {"a": {"x": [1.0, 1.1, 0.9], "y": [2.0]}})
    small, first, other = ax.lines
    assert small.get_xdata().tolist() == [1.1, 0.9] and first.get_xdata().tolist() == [1.0]
    assert set(small.get_ydata()) == set(first.get_ydata()) and small.get_color() == first.get_color()
    assert other.get_ydata()[0] - first.get_ydata()[0] == pytest.approx(0.22)
    assert [text.get_text() for text in ax.legend().get_texts()] == ["x", "y"]


def test_rows_of_one_series_each_stand_where_their_names_are(ax):
    charts.dots_by_row(ax, {"a": {"x": [1.0, 1.1, 0.9]}, "b": {"y": [2.0, 3.0]}})
    assert [set(line.get_ydata()) for line in ax.lines] == [{0}, {0}, {1}, {1}]


def test_a_heat_map_marks_the_best_of_each_column_and_leaves_blanks(ax):
    table = np.array([[30.0, np.nan], [20.0, 25.0]])
    charts.heat_map(ax, table, ["a", "b"], ["x", "y"])
    assert [text.get_weight() for text in ax.texts] == ["bold", "normal", "normal", "bold"]
    charts.heat_map(ax, table[:1], ["a"], ["x", "y"])
    assert ax.texts[-2].get_weight() == "normal"  # the best of one is no news


def test_a_heat_map_of_gains_has_a_sign_and_leaves_its_last_rows_out_of_the_comparison(ax):
    table = np.array([[-9.0, 2.0], [1.0, 0.0], [5.0, 6.0]])
    shade = charts.heat_map(ax, table, ["a", "b", "best"], ["x", "y"], limit=10, rest=1)
    assert [text.get_text() for text in ax.texts] == ["-9.0", "+2.0", "+1.0", "+0.0", "+5.0", "+6.0"]
    assert [text.get_weight() for text in ax.texts] == ["normal", "bold", "bold", "normal", "normal", "normal"]
    assert shade.get_clim() == (-10, 10) and ax.lines[0].get_ydata() == [1.5, 1.5]
    assert [text.get_color() for text in ax.texts[:2]] == ["white", "black"]  # on brown, and on nearly white


def test_a_row_has_a_dot_for_an_x_a_ring_for_an_o_and_else_nothing(ax):
    charts.marks(ax, {"a": "x.o", "b": ".x."}, ["a burst", "clean images", "mean zero of noise"])
    dots, rings, _ = ax.collections
    assert dots.get_offsets().tolist() == [[0, 0], [1, 1]] and rings.get_offsets().tolist() == [[2, 0]]
    assert rings.get_facecolor().tolist() == [[1, 1, 1, 1]] and dots.get_facecolor().tolist() != [[1, 1, 1, 1]]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"] and ax.get_ylim() == (1.5, -0.5)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a\nburst", "clean\nimages", "mean\nzero of noise"]


def test_names_stand_beside_their_dots(ax):
    charts.named(ax, {"L-1": (1.0, 2.0), "L-2": (3.0, 4.0)}, "rows", "C0", left=["L-2"])
    assert [(text.xy, text.get_ha()) for text in ax.texts] == [((1.0, 2.0), "left"), ((3.0, 4.0), "right")]
