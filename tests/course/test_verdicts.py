"""The rule of the verdicts: exact cases first, then its errors over ledgers whose truth is known, then bad input."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import samples
from hypothesis import given, settings, strategies as st
from scipy import stats

from dnlib.course import console
from dnlib.course.claims import Claim
from dnlib.course.evidence import Entry
from dnlib.course.margins import LEVEL, Margin, measure
from dnlib.course.verdicts import judge
from dnlib.images import ROOT

PAGE = (ROOT / "docs" / "verdicts.md").read_text(encoding="utf-8")  # its tables are those of the tests below
SCENES = {f"i{n}": f"s{n // 2}" for n in range(48)}


record = partial(samples.record, scenes=SCENES)


def claim(value="gain", check=None, **options):
    options = {"unit": "dB"} | options
    return Claim("c", "01_x", "s", "It holds.", value, check or {"at_least": 0.3}, **options)


def judged(claim, *records):
    return judge([claim], records)[0]


def over_seeds(*gains, **options):
    return judged(claim(**options), *(record(seed, gain=gain) for seed, gain in enumerate(gains)))


@pytest.mark.parametrize(
    ("gains", "check", "expected"),
    [
        ((0.5, 0.6, 0.7), {"at_least": 0.3}, "held"),
        ((0.1, 0.1, 0.2), {"at_least": 0.3}, "did not hold"),
        ((0.3, 0.6, 0.7), {"at_least": 0.3}, "undecided"),
        ((0.5, 0.6, 0.7), {"at_most": 0.3}, "did not hold"),
        ((0.1, 0.1, 0.2), {"at_most": 0.3}, "held"),
        ((0.5, 0.6, 0.7), {"between": [0.2, 1]}, "held"),
        ((0.5, 0.6, 0.7), {"between": [0.2, 0.7]}, "undecided"),
        ((0.5, 0.6, 0.7), {"between": [0.1, 0.2]}, "did not hold"),
        ((9.0,), {"at_least": 0.3}, "undecided"),
        ((0.5,) * 5, {"at_least": 0.3}, "undecided"),  # numbers that are all alike are counted, and five are too few
        ((0.5,) * 6, {"at_least": 0.3}, "held"),
        ((0.1,) * 6, {"at_least": 0.3}, "did not hold"),
        ((0.3,) * 6, {"at_least": 0.3}, "held"),  # the bound itself, without any spread
    ],
)
def test_a_margin_over_seeds_is_judged_by_student_s_interval(gains, check, expected):
    assert over_seeds(*gains, check=check).verdict == expected


def test_what_is_measured_is_said_with_interval_seeds_and_reason():
    assert over_seeds(0.0, 1.0, 2.0).measured == "1 ± 2.5 dB (3 seeds)"  # t(0.975, 2) / sqrt(3) = 2.48
    assert over_seeds(0.0, 1.0, 2.0).reason == (
        "the 95 % interval of its margin contains zero; all of its width comes from seeds, of which about 11 would "
        "decide the claim if mean and scatter stay"  # t(0.975, 10) / sqrt(11) = 0.67 < 0.7 < t(0.975, 9) / sqrt(10)
    )
    assert over_seeds(9.0).reason == "one seed decides nothing" and over_seeds(9.0).measured == "9 dB (1 seed)"
    assert over_seeds(0.4, 0.5).line("0.45 dB").endswith("[0.45 ± 0.64 dB (2 seeds); this run 0.45 dB]")
    assert judged(claim()).measured == "–" and judged(claim()).margin is None


@pytest.mark.parametrize(
    ("value", "measured", "expected"),
    [
        ("a - b", {"a": (2.0, 1.0, 1.0, 0.0), "b": (1.0,) * 4}, "P(A > B) = 0.50"),
        ("exchanges.phones.psnr.S-2", {"exchanges": {"phones": {"psnr": {"S-2": (1, -1, -1, -1)}}}}, "P(A > B) = 0.25"),
        ("phones.above_noisy", {"phones": {"above_noisy": (1, 2, 3, 4)}}, "P(A > B) = 1.00"),
        ("above.*", {"above": {"NL-means": (1, 2, 3, -4)}}, "P(A > B) = 0.75"),
        ("gain", {"gain": (1, 2, 3, 4)}, ""),
        ("start.from above.off", {"start": {"from above": {"off": (1, 2, 3, 4)}}}, ""),
    ],
)
def test_rows_that_are_compared_have_a_probability_and_other_numbers_none(value, measured, expected):
    def of(seed, found):
        return {name: of(seed, one) for name, one in found.items()} if isinstance(found, dict) else float(found[seed])

    found = judged(claim(value), *(record(seed, **of(seed, measured)) for seed in range(4)))
    assert found.superior == expected and found.claim.compares == bool(expected)
    assert judged(claim(value)).superior == ""


def test_counted_claims_need_more_agreeing_seeds_than_coins_have_or_nothing_to_sample():
    same = claim(check={"equals": True}, unit="")

    def counted(*values):
        return judged(same, *(record(seed, gain=value) for seed, value in enumerate(values)))

    for values, expected in (
        ([True] * 5, "undecided"),  # coins all fall alike in 6 of 100 cases
        ([True] * 6, "held"),  # in 3
        ([False] * 6, "did not hold"),
        ([True] * 7 + [False], "undecided"),  # 7 %
        ([True] * 8 + [False], "held"),  # 4 %
    ):
        assert counted(*values).verdict == expected
    assert counted(True).reason == "one seed decides nothing"
    assert counted(True, True, False).reason == "2 of 3 seeds agree, as coins might; six of six would decide"
    every = claim("p.*", check={"equals": 0}, unit="")
    runs = [record(seed, p={"cat": 0, "moon": 0}) for seed in range(6)]
    assert judged(every, *runs).verdict == "held" and judged(every, *runs).measured == "0 (6 seeds, each of 2)"
    assert judged(every, record(0, p={"cat": 0, "moon": 1})).measured == "1 (1 seed, moon, the least sure of 2)"
    assert judged(every, record(0, p={"cat": 0, "moon": 1})).named == "1, moon"
    assert judged(every, record(0, p={"cat": 0, "moon": 0})).named == "0" and judged(every).named == "–"
    assert "moon, the least sure of 2" in judged(every, *runs, record(6, p={"cat": 0, "moon": 1})).measured
    facts = judged(claim("p.*", check={"at_most": 1}, sample="nothing"), record(0, p={"cat": 0.2, "moon": 0.9}))
    assert facts.verdict == "held" and facts.measured == "0.9 dB (1 seed, moon, the least sure of 2)"
    fact = claim(check={"at_least": 37}, sample="nothing")
    assert judged(fact, record(0, gain=37)).verdict == "held"
    assert judged(fact, record(0, gain=36)).verdict == "did not hold"


def test_every_entry_must_hold_one_that_fails_is_enough_and_the_least_sure_is_named():
    every = claim("photos.*.gain")

    def verdict(cat, moon):
        runs = [
            record(n, photos={"cat": {"gain": cat + d}, "moon": {"gain": moon + d}}) for n, d in enumerate((0, 0.01))
        ]
        return judged(every, *runs)

    assert verdict(0.9, 0.9).verdict == "held"
    assert verdict(0.9, 0.3).verdict == "undecided" and "moon, the least sure of 2" in verdict(0.9, 0.3).measured
    assert verdict(0.9, 0.0).verdict == "did not hold"
    # 5 % are shared by the entries: what fails alone at 4 % does not fail among two
    margin = measure(np.array([0.0, 0.01]))
    alone = margin.half_interval(0.04) + margin.mean
    assert over_seeds(0.3 - alone, 0.31 - alone).verdict == "did not hold"
    assert verdict(9, 0.3 - alone).reason == "it fails, but one of several entries may do so by chance"


def test_what_scatters_most_is_named_and_how_many_more_of_it_would_decide():
    apart = [record(n, psnr={"i0": 0.0 + d, "i2": 1.0 + d, "i4": 2.0 + d}) for n, d in enumerate((0.0, 0.02))]
    found = judged(claim("psnr"), *apart)
    seeds, (variance, freedom) = found.margin.parts.values()
    assert f"most of its width comes from scenes, of which about {found.margin.needed} would decide" in found.reason
    for count, is_decided in ((found.margin.needed - 1, False), (found.margin.needed, True)):
        low, _ = Margin(0.71, {"seeds": seeds, "scenes": (3 * variance / count, count - 1)}).interval
        assert freedom == 2 and (low > 0) == is_decided
    alike = judged(claim("psnr", {"at_least": 1.01}), *apart)
    assert "scenes, of which a thousand would not decide" in alike.reason


def test_the_images_are_a_sample_of_scenes_if_weights_are_shipped():
    rng = np.random.default_rng(0)
    first = dict(zip(SCENES, rng.normal(1, 0.5, 48), strict=True))
    second = {name: value - 0.4 for name, value in first.items()}
    pairs = claim("psnr.a - psnr.b", sample="images")
    judgement = judged(pairs, record(0, psnr={"a": first, "b": second}))
    assert judgement.verdict == "held"  # means of 1.0 and 0.6, each ± 0.14, differ by 0.4 without any spread
    assert judgement.measured.startswith("0.4 ± ") and "(1 seed x 48 images of 24 scenes)" in judgement.measured
    assert judged(claim("psnr.a", sample="images"), record(0, psnr={"a": first})).verdict == "held"


def test_shipped_weights_that_are_judged_again_are_no_second_sample():
    gains = dict.fromkeys(("i0", "i1"), 3.0)  # of one scene
    again = judged(claim("psnr", sample="images"), *(record(seed, psnr=gains) for seed in range(5)))
    assert (again.verdict, again.reason) == ("undecided", "one scene decides nothing")
    two = np.array([[1.0, 2.0, 3.0, 4.0]])
    assert measure(np.tile(two, (5, 1))) == measure(two)


def test_a_number_that_all_seeds_give_alike_is_counted():
    judgement = over_seeds(0.69, 0.69, 0.69)
    assert (judgement.measured, judgement.margin.probability) == ("0.69 dB (3 seeds)", 0.25)
    assert judgement.reason == "3 of 3 seeds agree, as coins might; six of six would decide"
    assert not judgement.margin.is_known and over_seeds(*[0.69] * 6).margin.probability == 1 / 32


def test_facts_lend_no_certainty_to_other_claims():
    facts = [replace(claim("fact"), id=f"f{n}", sample="nothing") for n in range(20)]
    lone, *nothing = [replace(claim(name), id=f"{name}{n}") for n, name in enumerate(("lone", *["nothing"] * 3))]
    runs = [record(n, fact=0.5, nothing=0.3 + d, lone=0.3 + 0.196 + d / 10) for n, d in enumerate((-0.7, 0.1, 0.6))]
    assert [judge([*more, *nothing, lone], runs)[-1].adjusted for more in ([], facts)] == ["undecided"] * 2


def test_one_training_decides_nothing_however_many_images_judge_it():
    gains = dict.fromkeys(SCENES, 0.0) | {"i0": 0.9, "i2": 1.1}
    one = judged(claim("psnr.a"), record(0, psnr={"a": {name: 1 + gain for name, gain in gains.items()}}))
    assert (one.verdict, one.reason, one.margin.is_known) == ("undecided", "one seed decides nothing", False)
    runs = [record(seed, psnr={"a": dict.fromkeys(SCENES, 1 + seed / 100)}) for seed in range(3)]
    assert judged(claim("psnr.a"), *runs).verdict == "held"


def test_images_of_one_scene_are_one_sample():
    scene_effect = np.repeat(np.random.default_rng(0).normal(size=6), 8)
    table = scene_effect[None] + np.zeros((1, 48))
    own, together = measure(table), measure(table, [str(n // 8) for n in range(48)])
    assert together.error == pytest.approx(scene_effect[::8].std(ddof=1) / np.sqrt(6), rel=0.05)
    assert own.error < together.error / 2 and together.parts["scenes"][1] == pytest.approx(5)
    assert measure(table, ["one"] * 48).parts == {}


def test_scenes_of_other_sizes_have_satterthwaite_s_degrees_of_freedom():
    """Two scenes of 2 images and 1: by hand, of weights 2/3 and 1/3, each less the mean over images."""
    margin = measure(np.array([[0.0, 0.0, 3.0]]), ["a", "a", "b"])
    # the rows (1/3, -1/3) and (-2/3, 2/3) have squares 2/9 and 8/9; 4/9 / (2/9) * 1² + 1/9 / (8/9) * 2² = 2.5
    assert margin.mean == 1 and margin.parts == {"scenes": (pytest.approx(2.5), pytest.approx(1))}
    freedom = [
        measure(np.arange(12.0)[None], np.repeat(range(3), sizes)).parts["scenes"][1] for sizes in ([4] * 3, [5, 4, 3])
    ]
    assert freedom == [pytest.approx(2), pytest.approx(1.7, abs=0.05)]


def test_variances_over_seeds_and_scenes_add_up():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(5, 1)) + 2 * rng.normal(size=(1, 400))
    parts = table.mean(1).var(ddof=1) / 5, table.mean(0).var(ddof=1) / 400
    assert measure(table).error == pytest.approx(np.sqrt(sum(parts)), rel=0.02)
    quantiles = stats.t.isf(0.025, [4, 399])
    assert measure(table).half_interval() == pytest.approx(np.sqrt(sum(parts * quantiles**2)), rel=0.02)


def test_the_longest_training_of_several_seeds_decides_and_every_length_is_named():
    runs = [record(n, parameters={"steps": steps}, gain=gain + n / 100) for n in (0, 1, 2)
            for steps, gain in ((600, 0.3), (9600, 0.9))]  # fmt: skip
    judgement = judged(claim(length="steps"), *runs)
    assert judgement.verdict == "held"
    assert judgement.by_length == "undecided at 600 steps, held at 9600"
    longer = [record(n, parameters={"steps": steps}, gain=0.9 + n / 100) for n in (0, 1, 2) for steps in (9601, 9602)]
    assert judged(claim(length="steps"), *runs, *longer).by_length == "undecided at 600 steps, held from 9600 on"
    one_seed = judged(claim(length="steps"), *runs, record(0, parameters={"steps": 99999}, gain=9.0))
    assert one_seed.verdict == "held" and one_seed.measured == judgement.measured
    assert one_seed.by_length == "undecided at 600 steps, held at 9600 steps, undecided at 99999"
    with pytest.raises(ValueError, match="steps is no length of training in 01_x-laptop-s0"):
        judged(claim(length="steps"), record(0, gain=1.0))


def test_brackets_in_a_claim_are_shown_by_the_command(capsys):
    console.claims_table(judge([replace(claim(), statement="It gains [or more].")], [record(0, gain=1.0)]))
    assert "It gains [or more]." in capsys.readouterr().out


def test_runs_with_other_parameters_are_entries_of_their_own():
    runs = [record(n, parameters={"dataset": name}, gain=gain + n / 100) for n in (0, 1)
            for name, gain in (("a", 0.9), ("b", 0.0))]  # fmt: skip
    judgement = judged(claim(), *runs)
    assert judgement.verdict == "did not hold" and "dataset = b, the least sure of 2" in judgement.measured


def test_bad_records_are_refused_by_name():
    with pytest.raises(ValueError, match="two records of 01_x-laptop-s0 disagree"):
        judged(claim(), record(0, gain=1.0), record(0, gain=2.0))
    assert "(1 seed)" in judged(claim(), record(0, gain=1.0), record(0, gain=1.0)).measured
    with pytest.raises(ValueError, match="keeps no score for each; run the chapter again: dnlib run 01"):
        judged(claim(sample="images"), record(0, gain=1.0))
    with pytest.raises(ValueError, match="image by image, and these have other images"):
        judged(claim("p.a - p.b"), record(0, p={"a": {"i0": 1.0}, "b": {"i1": 1.0}}))
    with pytest.raises(ValueError, match="no record names the scene of moon"):
        judged(claim("p"), record(0, p={"moon": 1.0}))
    for bad in (np.nan, np.inf):
        with pytest.raises(ValueError, match="a margin is a finite number"):
            measure(np.array([0.0, bad]))


@settings(max_examples=50)
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), st.floats(-1e3, 1e3))
def test_turning_a_claim_around_turns_its_verdict_around(gains, bound):
    gains = [round(gain, 3) for gain in gains]
    above = over_seeds(*gains, check={"at_least": round(bound, 3)})
    below = over_seeds(*gains, check={"at_most": round(bound, 3)})
    opposite = {"held": "did not hold", "did not hold": "held", "undecided": "undecided"}
    if above.margin.error or above.margin.mean:  # the bound itself, met by every seed, is on both sides
        assert below.verdict == opposite[above.verdict]


def ledgers(truth, seeds, images=0, scenes=(), count=2000):
    """How often a claim of a known margin, in seed deviations, is called held and did not hold.

    images: each its own scene. scenes: how many images each has; seeds are then alike, so that scenes alone decide.
    """
    rng = np.random.default_rng(seeds)
    scene = np.repeat(range(images or len(scenes)), scenes or 1)
    tables = truth + rng.normal(size=(count, seeds, 1)) * (not scenes)
    if len(scene):  # images differ as much as seeds do, and each training favours some of them
        tables = tables + rng.normal(size=(count, 1, scene[-1] + 1))[..., scene]
        tables = tables + rng.normal(size=(count, seeds, len(scene)))
    margins = [measure(table, scene if len(scene) else None) for table in tables]
    decided = np.array([np.sign(m.mean) * (abs(m.mean) > m.half_interval()) for m in margins])
    return (decided > 0).mean(), (decided < 0).mean()


def check_row(seeds, what, wrong):
    """That a rule which decided `wrong` of 2000 claims about nothing may be one of 5 %, and that the page says so."""
    low, high = stats.binomtest(wrong, 2000).proportion_ci()
    assert low <= LEVEL
    row = f"| {seeds} | {what} | {wrong / 20:.1f} % | {100 * low:.1f} to {100 * high:.1f} % |"
    assert row in PAGE, f"docs/verdicts.md says otherwise than {row}"


@pytest.mark.parametrize(("seeds", "images"), [(2, 0), (3, 0), (5, 0), (10, 0), (3, 6), (3, 24), (5, 24)])
def test_at_most_five_percent_of_margins_of_nothing_are_decided(seeds, images):
    check_row(seeds, f"{images} images" if images else "a number", round(2000 * sum(ledgers(0, seeds, images))))


@pytest.mark.parametrize("scenes", [(8,) * 6, (5, 4, 3), (24, 10, 5, 3, 2, 1, 1), (24, 24, 2, 1, 1, 1, 1)])
def test_nor_where_scenes_have_unequally_many_images(scenes):
    what = f"scenes of {', '.join(map(str, scenes))} images"
    check_row(5, what, round(2000 * sum(ledgers(0, 5, scenes=scenes))))


@pytest.mark.parametrize("seeds", [3, 5, 6, 10])
def test_nor_of_what_is_true_in_one_run_and_false_in_another_like_a_coin(seeds):
    same, rng = claim(check={"equals": True}, unit=""), np.random.default_rng(seeds)
    coins = (Entry(same, "", dict(enumerate(runs)), {}) for runs in rng.integers(2, size=(2000, seeds)) == 1)
    check_row(seeds, "true or false", sum(abs(coin.certainty) > 1 for coin in coins))


@pytest.mark.parametrize("truth", [1, 2])
def test_the_power_of_the_rule_is_what_student_s_test_has(truth):
    """A non-central t beyond Student's quantile, which the page has in its table."""
    seeds = np.array([3, 5, 10])
    powers = stats.nct.sf(stats.t.isf(LEVEL / 2, seeds - 1), seeds - 1, truth * np.sqrt(seeds))
    for count, power in zip(seeds, powers, strict=True):
        held, wrong = ledgers(truth, count)
        assert held == pytest.approx(power, abs=0.04) and wrong < 0.01
    row = f"| {truth} | " + " | ".join(f"{100 * power:.0f} %" for power in powers) + " |"
    assert row in PAGE, f"docs/verdicts.md says otherwise than {row}"


def test_many_claims_at_once_are_adjusted_for_their_number():
    """A lone claim at p = 0.04 stands; among twenty of nothing it does not."""
    gains = {f"g{n}": 0.3 for n in range(20)}
    runs = [record(n, **{name: gain + d for name, gain in gains.items()}, lone=0.3 + 0.196 + d / 10)
            for n, d in enumerate((-0.7, 0.1, 0.6))]  # fmt: skip
    claims = [Claim(name, "01_x", "s", "t.", name, {"at_least": 0.3}, unit="dB") for name in [*gains, "lone"]]
    judgement = judge(claims, runs)[-1]
    assert (judgement.verdict, judgement.adjusted) == ("held", "undecided")
    assert judge(claims[-1:], runs)[0].adjusted == "held"


def share_of_false(decided, truth):
    """Of the decided claims of a ledger [ledgers, claims], those of no margin or of the other sign; 0 if none is."""
    false = (decided != 0) & (decided != np.sign(truth))
    return false.sum(axis=1) / np.maximum((decided != 0).sum(axis=1), 1)


@pytest.mark.parametrize("common", [0, 0.5])
@pytest.mark.parametrize("nothing", [40, 30, 20])
def test_of_many_claims_at_most_five_percent_of_the_decided_are_so_by_chance(nothing, common):
    """2,000 ledgers of 40 claims over 5 seeds, some with a margin of two deviations; `judge` decides the first.

    common: the part of the variance that all claims of a ledger share, as they do if they rest on the same trainings.
    """
    rng, truth = np.random.default_rng(nothing), np.where(np.arange(40) < nothing, 0.0, 2.0)
    measured = truth + np.sqrt(common) * rng.normal(size=(2000, 5, 1))
    measured = measured + np.sqrt(1 - common) * rng.normal(size=(2000, 5, 40))
    signs, chances = np.sign(measured.mean(axis=1)), stats.ttest_1samp(measured, 0, axis=1).pvalue
    alone, adjusted = signs * (chances < LEVEL), signs * (stats.false_discovery_control(chances, axis=1) < LEVEL)

    claims = [replace(claim(f"c{n}", check={"at_least": 0}), id=f"c{n}") for n in range(40)]
    said = {"held": 1, "undecided": 0, "did not hold": -1}
    runs = [record(n, **{f"c{k}": value for k, value in enumerate(run)}) for n, run in enumerate(measured[0])]
    judgements = judge(claims, runs)
    assert [said[one.verdict] for one in judgements] == list(alone[0])
    assert [said[one.adjusted] for one in judgements] == list(adjusted[0])

    shares = share_of_false(adjusted, truth)
    low, high = shares.mean() + np.array([-1, 1]) * 1.96 * shares.std() / np.sqrt(len(shares))
    assert low <= LEVEL
    row = (
        f"| {nothing} of 40 | {100 * common:.0f} % | {100 * share_of_false(alone, truth).mean():.1f} % | "
        f"{100 * shares.mean():.1f} % | {100 * low:.1f} to {100 * high:.1f} % |"
    )
    assert row in PAGE, f"docs/verdicts.md says otherwise than {row}"


def test_a_parameter_that_a_chapter_was_given_later_tells_its_records_apart():
    old, new = record(0, gain=0.5), record(0, gain=0.7, parameters={"steps": 600})
    for found in ((new, old), (old, new)):
        places = [entry.place for entry in judged(claim(), *found).evidence[-1].entries]
        assert sorted(places) == ["steps = 600", "steps = not said"]


@pytest.mark.parametrize("value", ["0.5", None, True, [0.5], {"cat": "0.5"}, 10**400])
def test_what_a_numeric_claim_compares_and_is_no_number_is_refused_by_name(value):
    wrong = replace(record(0), measured={"gain": value, "other": 1.0})
    for compared in (claim(), claim("gain - other"), claim("gain - other", {"equals": 0})):
        with pytest.raises(ValueError, match=r"claim c: gain.* is a number.*; 01_x-laptop-s0 holds .*run the chapter"):
            judged(compared, wrong)
