import time

from little import crops, method

from dnlib.training import seconds_of_a_step


class Slow:
    """Crops whose first two batches take long, as everything does at first, and the others a tenth of a second."""

    def __init__(self):
        self.crops, self.drawn = crops(), 0
        self.offers, self.description = self.crops.offers, self.crops.description

    def draw(self, needs, generator, progress):
        time.sleep(0.1 if self.drawn >= 2 else 0.6)
        self.drawn += 1
        return self.crops.draw(needs, generator, progress)


def test_the_first_steps_of_a_trial_do_not_count():
    slow = Slow()
    assert 0.1 <= seconds_of_a_step(method(), slow, "cpu", warm=2, timed=5) < 0.2
    assert slow.drawn == 2 + 5
