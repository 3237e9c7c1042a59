"""Adapting beside equal weights."""

import math
import random
from decimal import Decimal

from bursar.measure.shadow import ShadowDay, interval, shadow


def history(good, days=120):
    """`a` earns a percent a day with noise, `b` loses as much; `good` is the weight of `a`."""
    rng = random.Random(3)
    weights = {"a": Decimal(good), "b": 1 - Decimal(good)}
    return [
        ShadowDay(day, weights, {"a": 0.01 + rng.gauss(0, 0.01), "b": -0.01 + rng.gauss(0, 0.01)})
        for day in range(days)
    ]


def test_weight_where_it_earns_helped():
    found = shadow(history("0.8"))
    assert found.verdict == "adapting helped"
    assert found.low_pct.value is not None
    assert found.mean_pct.value is not None
    assert 0 < found.low_pct.value < found.mean_pct.value
    assert abs(found.mean_pct.value - Decimal("0.6")) < Decimal("0.1")  # 0.3 × 2 %


def test_weight_where_it_loses_harmed():
    assert shadow(history("0.2")).verdict == "adapting harmed"


def test_equal_weights_prove_nothing():
    found = shadow(history("0.5"))
    assert found.verdict == "nothing proven"
    assert found.adaptive_pct == found.equal_pct


def test_too_few_days_say_nothing():
    found = shadow(history("0.8", days=29))
    assert found.verdict == "too early to say"
    assert found.mean_pct.value is None


def test_days_without_strategies_are_no_difference():
    assert shadow([ShadowDay(day, {}, {}) for day in range(30)]).verdict == "nothing proven"


def test_the_same_history_gives_the_same_interval_and_it_covers_the_mean():
    """Intervals of noise around 0 rarely miss it."""
    rng = random.Random(7)
    missed = 0
    for _ in range(12):
        values = [rng.gauss(0, 1) for _ in range(60)]
        low, high = interval(values)
        assert (low, high) == interval(values)
        missed += not low <= 0 <= high
        assert low <= math.fsum(values) / len(values) <= high
    assert missed <= 3
