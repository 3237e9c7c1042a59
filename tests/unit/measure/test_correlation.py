"""Correlation and regime."""

import math
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.measure import correlation
from bursar.measure.correlation import grouped, returns_of
from bursar.measure.regime import Close, Detector, Rules, Trend, Volatility, detect
from tests.unit.measure.samples import HOUR, D, loose

correlations = loose(correlation.correlations)

FIRST = date(2026, 1, 1)


def series(values):
    return {FIRST + timedelta(days=n): value for n, value in enumerate(values)}


WAVE = [math.sin(n) for n in range(40)]


def test_what_moves_together_and_against():
    made = correlations(
        {"A": series(WAVE), "B": series([-2 * x for x in WAVE]), "C": series([1.0] * 40)}
    )
    assert made.between("A", "A").coefficient.value == 1
    assert made.between("B", "A").coefficient.value == -1
    assert made.between("A", "C").coefficient.reason == "a price did not move"
    assert made.between("A", "Z") is None
    assert len(made.pairs) == 6


def test_few_common_days_are_said():
    late = {FIRST + timedelta(days=30 + n): x for n, x in enumerate(WAVE)}
    pair = correlations({"A": series(WAVE), "B": late}).between("A", "B")
    assert (pair.days, pair.coefficient.reason) == (10, "10 common days; it takes 20")


def test_returns_need_the_day_before():
    prices = {"A": {FIRST: D(100), FIRST + timedelta(1): D(110), FIRST + timedelta(5): D(1)}}
    assert returns_of(prices) == {"A": {FIRST + timedelta(1): pytest.approx(0.1)}}
    assert returns_of({"A": {FIRST: D(0), FIRST + timedelta(1): D(1)}}) == {"A": {}}


def test_a_group_is_the_weighted_mean_of_those_who_have_the_day():
    returns = {"A": {FIRST: 0.1}, "B": {FIRST: 0.4, FIRST + timedelta(1): 0.2}, "C": {}, "D": {}}
    made = grouped(returns, {"A": "g", "B": "g", "C": "g"}, {"A": 2.0, "B": 1.0, "D": 1.0})
    assert made == {"g": {FIRST: pytest.approx(0.2), FIRST + timedelta(1): pytest.approx(0.2)}}


@given(st.lists(st.tuples(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5)), min_size=20, max_size=40))
def test_coefficients_are_symmetric_and_bounded(told):
    left, right = series([a for a, _ in told]), series([b for _, b in told])
    one = correlations({"A": left, "B": right}).between("A", "B").coefficient
    assert one == correlations({"A": right, "B": left}).between("A", "B").coefficient
    assert one.value is None or -1 <= one.value <= 1


def test_the_referee_agrees_on_correlation():
    numpy = pytest.importorskip("numpy")
    other = [math.cos(n * 1.3) + 0.5 * x for n, x in enumerate(WAVE)]
    made = correlations({"A": series(WAVE), "B": series(other)}).between("A", "B")
    expected = numpy.corrcoef(WAVE, other)[0, 1]
    assert float(made.coefficient.value) == pytest.approx(expected, abs=1e-9)


# ----------------------------------------------------------------------------------------- regime

SMALL = Rules(span=5, warmup=10, history=40)


def closes(steps, *, start=100.0):
    price, found = start, []
    for number, step in enumerate(steps):
        price *= math.exp(step)
        found.append(Close(number * HOUR, D(repr(price))))
    return found


def noise(size, count):
    return [size * (1 if (n * n) % 7 < 3 else -1) for n in range(count)]


def regime(steps, rules=SMALL):
    return detect(closes(steps), now=10**20, rules=rules)


def test_too_few_candles_are_said():
    found = regime(noise(0.01, 14))
    assert (found.trend, found.volatility, found.name) == (None, None, "unknown")
    assert found.reason == found.trend_score.reason == "it takes 15 closed candles"
    assert detect([], now=0).at is None


def test_a_market_that_rises_and_then_falls():
    flat = [0.01, -0.01] * 15
    assert regime(flat).trend is Trend.FLAT
    assert regime([*flat, *[0.02, 0.01] * 5]).trend is Trend.UP
    assert regime([*flat, *[-0.02, -0.01] * 5]).trend is Trend.DOWN


def test_a_price_that_stands_has_no_trend():
    found = regime([0.0] * 30)
    assert (found.trend, found.trend_score.value) == (Trend.FLAT, 0)


def test_volatility_is_placed_among_its_own_past():
    quiet = [0.001 * (1 + n % 5) * (-1) ** n for n in range(40)]
    assert regime([*quiet, *[0.05, -0.05] * 4]).volatility is Volatility.WILD
    assert regime([*quiet, *[0.05, -0.05] * 4]).name.endswith("-wild")
    calmed = regime([*[0.05 + 0.001 * (n % 5) * (-1) ** n for n in range(40)], *[0.0, 0.0001] * 5])
    assert calmed.volatility is Volatility.CALM


def test_only_closed_candles_count_and_none_twice():
    told = closes(noise(0.01, 40))
    now = told[30].at
    assert detect(told, now=now, rules=SMALL) == detect(told[:31], now=now, rules=SMALL)
    twice = [*told, *told, Close(told[-1].at + 1, D(0))]
    assert detect(twice, now=10**20, rules=SMALL) == regime(noise(0.01, 40))


def test_over_a_gap_there_is_no_return():
    """The price doubled while nobody looked; what it did on the way is not known."""
    told = closes([0.01, -0.01] * 15)
    last = told[-1]
    jumped = [Close(last.at + 9 * HOUR + each.at, 2 * each.price) for each in told[:4]]
    every = [*told, *jumped]
    before = detect(told, now=10**20, rules=SMALL).name
    assert detect(every, now=10**20, rules=SMALL, step=HOUR).name == before
    assert detect(every, now=10**20, rules=SMALL).name != before


def test_one_candle_does_not_change_a_regime():
    detector = Detector(SMALL)
    for close in closes([0.01, -0.01] * 15):
        detector.see(close)
    before = detector.regime
    last = closes([*[0.01, -0.01] * 15, 0.08])[-1]
    detector.see(last)
    assert (detector.regime.trend, detector.regime.since) == (before.trend, before.since)


def test_at_a_threshold_it_does_not_flicker():
    changes = {}
    for name, rules in (
        ("steady", SMALL),
        ("nervous", Rules(span=5, warmup=10, history=40, leave=1.0, slack=0.0, patience=1)),
    ):
        detector, seen = Detector(rules), []
        for close in closes([0.01 * math.sin(n / 3) + 0.004 * (-1) ** n for n in range(300)]):
            detector.see(close)
            seen.append(detector.regime.name)
        changes[name] = sum(a != b for a, b in pairwise(seen))
    assert changes["steady"] < changes["nervous"]


@given(st.lists(st.floats(-0.05, 0.05), min_size=20, max_size=60), st.integers(15, 19))
def test_later_candles_never_change_an_earlier_verdict(steps, cut):
    told = closes(steps)
    detector, found = Detector(SMALL), None
    for number, close in enumerate(told):
        detector.see(close)
        if number == cut:
            found = detector.regime
    assert found == detect(told, now=told[cut].at, rules=SMALL)
