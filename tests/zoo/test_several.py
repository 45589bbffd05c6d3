"""Several trainings in one call: each as alone, one failure stops no other."""

import re

import pytest
from click.testing import CliRunner
from distributed import LocalCluster

from dnlib import cli
from dnlib.training import Diverged
from dnlib.zoo import cards, cluster, several, trainer
from dnlib.zoo.several import Training, train_all

A, B = "noise2noise_rgb_sigma25", "noise2clean_rgb_sigma25"


def quiet(line):
    """Nobody is told."""


@pytest.mark.filterwarnings("ignore")  # Dask's own
def test_a_worker_trains_the_same_weights_to_the_bit(small, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "_check_workers", lambda *arguments: None)  # the worker is this process
    there = [Training(name, out=tmp_path / "there") for name in (A, B)]
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**options, protocol="inproc://") as local:
        trained = dict(train_all(there, local.scheduler_address, report=quiet))
    for training in there:
        here = trainer.train(training.name, tmp_path / "here", report=quiet)
        assert cards.read_card(trained[training])["sha256"] == cards.read_card(here)["sha256"]


@pytest.mark.parametrize("error", [Diverged("the loss is nan at step 3"), RuntimeError("out of memory")])
def test_one_that_fails_stops_no_other_and_alone_it_is_raised(small, tmp_path, monkeypatch, error):
    train = trainer.train

    def failing(name, *arguments, **options):
        if name == A:
            raise error
        return train(name, *arguments, **options)

    monkeypatch.setattr(trainer, "train", failing)
    done = dict(train_all([Training(A, out=tmp_path), Training(B, out=tmp_path)], report=quiet))
    assert done[Training(A, out=tmp_path)] is error and done[Training(B, out=tmp_path)].is_file()
    with pytest.raises(type(error)):
        list(train_all([Training(A, out=tmp_path)], report=quiet))
    monkeypatch.setattr(trainer, "RUNS", tmp_path)
    result = CliRunner().invoke(cli.main, ["train", A, B, "--seed", "0", "--seed", "1"])
    assert result.exit_code == 2 and "2 of 4 trainings came to no end" in result.output
    assert all(f"{A}, seed {seed}: {error}\n" in result.output for seed in (0, 1))


def test_interrupted_among_instalments_it_says_which_have_been(tmp_path, monkeypatch):
    def interrupted(trainings, *arguments, **options):
        yield trainings[0], tmp_path
        raise KeyboardInterrupt

    monkeypatch.setattr(several, "train_all", interrupted)
    result = CliRunner().invoke(cli.main, ["train", A, B, "--more", "2h"])
    assert result.exit_code == 130 and f"leave out what has had its instalment: {A}\n" in result.output


def test_a_training_is_asked_for_once(tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "train", None)
    with pytest.raises(ValueError, match="the same name and seed were given twice"):
        next(train_all([Training(A), Training(B), Training(A)]))
    with pytest.raises(ValueError, match="one folder holds the trainings of one seed"):
        next(train_all([Training(A, out=tmp_path), Training(A, seed=1, out=tmp_path)]))
    with pytest.raises(ValueError, match=re.escape("'noise2sharp' was given")):
        next(train_all([Training(A), Training("noise2sharp")]))


def test_workers_need_what_is_learnt_from(monkeypatch):
    asked = {}
    monkeypatch.setattr(several.clusters, "spread", lambda *arguments, **options: asked.update(options) or iter(()))
    assert list(train_all([Training("ssid_row"), Training(A)], "tcp://host:1")) == []
    assert asked["needs"] == ["bsds500", "dnd_noisy", "sidd_val_crops"]
