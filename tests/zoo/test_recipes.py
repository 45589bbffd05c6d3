import pytest

from dnlib.zoo import recipes


def test_rows_of_the_report_are_chosen_by_name():
    assert recipes.rows() == ["LG-BPN", "L-1", "L-2", "L-3", "L-4", "L-5", "SSID", "S-1", "S-2"]
    assert recipes.rows("S-2, LG-BPN") == ["LG-BPN", "S-2"]
    assert set(recipes.TABLE_1.values()) <= recipes.RECIPES.keys()
    with pytest.raises(ValueError, match="no row L-6, Z; its rows are: LG-BPN, L-1"):
        recipes.rows("Z, SSID, L-6")
    with pytest.raises(ValueError, match="no row was chosen"):
        recipes.rows(" ")


def test_paper_sizes_are_the_papers():
    paper = recipes.sizes("paper")
    assert (paper["width"], paper["size"], paper["count"], paper["steps"]) == (48, 256, 4, 500_000)
    assert (paper["learning_rate"], paper["ramp_up"], paper["ramp_down"]) == (3e-4, 0.1, 0.3)
