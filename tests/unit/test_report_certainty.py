"""Limits of percentiles and the test of rates are what counting every possibility says."""

import math
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.report.decisions.certainty import places
from services.report.decisions.proportions import chance
from tests.report import naive


@given(st.integers(0, 300), st.sampled_from([50, 95, 99]))
def test_limits_are_those_of_the_whole_table_of_chances(count: int, percent: int) -> None:
    assert places(count, percent) == naive.limits(count, percent)


@pytest.mark.parametrize(("percent", "fewest"), [(50, 11), (95, 149), (99, 757)])
def test_below_so_many_values_a_percentile_has_no_upper_limit(percent: int, fewest: int) -> None:
    assert places(fewest - 1, percent)[1] is None
    assert places(fewest, percent)[1] == fewest


def test_limits_of_ten_million_values_are_those_of_the_normal_curve() -> None:
    low, high = places(10_000_000, 50)
    assert low is not None
    assert high is not None
    away = 3.2905 * math.sqrt(10_000_000 / 4)
    assert abs(5_000_000 - low - away) < 3
    assert abs(high - 5_000_000 - away) < 3


def test_a_true_median_lies_between_its_limits_as_often_as_is_said() -> None:
    seeded = Random(5)
    low, high = places(60, 50)
    missed = 0
    for _ in range(4000):
        values = sorted(seeded.random() for _ in range(60))
        missed += not values[(low or 0) - 1] <= 0.5 <= values[(high or 0) - 1]
    assert missed <= 10, "four are allowed, and chance may add some"


def plain_exact(hits: int, of: int, others: int, of_others: int) -> Fraction:
    hit, every = hits + others, of + of_others

    def likely(each: int) -> Fraction:
        return Fraction(math.comb(hit, each) * math.comb(every - hit, of - each), math.comb(every, of))

    tables = [likely(each) for each in range(max(0, of + hit - every), min(of, hit) + 1)]
    return sum((each for each in tables if each <= likely(hits)), Fraction(0))


counted = st.integers(1, 80).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of)))


@given(counted, counted)
def test_small_counts_are_tested_by_all_tables_with_the_same_sums(one: tuple[int, int], two: tuple[int, int]) -> None:
    found, how = chance(*one, *two)
    if how == "exact":
        assert found == pytest.approx(float(plain_exact(*one, *two)), rel=1e-6)
    else:
        assert found == pytest.approx(float(plain_exact(*one, *two)), abs=0.25)
    assert chance(*two, *one)[0] == pytest.approx(found, rel=1e-6)


def test_large_counts_are_tested_by_the_normal_curve() -> None:
    p, how = chance(480, 1000, 520, 1000)
    assert how == "z"
    assert p == pytest.approx(0.07364, abs=1e-4)
    assert chance(50_000, 1_000_000, 51_000, 1_000_000)[0] < 0.002
    assert chance(3, 1_000_000, 12, 1_000_000)[1] == "exact"
    for same in ((0, 30, 0, 40), (30, 30, 40, 40)):
        assert chance(*same)[0] == pytest.approx(1.0)
