import time

from little import crops, method

from dnlib.training import seconds_of_a_step


class Slow:
    """Crops whose first batch takes two seconds, as first steps take long, and the others a fiftieth of one."""

    def __init__(self):
        self.crops, self.drawn = crops(), 0
        self.offers, self.description = self.crops.offers, self.crops.description

    def draw(self, needs, generator, progress):
        time.sleep(0.02 if self.drawn else 2)
        self.drawn += 1
        return self.crops.draw(needs, generator, progress)


def test_the_first_steps_of_a_trial_do_not_count():
    slow = Slow()
    assert 0.02 <= seconds_of_a_step(method(), slow, "cpu", warm=1, timed=5) < 2 / 6
    assert slow.drawn == 1 + 5
