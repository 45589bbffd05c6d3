import pytest
from torch import nn

from dnlib.methods import evaluating


class Stop(Exception):
    """Raised within."""


def test_modules_evaluate_for_a_while_and_each_part_comes_back_to_its_own_mode():
    """Also a part that is named twice, and after an error."""
    network, other = nn.Sequential(nn.Linear(1, 1), nn.Dropout().eval()), nn.Dropout()
    parts = [*network.modules(), other]
    before = [part.training for part in parts]
    assert before == [True, True, False, True]
    with pytest.raises(Stop), evaluating(network, other, network[0]):
        assert not any(part.training for part in parts)
        raise Stop
    assert [part.training for part in parts] == before
