"""`dnlib train`: what it lists, where it trains, what it refuses."""

import pytest
from click.testing import CliRunner

from dnlib import cli
from dnlib.zoo import cards, instalments, trainer

NAME = "noise2noise_rgb_sigma25"


def call(*arguments):
    result = CliRunner().invoke(cli.main, ["train", *map(str, arguments)])
    return result.exit_code, " ".join(result.output.split())


def test_the_list_shows_steps_and_held_out_score(monkeypatch):
    known = cards.read_card(NAME)
    monkeypatch.setattr(cards, "read_card", lambda name: known | {"steps": 123_456, "held_out": 31.417})
    status, text = call()
    assert status == 0 and all(word in text for word in (NAME, "bias_free_rgb_sigma0to55", "123456", "31.42"))


def test_each_seed_is_trained_in_a_folder_of_its_own(small, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "RUNS", tmp_path)
    monkeypatch.setattr(cards, "HOME", tmp_path / "shipped")
    trainer.train(NAME, report=lambda line: None)
    checkpoint = trainer.folder() / f"{NAME}.checkpoint.safetensors"
    assert checkpoint.is_file()
    status, text = call(NAME, "--seed", 7)  # met the checkpoint of seed 0 there
    path = trainer.folder("laptop", 7) / f"{NAME}.safetensors"
    assert status == 0 and text.endswith(str(path)) and path.is_file(), text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--more", "soon"], "a time is written like 2h, 1h30m, 45m or 90s; 'soon' was given"),
        (["--more", "2"], "'2' was given"),
        (["--more", ""], "'' was given"),
        (["--more", "0s"], "longer than nothing; 0.0 was given"),
        (["--more", "--steps", 0], "longer than nothing; 0 was given"),
        (["--more", "2h", "--steps", 5], "a time (--more 2h) or a number of steps"),
        (["--more"], "a time (--more 2h) or a number of steps"),
        (["--more", "2h", "--profile", "paper"], "--more takes neither --profile nor --seed"),
        (["--more", "2h", "--seed", 1], "--more takes neither --profile nor --seed"),
        (["--profile", "smoke"], "laptop or paper; 'smoke' was given"),
        (["--seed", -1, "--steps", 1], "'--seed': -1 is not in the range 0<=x<=4294967295"),
        (["--plan", "--more", "2h", "--publish"], "--profile and --device alone; --more, --publish were given"),
    ],
)
def test_what_cannot_be_trained_is_one_line(arguments, message, monkeypatch):
    monkeypatch.setattr(trainer, "fit", None)
    status, text = call(NAME, *arguments)
    assert status == 2 and message in text, text


@pytest.mark.parametrize(
    ("arguments", "given"), [(["--more", NAME], "--more was"), (["--steps", 5, "--publish"], "--publish, --steps were")]
)
def test_options_without_a_name_are_refused_instead_of_a_list(arguments, given):
    status, text = call(*arguments)
    assert status == 2 and text.endswith(
        f"options come with the name of what is to be trained: dnlib train NAME --more 2h; {given} given"
    )


def test_a_negative_seed_is_refused_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(trainer, "watch", None)
    with pytest.raises(ValueError, match="a seed is a whole number >= 0; -1 was given"):
        trainer.train(NAME, seed=-1)


def test_unknown_names_and_missing_data_are_one_line(tmp_path):
    assert call("noise2sharp")[0] == 2 and NAME in call("noise2sharp")[1]
    status, text = call(NAME, "--out", tmp_path)
    assert status == 2 and "dnlib data bsds500" in text


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", 7200), ("1h30m", 5400), ("45m", 2700), ("45min", 2700), ("90s", 90), ("0.5h", 1800)]
)
def test_times_are_read(text, seconds, monkeypatch):
    asked = []
    monkeypatch.setattr(instalments, "train_more", lambda name, out, **options: asked.append(options["seconds"]) or "x")
    assert call(NAME, "--more", text)[0] == 0 and asked == [seconds]


def test_ctrl_c_says_how_to_go_on(monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(instalments, "train_more", interrupted)
    status, text = call(NAME, "--more", "2h")
    assert status == 130 and "the same command goes on" in text
