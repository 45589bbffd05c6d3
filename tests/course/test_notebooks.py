"""The chapters themselves: contract, definitions against the library, solutions, and nbval's teeth."""

import ast
import contextlib
import io
import itertools
import os
import re
import subprocess
import sys
from types import SimpleNamespace

import IPython.display
import nbformat
import numpy as np
import pytest
import torch
from contract import is_drawing, problems
from scipy import ndimage, signal
from scipy.stats import norm

from dnlib import networks, training
from dnlib.course import claims, exercises, jobs, plots, records
from dnlib.course.diagrams import sees
from dnlib.filters import jinvariance, median, recorrupt, recorrupted_risk, stein_risk
from dnlib.images import Picture, datasets, to_tensor, write
from dnlib.methods import (
    Batch,
    BlindSpotBayes,
    Features,
    Noise2Noise,
    Noise2Self,
    craft_tiles,
    patch_targets,
    ssid,
    visible_mean,
)
from dnlib.networks import BabyUNet, BlindSpotUNet, Noise2CleanUNet, TwoWayBlindSpotUNet, half_plane, shuffle
from dnlib.noise import Belief, CorrelatedGaussian, Gaussian, camera, correlation, raw
from dnlib.training import fit, metrics

CHAPTERS = jobs.chapters()
FEW = 5  # steps of a training, at most
by_name = pytest.mark.parametrize("notebook", CHAPTERS, ids=lambda path: path.stem)


@by_name
def test_a_chapter_keeps_the_contract(notebook):
    assert problems(notebook) == []


def edited(notebook, tmp_path, edit):
    """A copy of a chapter after `edit(document)`."""
    document = nbformat.read(notebook, as_version=4)
    edit(document)
    copy = tmp_path / notebook.name
    nbformat.write(document, copy)
    return copy


def code(document):
    return [cell for cell in document.cells if cell.cell_type == "code"]


def checked(document):
    return [cell for cell in code(document) if "nbval-check-output" in cell.metadata.get("tags", [])]


def delete_output(document):
    checked(document)[0].outputs = []


def delete_count(document):
    checked(document)[0].execution_count = None


def drop_alt_text(document):
    for cell in document.cells:
        for output in cell.get("outputs", []):
            output.get("metadata", {}).pop("image/png", None)


def leave_alt_text_stale(document):
    for output in (output for cell in code(document) for output in cell.outputs):
        for kind in output.get("metadata", {}).values():
            kind["alt"] = "What it was before its cell was changed."


def store_widget(document):
    view = {"application/vnd.jupyter.widget-view+json": {}}
    code(document)[0].outputs.append(nbformat.v4.new_output("display_data", view))


def store_error(document):
    error = {"ename": "ValueError", "evalue": "no", "traceback": []}
    code(document)[0].outputs.append(nbformat.v4.new_output("error", **error))


def name_a_machine(document):
    output = nbformat.v4.new_output("stream", name="stdout", text="read /home/ada/noisy.png\n")
    code(document)[0].outputs.append(output)


def hide_verdicts(document):
    code(document)[-1].outputs = []


def untag(document):
    checked(document)[0].metadata.tags = []


def draw_by_hand(document):
    code(document)[2].source = "\n".join(
        ["fig, ax = plots.figure()", *["ax.plot([1, 2])"] * 12, "plots.show(fig, alt='')"]
    )


def invent_a_number(document):
    document.cells[0].source += "\n\nThat gains 73.91 dB."


def ask_in_italics(document):
    asking = next(cell for cell in document.cells[1:] if "**Predict" in cell.source)
    asking.source = f"*Predict:* which radius?\n\n{asking.source}"


def forget_a_seed(document):
    document.cells[0].source += "\n\nOver five seeds it is three, with 5 other seeds it was four."


def invent_seeds(document):
    document.cells[0].source += "\n\nWith each of nine other seeds it is three."


def change_the_question_alone(document):
    for cell in document.cells:
        cell.source = cell.source.replace("± 0.67 dB", "± 0.68 dB")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (delete_output, "a checked cell does not store verdicts alone"),
        (delete_count, "the execution counts are not those of one clean run"),
        (drop_alt_text, "a picture has no alt text"),
        (leave_alt_text_stale, "a picture's alt text is not what its cell printed: 'What it was before"),
        (store_widget, "a widget is stored"),
        (store_error, "an error is stored: ValueError"),
        (name_a_machine, "a path of a machine stands in the cell"),
        (hide_verdicts, "the cell that records prints no verdict"),
        (untag, "a cell with verdicts is not compared by nbval"),
        (draw_by_hand, "the subject of a code cell is matplotlib"),
        (invent_a_number, "a number that the chapter does not print: 73.91"),
        (ask_in_italics, "a question is not answered: ':* which radius?"),
        (forget_a_seed, "no such number of seeds was recorded: 'Over five seeds'"),
        (invent_seeds, "no such number of seeds was recorded: 'of nine other seeds'"),
    ],
)
def test_the_contract_notices_damage_and_calls_it_by_its_name(tmp_path, damage, message):
    (notebook,) = jobs.select(["01"])
    found = problems(edited(notebook, tmp_path, damage))
    assert any(problem.startswith(message) for problem in found), found


def test_an_answer_keeps_to_the_interval_of_its_question(tmp_path):
    (notebook,) = jobs.select(["06"])
    found = problems(edited(notebook, tmp_path, change_the_question_alone))
    assert "the answer to 06.5 has an interval that no exercise states: -0.80 ± 0.67" in found


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        (["x = 1"] * 6 + ["ax.plot(x)"] * 6, False),  # half of it
        (["x = 1"] * 6 + ["ax.set(", "    title=x,", ")", *["fig.colorbar(x)"] * 4], True),
        (["x = 1"] * 6 + ["plots.show(fig, alt='a'", *["    'b'"] * 9, ")"] + ["ax.plot(x)"] * 5, False),  # prose
        (["for ax in axes:"] + ["    ax.plot(x)"] * 5 + ["x = 1"] * 5, False),  # a short cell
        (["for ax in axes:"] + ["    ax.plot(x)"] * 7 + ["x = 1"] * 5, True),
        (["charts.curves(ax, x, y)"] * 8 + ["optimizer.step()"] * 8, False),
    ],
)
def test_a_cell_draws_by_hand_if_most_of_its_lines_call_axes_or_figures(source, drawn):
    assert is_drawing("\n".join(source)) == drawn


def test_nbval_passes_an_honest_verdict_and_fails_an_edited_one(tmp_path):
    cells = []
    for stored in ("PASS one is one\n", "PASS it is not true that one is one\n"):
        output = nbformat.v4.new_output("stream", name="stdout", text=stored)
        source = 'import dnlib\n\ndnlib.verify("one is one", 1 == 1)'
        options = {"metadata": {"tags": ["nbval-check-output"]}, "execution_count": 1, "outputs": [output]}
        cells.append(nbformat.v4.new_code_cell(source, **options))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "a.ipynb")
    arguments = ["-p", "no:cacheprovider", "--nbval-lax", "--nbval-current-env", "-q", "-rA", "."]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=tmp_path,
        env=os.environ | {"DNLIB_PROFILE": "smoke", "DNLIB_HEADLESS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    told = re.findall(r"^(PASSED|FAILED) a.ipynb::Cell (\d)", result.stdout, flags=re.MULTILINE)
    assert sorted(told) == [("FAILED", "1"), ("PASSED", "0")], result.stdout[-2000:]


def executed(number, tmp_path, monkeypatch, **overrides):
    """What a chapter records and what its exercises say, run in this process.

    Each stub runs with what it says is to be tried, and then the reference answers stand under the reader's names: so
    the next cell checks the answer, and changes the one thing that is to be changed, a training of few steps at most.
    Figures are made, but left undrawn: nbval draws them.
    """
    (job,) = jobs.plan([number], profile="smoke", out=tmp_path / "out", overrides=overrides)
    (notebook,) = jobs.select([number])
    monkeypatch.chdir(notebook.parent)
    monkeypatch.setenv("DNLIB_PROFILE", "smoke")
    monkeypatch.setenv("DNLIB_RECORD", str(job.record))
    monkeypatch.setattr(IPython.display, "display", lambda *_, **options: None)
    monkeypatch.setattr(plots, "_pixels", lambda figure: np.zeros((1, 1, 3), np.uint8))
    monkeypatch.setattr(training, "fit", lambda *given, steps, **told: fit(*given, steps=min(steps, FEW), **told))
    cells = nbformat.read(notebook, as_version=4).cells
    space, answers = {}, []
    for cell, following in itertools.zip_longest(cells, cells[1:]):
        if cell.cell_type != "code":
            continue
        source = tried(cell.source) if "exercise" in tags(cell) else cell.source
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(source, notebook.stem, "exec"), space)
        if "parameters" in tags(cell):
            space |= job.parameters
        if "exercise" in tags(cell):
            asked = re.findall(r'dnlib\.check\("(\d\d[a-z]?\.\d)", (\w+)\)', following.source)
            space |= {name: exercises.find(key).answer for key, name in asked}
        if "dnlib.check(" in cell.source:
            answers.append(out.getvalue().splitlines()[0].partition(":")[0])
    plots.plt.close("all")
    return records.read(job.record), answers


def tried(stub):
    """A stub with what it says is to be tried in place of its None."""
    return re.sub(r"^(\w+) = .*  # try: (.*)$", r"\1 = \2", stub, flags=re.MULTILINE)


def tags(cell):
    return cell.metadata.get("tags", [])


def definitions(number, *names):
    """Functions as a chapter's own cells define them, with the modules that the chapter has imported by then."""
    (notebook,) = jobs.select([number])
    space = {"np": np, "ndimage": ndimage, "torch": torch, "norm": norm, "visible_mean": visible_mean}
    space |= {"nn": torch.nn, "functional": torch.nn.functional, "networks": networks}
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code":
            for node in ast.parse(cell.source).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name in names:
                    exec(compile(ast.Module([node], []), notebook.name, "exec"), space)
    return [space[name] for name in names]


def test_chapter_00_defines_psnr_as_the_library_does(rng):
    (psnr,) = definitions("00", "psnr")
    x, y = rng.random((2, 20, 30, 3))
    assert psnr(x, y) == pytest.approx(metrics.psnr(x, y))


def test_chapter_00_correlation_map_is_the_direct_sum(rng):
    (correlation_map,) = definitions("00", "correlation_map")
    noise = ndimage.uniform_filter(rng.standard_normal((24, 30)), 3, mode="wrap")
    found = correlation_map(noise, reach=4)
    centred = noise - noise.mean()
    for dy in range(-4, 5):
        for dx in range(-4, 5):
            direct = np.mean(centred * np.roll(centred, (dy, dx), axis=(0, 1))) / np.mean(centred**2)
            assert found[dy + 4, dx + 4] == pytest.approx(direct, abs=1e-12)


def test_chapter_01_donut_is_the_library_s(rng):
    donut, blind_pad, donut_median = definitions("01", "donut", "blind_pad", "donut_median")
    image = rng.random((20, 23))
    for radius in range(1, 7):
        np.testing.assert_array_equal(blind_pad(image, radius), jinvariance.blind_pad(image, radius))
        np.testing.assert_array_equal(donut(radius), jinvariance.donut(radius))
        np.testing.assert_array_equal(donut_median(image, radius), jinvariance.donut_median(image, radius))


def test_chapter_01_recipe_is_the_library_s(rng):
    (make_invariant,) = definitions("01", "make_invariant")
    image = rng.random((20, 23))
    for filter in (lambda y: y, lambda y: median(y, 2)):
        np.testing.assert_allclose(make_invariant(filter, image), jinvariance.invariant(filter, image), atol=1e-12)


def test_chapter_01_stein_error_is_the_library_s(rng):
    (stein_error,) = definitions("01", "stein_error")
    image, drawn = rng.random((2, 20, 23))
    for filter in (lambda y: y, lambda y: median(y, 2)):
        assert stein_error(filter, image, drawn, 0.1) == pytest.approx(stein_risk(filter, image, [drawn]).at())


def test_chapter_01_ridge_weights_are_where_stein_s_error_is_least(rng):
    (ridge_weights,) = definitions("01", "ridge_weights")
    group, sigma = rng.random((5, 49)), 0.2

    def error(weights):
        return np.sum((weights @ group - group) ** 2) + 2 * 49 * sigma**2 * np.trace(weights)

    best = ridge_weights(group, sigma)
    assert all(error(best + 0.1 * rng.standard_normal((5, 5))) > error(best) for _ in range(20))


def test_chapter_02_loss_is_the_library_s():
    (noise2noise_loss,) = definitions("02", "noise2noise_loss")
    network, noisy, second = BabyUNet(1, 4).eval(), torch.rand(2, 1, 16, 16), torch.rand(2, 1, 16, 16)
    batch = Batch(torch.Generator(), noisy=noisy, second_noisy=second)
    assert torch.equal(noise2noise_loss(network, noisy, second), Noise2Noise(network).loss(batch))


def test_chapter_02_u_net_is_the_library_s():
    _, _, by_hand = definitions("02", "layer", "double", "UNet")
    ours, theirs = by_hand(3, 4, 4), Noise2CleanUNet(3, 4, depth=4)
    ours.load_state_dict(theirs.state_dict())
    for shape in ((1, 3, 32, 16), (2, 3, 21, 30)):
        image = torch.rand(shape)
        assert torch.equal(ours(image), theirs(image))


@pytest.mark.parametrize("rho", [0.0, 0.5, 0.8, 1.0])
def test_chapter_02_correlated_noise_has_the_correlation_and_the_strength(rho, rng):
    (correlated_noise,) = definitions("02", "correlated_noise")
    noise, new = rng.standard_normal((2, 200_000))
    mixed = correlated_noise(noise, new, rho)
    assert np.corrcoef(noise, mixed)[0, 1] == pytest.approx(rho, abs=0.01)
    assert mixed.std() == pytest.approx(1, abs=0.01)


def test_chapter_02_prediction_is_right_for_a_best_estimate(rng):
    """For normal x the best estimate is linear, and E[y' | y] can be computed: x_hat + rho (y - x_hat)."""
    (error_with_correlation,) = definitions("02", "error_with_correlation")
    x, noise = 2 * rng.standard_normal(400_000), rng.standard_normal(400_000)
    best = (x + noise) * 4 / 5
    for rho in (0.3, 0.7, 1.0):
        answer = best + rho * (x + noise - best)
        expected = error_with_correlation(np.mean((best - x) ** 2), 1.0, rho)
        assert np.mean((answer - x) ** 2) == pytest.approx(expected, rel=0.01)


def test_chapter_03a_masks_and_loss_are_the_library_s():
    grid_group, noise2self_loss = definitions("03a", "grid_group", "noise2self_loss")
    network, noisy = BabyUNet(1, 4).eval(), torch.rand(2, 1, 15, 18)
    for width in (2, 4):
        method = Noise2Self(network, width=width)
        for number in range(width**2):
            mask = grid_group(noisy.shape, width, number)
            assert torch.equal((method.groups(noisy.shape, torch.Generator()) == number)[:1], mask)
    generator = torch.Generator().manual_seed(3)
    number = int(torch.randint(16, (), generator=torch.Generator().manual_seed(3)))
    by_hand = noise2self_loss(network, noisy, grid_group(noisy.shape, 4, number))
    loss = Noise2Self(network).loss(Batch(generator, noisy=noisy))
    assert loss.item() == pytest.approx(by_hand.item())


def test_chapter_05_correlation_by_hand_and_by_fft_are_the_library_s(rng):
    overlap, by_hand, sums_by_fft = definitions("05", "overlap", "correlation_by_hand", "sums_by_fft")
    noise = rng.standard_normal((20, 26, 3)) + 0.2
    found = correlation.correlation_map(noise, 4)
    for k, m in itertools.product(range(-4, 5), repeat=2):
        assert found[4 + k, 4 + m] == pytest.approx(by_hand(noise, k, m))
        assert sums_by_fft(noise[..., 0], 4)[4 + k, 4 + m] == pytest.approx(
            np.multiply(*overlap(noise[..., 0], k, m)).sum()
        )


def test_chapter_05_bilinear_demosaicking_is_the_library_s(rng):
    (bilinear,) = definitions("05", "bilinear")
    raw = rng.random((14, 17))
    found = camera.demosaic(torch.from_numpy(raw)[None, None], "bilinear")[0].permute(1, 2, 0).numpy()
    assert np.allclose(bilinear(raw), found)


def test_chapter_04_posterior_of_one_pixel_is_the_library_s(rng):
    (after_seeing,) = definitions("04", "after_seeing")
    for mean, width, observed, noise in rng.random((5, 4)) + 0.01:
        by_hand = after_seeing(mean, width, observed, noise)
        pixels = torch.tensor([[[[mean]]], [[[observed]]], [[[width]]]], dtype=torch.float64)
        prior, seen, deviation = pixels[0:1], pixels[1:2], pixels[2:3]
        found = Gaussian(255 * noise).posterior(
            seen, prior, (deviation**2)[None, 0][:, :, None], torch.tensor([noise], dtype=torch.float64)
        )
        assert (found.mean.item(), found.std.item()) == pytest.approx(by_hand)


def test_chapter_04_half_planes_are_the_library_s():
    upwards, one_row_down, four_directions = definitions("04", "upwards", "one_row_down", "four_directions")
    network, image = BlindSpotUNet(3, 4, depth=2), torch.rand(2, 3, 16, 12)
    layer = next(part for part in network.branch.modules() if isinstance(part, half_plane._Upwards))
    assert torch.allclose(torch.nn.functional.leaky_relu(upwards(image, layer.conv), 0.1), layer(image), atol=1e-6)
    assert torch.equal(one_row_down(image), half_plane._move(image, down=1))
    assert torch.allclose(network.join(four_directions(network.branch, image)), network(image), atol=1e-5)


def test_chapter_04_half_plane_u_net_is_the_library_s():
    _, _, _, _, double, by_hand = definitions(
        "04", "upwards", "one_row_down", "halved", "Upwards", "double", "HalfPlane"
    )
    assert torch.equal(double(torch.ones(1, 1, 2, 3)), torch.ones(1, 1, 4, 6))
    ours, theirs = by_hand(3, 4, 3), half_plane.HalfPlane(3, 4, depth=3)
    ours.load_state_dict(theirs.state_dict())
    image = torch.rand(2, 3, 16, 24)
    assert torch.allclose(ours(image), theirs(image), atol=1e-6)


@pytest.mark.parametrize("depth", [2, 3])
def test_exercise_04_3_counts_the_rows_that_pooling_as_usual_leaks(depth):
    def usual(x):
        return torch.nn.functional.max_pool2d(x, 2)

    torch.manual_seed(0)
    leaky = networks.UNet(1, 4, torch.nn.Conv2d(9, 1, 1), depth=depth, layer=half_plane._Upwards, pool=usual)
    image = torch.rand(1, 1, 32, 16)
    below = [np.flatnonzero(sees(leaky, image, (row, 8)).any(axis=1)).max() - row for row in range(16)]
    assert max(below) == exercises.find("04.3").answer(depth)


def test_chapter_04_likelihood_and_posterior_are_the_library_s():
    triangle_product, improbability, bayes_estimate = definitions(
        "04", "triangle_product", "improbability", "bayes_estimate"
    )
    torch.manual_seed(0)
    network, noisy = TwoWayBlindSpotUNet(3, 4, depth=2), torch.rand(1, 3, 9, 11)
    method = BlindSpotBayes(network, Gaussian(25)).eval()
    answers = network(noisy).double()[0].flatten(1).T
    y, mean, cov = noisy.double()[0].flatten(1).T, answers[:, :3], triangle_product(answers[:, 3:])
    loss = method.loss(Batch(torch.Generator(), noisy=noisy))
    assert loss.item() == pytest.approx(improbability(y, mean, cov, 25 / 255).mean().item())
    found = method.denoise(noisy).mean[0].flatten(1).T
    assert torch.allclose(bayes_estimate(y, mean, cov, 25 / 255).float(), found, atol=1e-5)


def test_chapter_04_floor_is_the_library_s():
    (widened,) = definitions("04", "widened")
    widened.__globals__.update(Belief=Belief, level=torch.tensor([25 / 255], dtype=torch.float64))
    method = BlindSpotBayes(TwoWayBlindSpotUNet(3, 4, depth=2), Gaussian(25), floor=0.3).eval()
    noisy = torch.rand(1, 3, 9, 11)
    prior = method.belief(noisy)
    by_hand = Gaussian(25).posterior(noisy.double(), *widened(prior, 1, 0.3), widened.__globals__["level"])
    plain = Gaussian(25).posterior(noisy.double(), *prior, widened.__globals__["level"])
    found = method.denoise(noisy)
    assert torch.allclose(found.std, by_hand.std.float(), atol=1e-6) and (by_hand.std > plain.std).all()
    assert torch.allclose(found.mean, plain.mean.float(), atol=1e-6)  # answers stay as they are


def test_chapter_06_distances_by_hand_are_the_library_s():
    (by_hand,) = definitions("06", "distances_by_hand")
    burst, y, x = torch.rand(3, 3, 30, 32, generator=torch.Generator().manual_seed(0)), 9, 11
    found = patch_targets.search(burst, patch=5, radius=4)
    frames = {t: by_hand(burst[1], burst[t], y, x, 5, 4) for t in (0, 2)}
    nearest = min(frames, key=lambda t: float(frames[t].min()))
    row, column = np.unravel_index(int(frames[nearest].argmin()), (9, 9))
    place = y + 4, x + 4
    assert found.distance[place] == pytest.approx(float(frames[nearest].min()), rel=1e-5)
    assert [int(part[place]) for part in found[:3]] == [nearest, row - 4, column - 4]


def test_chapter_06_tiles_are_those_that_craft_tiles_cuts():
    (tiles_of,) = definitions("06", "tiles_of")
    tiles_of.__globals__["run"] = SimpleNamespace(size=SimpleNamespace(tile=20, stride=9))
    bursts = [torch.rand(3, 3, 40, 50, generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    tiles = craft_tiles(bursts, patch=5, radius=2, side=20, stride=9)
    assert torch.equal(tiles_of([burst[1][None] for burst in bursts]), tiles.noisy)


def test_chapter_06_predicts_the_scatter_of_the_covariance(rng):
    (predicted_deviation,) = definitions("06", "predicted_deviation")
    predicted_deviation.__globals__.update(kernel=3, variance=0.04)
    clean = torch.from_numpy(ndimage.gaussian_filter(rng.random((1, 3, 24, 24)), (0, 0, 2, 2)).astype(np.float32))
    clean = 4 * clean.expand(2_000, -1, -1, -1)
    noise, generator = CorrelatedGaussian(0.2 * 255, 3), torch.Generator().manual_seed(0)
    noisy, target = (noise.sample(clean, generator).image for _ in range(2))
    drawn = patch_targets.covariance(noisy, target)
    assert drawn.mean().item() == pytest.approx(-0.04, abs=0.002)
    assert predicted_deviation(clean[:1])[0] == pytest.approx(drawn.std().item(), rel=0.06)


def test_chapter_07_sorts_pixels_as_the_library_does(rng):
    split_by_hand, map_after = definitions("07", "split_by_hand", "map_after")
    image = rng.random((12, 18, 3))
    for stride in (1, 2, 3):
        parts = shuffle.split(to_tensor(image), stride).movedim(1, -1).numpy()
        np.testing.assert_allclose(split_by_hand(image, stride), parts, atol=1e-7)
    box = ndimage.uniform_filter(rng.standard_normal((400, 400, 3)), (4, 4, 1), mode="wrap")
    map_after.__globals__.update(noises=[box], correlation=correlation)
    assert [map_after(s, 2)[2, 3] for s in (1, 2, 4)] == pytest.approx([3 / 4, 1 / 2, 0], abs=0.02)


def test_chapter_08_coherence_is_one_for_the_picture_and_small_for_noise(rng):
    (coherent,) = definitions("08", "coherent")
    coherent.__globals__.update(signal=signal)
    picture, noise = rng.random((2, 64, 64, 3))
    assert coherent(0.3 * picture + 0.1, picture) == pytest.approx(np.ones(12))
    assert coherent(noise, picture)[2:].max() < 0.1
    assert coherent(picture + noise, picture)[2:].mean() == pytest.approx(0.5, abs=0.1)


def test_chapter_09_alpha_is_the_library_s(rng):
    (alpha_by_hand,) = definitions("09", "alpha_by_hand")
    estimate = ndimage.gaussian_filter(rng.random((40, 50, 3)), (3, 3, 0))
    for thresholds in ((1.0, 5.0), (3.0, 3.0), (0.0, 20.0)):
        found = ssid.alpha(to_tensor(estimate), thresholds)[0, 0].numpy()
        np.testing.assert_allclose(alpha_by_hand(estimate, *thresholds), found, atol=1e-4)


def test_chapter_10_ssim_by_hand_is_the_library_s(rng):
    ssim_by_hand, box, ball = definitions("10", "ssim_by_hand", "box", "ball")
    clean = ndimage.gaussian_filter(rng.random((24, 27, 3)), (2, 2, 0))
    found = np.clip(clean + 0.05 * rng.standard_normal(clean.shape), 0, 1)
    uniform = ssim_by_hand(clean, found, box, 49 / 48)[3:-3, 3:-3].mean()
    assert uniform == pytest.approx(metrics.ssim(found, clean, "uniform"))
    assert ssim_by_hand(clean, found, ball).mean() == pytest.approx(metrics.ssim(found, clean, "volume"))


def test_chapter_11_planes_and_distance_are_the_library_s(rng):
    pack_by_hand, distance_by_hand = definitions("11", "pack_by_hand", "distance_by_hand")
    frame = torch.rand(1, 1, 12, 18)
    assert torch.equal(pack_by_hand(frame), raw.pack(frame))
    distance_by_hand.__globals__["features"] = features = Features(Noise2CleanUNet(3, 6, depth=2))
    answer, target = torch.rand(2, 1, 3, 24, 28)
    assert distance_by_hand(answer, target) == pytest.approx(float(features.distance(answer, target)), rel=1e-4)


def test_chapter_12_judge_is_the_library_s(rng):
    pair, loss, error, cross_map = definitions(
        "12", "recorrupted_pair", "loss_of_pair", "recorrupted_error", "cross_map"
    )
    loss.__globals__["recorrupted_pair"], error.__globals__["loss_of_pair"] = pair, loss
    image, drawn = rng.random((2, 20, 23, 3))
    for filter, a in itertools.product((lambda y: y, lambda y: median(y, 1)), (0.1, 0.5, 2)):
        np.testing.assert_array_equal(pair(image, drawn, a), recorrupt(image, drawn, a))
        found = recorrupted_risk(filter, image, [drawn], strength=a).at()
        assert error(filter, image, drawn, a) == pytest.approx(found)
        accident = 2 * (a + 1 / a) * np.mean(drawn * (filter(image) - image))
        assert loss(filter, image, drawn, a) == pytest.approx(found + accident)
    noise = rng.standard_normal((24, 30, 1))
    assert cross_map(noise, np.roll(noise, (1, 2), axis=(0, 1)))[5 - 1, 5 - 2] == pytest.approx(1)


@pytest.fixture(scope="module")
def small_data(tmp_path_factory):
    """Datasets of the right names and numbers, with small made-up pictures."""
    folder, rng = tmp_path_factory.mktemp("small"), np.random.default_rng(0)

    def picture():
        smooth = ndimage.gaussian_filter(rng.random((96, 100, 3)), (8, 8, 0))
        smooth = (smooth - smooth.min()) / np.ptp(smooth)
        pixels = smooth + 0.05 * rng.standard_normal(smooth.shape)
        return Picture.of(np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8))

    made = itertools.cycle([picture() for _ in range(7)])  # noisy and clean are never the same one

    def store(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, next(made))

    for i in range(24):
        store(folder / "kodak24" / f"kodim{i + 1:02d}.png")
    for i, side in itertools.product(range(3), ("noisy", "clean")):
        store(folder / "fmd" / side / f"{i}.png")
    for video, frame in itertools.product(range(10), range(15)):
        store(folder / "davis480p" / f"video{video}" / f"{frame:05d}.jpg")
    for name, count in (("sidd_val_crops", 54), ("polyu", 75)):
        for i, side in itertools.product(range(count), ("noisy", "clean")):
            store(folder / name / side / f"{i:04d}.png")
    return folder


@pytest.mark.parametrize(
    ("number", "overrides", "places"),
    [
        ("00", {"photo": "moon"}, {"sidd_val_crops": "real.ssim_gap"}),
        ("01", {"dataset": "kodak24"}, {"kodak24": None}),
        ("02", {"dataset": "kodak24"}, {"kodak24": "shipped.noise2clean"}),
        ("03a", {}, {}),
        ("03b", {}, {"fmd": "table.fluorescence.raw"}),
        ("04", {"dataset": "kodak24"}, {"kodak24": "table.full"}),
        ("05", {}, {"sidd_val_crops": "surveys.phones (SIDD).lag_1"}),
        ("06", {"dataset": "davis480p"}, {"davis480p": "psnr.start"}),
        ("07", {}, {"sidd_val_crops": "phones.table.*.AP-BSN.psnr", "polyu": "polyu_gain"}),
        ("08", {}, {"sidd_val_crops": "phones.branches_overlap"}),
        ("09", {}, {"sidd_val_crops": "phones.psnr.U-Net"}),
        ("10", {}, {"sidd_val_crops": "phones.matrix.plain.hole 9"}),
        ("11", {"dataset": "kodak24"}, {"kodak24": "before_over_after.blind.ISO 800.mean"}),
        ("12", {}, {"kodak24": "reached.truth"}),
    ],
)
def test_chapters_use_and_name_the_data_that_is_present_and_their_solutions_are_right(
    small_data, tmp_path, monkeypatch, number, overrides, places
):
    """Without these data, and without solutions, nbval runs them."""
    monkeypatch.setenv("DNLIB_DATA", str(small_data))
    load = datasets.load
    few = {"kodak24": 2 if number == "11" else 1}  # of one photograph chapter 11 has no interval
    monkeypatch.setattr(datasets, "load", lambda name, **selection: load(name, **selection)[: few.get(name)])
    record, answers = executed(number, tmp_path, monkeypatch, **overrides)
    assert len(answers) >= 2 and set(answers) == {"right"}
    for dataset, place in places.items():
        assert len(record.datasets[dataset]) == 64
        assert not place or list(claims.lookup(record.measured, place))


@by_name
def test_what_is_to_be_tried_stands_where_the_run_above_finds_it(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    trying = [cell for cell in cells if cell.cell_type == "code" and "# try:" in cell.source]
    assert trying and all("exercise" in tags(cell) and "# try:" not in tried(cell.source) for cell in trying)


@by_name
def test_exercises_are_stored_as_not_attempted(notebook):
    cells = nbformat.read(notebook, as_version=4).cells
    stubs = [i for i, cell in enumerate(cells) if "exercise" in tags(cell)]
    for i in stubs:
        assert "not attempted yet" in cells[i + 1].outputs[0].text


@pytest.mark.parametrize(
    ("number", "overrides", "error", "message"),
    [
        ("00", {"your_image": "nowhere.png"}, FileNotFoundError, r"nowhere\.png is not there"),
        ("01", {"dataset": "davis480p"}, ValueError, "'davis480p' has no single clean images"),
        ("10", {"steps": 7}, ValueError, "no row was trained for 7 steps"),
        ("10", {"blind": "hole 2"}, ValueError, "no blind network is called hole 2"),
        ("11", {"dataset": "davis480p"}, ValueError, "'davis480p' has no single clean images"),
        ("12", {"dataset": "davis480p"}, ValueError, "'davis480p' has no single clean images"),
    ],
)
def test_chapters_refuse_what_they_cannot_use(tmp_path, monkeypatch, number, overrides, error, message):
    with pytest.raises(error, match=message):
        executed(number, tmp_path, monkeypatch, **overrides)
