import pytest
import yaml

from dnlib.methods import Noise2Noise
from dnlib.training import Diverged
from dnlib.zoo import cards, instalments, trainer
from dnlib.zoo.instalments import train_more

NAME = "noise2noise_rgb_sigma25"


def quiet(line):
    """Nobody is told."""


@pytest.fixture
def start(small, tmp_path, monkeypatch):
    """A folder with weights of four steps, where nothing ships."""
    monkeypatch.setattr(cards, "HOME", tmp_path / "shipped")
    trainer.train(NAME, tmp_path, report=quiet)
    return tmp_path


def held_out(monkeypatch, *scores):
    """Held-out images that score a method as foreseen, call by call."""
    scores = iter(scores)
    monkeypatch.setattr(trainer, "watch", lambda recipe: lambda method: next(scores))


def test_an_instalment_goes_on_and_the_card_adds_up(start):
    first = cards.read_card(start / f"{NAME}.yaml")
    path = train_more(NAME, start, steps=6, report=quiet)
    card = cards.read_card(path)
    assert (card["steps"], [part["steps"] for part in card["instalments"]]) == (10, [4, 6])
    assert card["seconds"] >= first["seconds"] and card["command"].endswith(f"&& dnlib train {NAME} --more --steps 6")
    assert [entry["steps"] for entry in first["curve"]] == [1, 2, 4]
    assert [entry["steps"] for entry in card["curve"]] == [1, 2, 4, 8, 10]
    assert all(set(entry) == {"steps", "loss", "psnr"} for entry in card["curve"])
    assert card["held_out"] >= first["held_out"] and card["sha256"] != first["sha256"]
    assert not list(start.glob("*.more.*"))
    again = cards.read_card(train_more(NAME, start, steps=2, report=quiet))
    assert (again["steps"], len(again["instalments"])) == (12, 3)


def test_a_row_is_judged_anew_after_an_instalment(small, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "HOME", tmp_path / "shipped")
    first = cards.read_card(trainer.train("ap_bsn_row", tmp_path, report=quiet))["judged"]
    held_out(monkeypatch, *range(99))
    judged = cards.read_card(train_more("ap_bsn_row", tmp_path, steps=3, report=quiet))["judged"]
    assert judged != first and judged.keys() == first.keys()


def test_a_worse_instalment_changes_nothing(start, monkeypatch):
    before, said = (start / f"{NAME}.safetensors").read_bytes(), []
    held_out(monkeypatch, *[30.0] * 1, *[29.0] * 9)
    path = train_more(NAME, start, steps=6, report=said.append)
    assert path.with_suffix(".safetensors").read_bytes() == before
    assert cards.read_card(path)["steps"] == 4 and "the old weights stay" in said[-1]
    assert not list(start.glob("*.more.*"))


def test_only_what_is_at_least_as_good_is_published(start, monkeypatch):
    path = cards.publish(start / f"{NAME}.safetensors")
    worse, card = start / "worse" / f"{NAME}.safetensors", cards.read_card(path)
    for held_out in (card["held_out"] - 0.01, float("nan")):
        cards.save_method(cards.load_method(path), worse, card | {"held_out": held_out})
        with pytest.raises(ValueError, match="at least as good"):
            cards.publish(worse)
    shipped = path.read_bytes()
    cards.save_method(cards.load_method(path), worse, card)
    worse.write_bytes(shipped[:-2] + b"xx")
    with pytest.raises(ValueError, match="not the file its card describes"):
        cards.publish(worse)
    assert path.read_bytes() == shipped


def test_an_interrupted_instalment_ends_as_if_it_had_not_been(start, tmp_path, monkeypatch):
    for folder in ("whole", "cut"):
        (tmp_path / folder).mkdir()
        for ending in (".safetensors", ".yaml"):
            (tmp_path / folder / f"{NAME}{ending}").write_bytes((start / f"{NAME}{ending}").read_bytes())
    monkeypatch.setattr(trainer, "watch", lambda recipe: lambda method: 1.0)
    whole = train_more(NAME, tmp_path / "whole", steps=6, report=quiet)
    looks = iter([1.0, 1.0])  # before it starts, after step 8 - 4

    def watch(method):
        try:
            return next(looks)
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr(trainer, "watch", lambda recipe: watch)
    fit = trainer.fit
    monkeypatch.setattr(trainer, "fit", lambda *a, **k: fit(*a, **k, save_every=0))
    with pytest.raises(KeyboardInterrupt):
        train_more(NAME, tmp_path / "cut", steps=6, report=quiet)
    with pytest.raises(ValueError, match="6 steps is under way"):
        train_more(NAME, tmp_path / "cut", steps=7, report=quiet)
    monkeypatch.setattr(trainer, "watch", lambda recipe: lambda method: 1.0)
    said = []
    assert train_more(NAME, tmp_path / "cut", seconds=60, report=said.append).read_bytes() == whole.read_bytes()
    assert "the instalment that is under way goes on, whatever time was given" in said[0] and "6 steps more" in said[1]


def snapshot(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("stopped_at", ["scored", "save_method", "atomic", "unlink"])
def test_stopped_after_its_last_step_an_instalment_loses_nothing(start, monkeypatch, stopped_at):
    """While scores are worked out, before the weights are stored, between weights and card, while leftovers go."""
    before, calls = snapshot(start), []
    monkeypatch.setattr(trainer, "watch", lambda recipe: lambda method: 1.0)

    def fail_at(owner, which=1):
        real = getattr(owner, stopped_at)

        def stopped(*arguments, **options):
            calls.append(arguments)
            if len(calls) == which:
                raise KeyboardInterrupt
            return real(*arguments, **options)

        context.setattr(owner, stopped_at, stopped)

    with monkeypatch.context() as context, pytest.raises(KeyboardInterrupt):
        if stopped_at == "atomic":
            fail_at(cards, 4)  # both files of the better, then both in their place
        elif stopped_at == "unlink":
            fail_at(type(start), 2)
        else:
            fail_at(trainer if stopped_at == "scored" else cards)
        train_more(NAME, start, steps=6, report=quiet)
    if stopped_at in ("scored", "save_method"):
        assert {name: snapshot(start)[name] for name in before} == before
    steps_again = []
    fit = trainer.fit
    monkeypatch.setattr(trainer, "fit", lambda *a, **k: fit(*a, **k, on_step=lambda *step: steps_again.append(step)))
    card = cards.read_card(train_more(NAME, start, steps=6, report=quiet))
    assert (card["steps"], steps_again) == (10, [])
    assert cards.load_method(start / f"{NAME}.yaml") and not list(start.glob("*.more.*"))


def test_an_instalment_that_diverges_leaves_the_old_weights(start, monkeypatch):
    before, said = snapshot(start), []
    monkeypatch.setattr(Noise2Noise, "loss", lambda self, batch: self.network(batch.noisy).mean() * float("nan"))
    with pytest.raises(Diverged, match="no longer a number"):
        train_more(NAME, start, steps=6, report=said.append)
    assert snapshot(start) == before and "the old weights stay" in said[-1]


@pytest.mark.parametrize(
    ("instead", "message"), [("f" * 64, "not the file its card describes"), ("0" * 64, "sha256 is 0, and no str")]
)
def test_weights_that_are_not_those_of_their_card_are_not_trained_further(start, monkeypatch, instead, message):
    path = start / f"{NAME}.yaml"
    path.write_text(path.read_text().replace(cards.read_card(path)["sha256"], instead))
    before = snapshot(start)
    monkeypatch.setattr(trainer, "fit", None)
    with pytest.raises(ValueError, match=message):
        train_more(NAME, start, steps=6, report=quiet)
    assert snapshot(start) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": None}, "steps is None, and no int"), ({"steps": "many"}, "steps is 'many', and no int"),
        ({"seed": "x"}, "seed is 'x', and no int"), ({"seconds": "long"}, "seconds is 'long', and no float"),
        (("steps", "seed"), "it lacks seed, steps"), (("command", "cpu_seconds"), "it lacks command, cpu_seconds"),
    ],
)  # fmt: skip
def test_a_card_that_no_training_can_go_on_from_is_told_before_anything_is_measured(start, monkeypatch, wrong, message):
    path = start / f"{NAME}.yaml"
    card = cards.read_card(path)
    card = card | wrong if isinstance(wrong, dict) else {key: card[key] for key in card if key not in wrong}
    path.write_text(yaml.safe_dump(card))
    monkeypatch.setattr(trainer, "watch", None)
    with pytest.raises(ValueError, match=f"{NAME}.yaml is not the card of a training: {message}"):
        train_more(NAME, start, steps=3, report=quiet)


@pytest.mark.parametrize(
    ("plan", "message"),
    [("{", "it lacks start, steps"), ("[]", "it lacks start, steps"), ('{"steps": 2}', "it lacks start"),
     ('{"start": "", "steps": "2"}', "steps is '2', and no int"), ("[" * 100_000, "it lacks start, steps")],
)  # fmt: skip
def test_a_damaged_plan_is_told_with_what_to_delete(start, monkeypatch, plan, message):
    (start / f"{NAME}.more.json").write_text(plan)
    monkeypatch.setattr(trainer, "watch", lambda recipe: None)
    with pytest.raises(ValueError, match=rf"{NAME}\.more\.json does not say .* delete .*{NAME}\.more\.\*: {message}"):
        train_more(NAME, start, steps=2, report=quiet)


def test_a_time_becomes_steps(start, monkeypatch):
    monkeypatch.setattr(instalments, "seconds_of_a_step", lambda *_: 0.1)
    card = cards.read_card(train_more(NAME, start, seconds=0.3, report=quiet))
    assert card["instalments"][1]["steps"] == 3


def test_what_cannot_go_on_is_told(start):
    with pytest.raises(ValueError, match="never trained"):
        train_more("noise2clean_rgb_sigma25", start, steps=3)
    with pytest.raises(ValueError, match="a length"):
        train_more(NAME, start)
    with pytest.raises(ValueError, match="a length"):
        train_more(NAME, start, steps=3, seconds=3.0)
    with pytest.raises(ValueError, match="longer than nothing; -1"):
        train_more(NAME, start, seconds=-1)
    path = start / f"{NAME}.yaml"
    path.write_text(path.read_text().replace("channels: 3", "channels: 1"))
    with pytest.raises(ValueError, match="made otherwise"):
        train_more(NAME, start, steps=3)
