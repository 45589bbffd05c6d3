from dnlib.zoo import recipes


def test_the_report_s_rows_have_recipes():
    assert list(recipes.ROWS)[:9] == ["LG-BPN", "L-1", "L-2", "L-3", "L-4", "L-5", "SSID", "S-1", "S-2"]
    assert set(recipes.ROWS.values()) <= recipes.RECIPES.keys()


def test_paper_sizes_are_the_papers():
    paper = recipes.sizes("paper")
    assert (paper["width"], paper["size"], paper["count"], paper["steps"]) == (48, 256, 4, 500_000)
    assert (paper["learning_rate"], paper["ramp_up"], paper["ramp_down"]) == (3e-4, 0.1, 0.3)
