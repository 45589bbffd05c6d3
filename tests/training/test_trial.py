from types import SimpleNamespace

from little import crops, method

from dnlib.training import seconds_of_a_step, trial


def test_the_first_steps_of_a_trial_do_not_count(monkeypatch):
    """A stand-in for `fit` takes two seconds for the first step ever, as first steps take long, and then 0.5 s each."""
    done = []

    def fit(method, batches, *, steps, **options):
        seconds = 0.5 * steps if done else 2 + 0.5 * (steps - 1)
        done.append(steps)
        return SimpleNamespace(seconds=seconds)

    monkeypatch.setattr(trial, "fit", fit)
    assert seconds_of_a_step(method(), crops(), "cpu", warm=1, timed=5) == 0.5
    assert done == [1, 5]
