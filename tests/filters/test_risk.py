import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import given, strategies as st

from dnlib.filters import lowest_of

products = hnp.arrays(float, 5, elements=st.floats(-10, 10))
powers = hnp.arrays(float, 5, elements=st.just(0.0) | st.floats(0.01, 10))


@given(products, powers)
def test_nowhere_between_0_and_1_is_the_parabola_lower(product, power):
    best, weights = lowest_of(product, power), np.linspace(0, 1, 101)[:, None]
    lowest, others = (power * weight**2 - 2 * product * weight for weight in (best, weights))
    assert ((best >= 0) & (best <= 1)).all() and (best[power == 0] == 0).all()
    assert (lowest <= others + 1e-9)[:, power > 0].all()


def test_the_lowest_place_is_cut_to_0_and_1():
    product, power = np.array([-1.0, 1.0, 3.0, 3.0]), np.array([2.0, 2.0, 2.0, 0.0])
    assert lowest_of(product, power).tolist() == [0, 0.5, 1, 0]
