"""A weight is told with everything it was made from."""

import msgspec
import pytest

from bursar.errors import FigureNotFound
from bursar.portfolio import allocating
from bursar.portfolio.service import PortfolioService
from bursar.serve.asking import query_of
from bursar.serve.reading import Room
from bursar.serve.routes import READS
from bursar.serve.spelling import encode
from bursar.store.trades import MemoryTradeStore
from tests.unit.portfolio.test_allocating import TWO, portfolio

(ROUTE,) = (each for each in READS if each.name == "decision")


def asked(made, **told):
    query = query_of(told.items(), ROUTE.params)
    answer = ROUTE.read(Room(PortfolioService(made, ()), MemoryTradeStore), query)
    return msgspec.json.decode(encode(answer))["decision"]


def test_a_decision_tells_each_factor_its_bounds_and_what_they_were_made_from():
    """Trend won 50 in one trade, carry lost 20; the books begin the day with half each."""
    made = portfolio(*TWO)
    assert asked(made) is None
    asking = allocating.Asked(regime="BULL", doubt="a guess", is_doubt_allowed=True)
    allocating.apply(made, allocating.propose(made, asked=asking))
    told = asked(made, strategy="trend")
    (line,) = told["lines"]
    factors = [line[name] for name in ("method", "regime", "memory", "pressure", "share")]
    assert factors == [1, 1, 1, 1, 1]
    assert [line[name] for name in ("wish", "least", "most", "weight")] == [0.5, 0.4, 0.5, 0.5]
    assert (line["bound"], line["reason"]) == ("cap", "held at its cap")
    assert told["figures"]["trend"]["results"] == {"trades": 1, "profit": 50, "loss": 0}
    assert told["states"] == {"trend": {"state": "ACTIVE", "since_at": "2026-01-21T00:00:00Z"}}
    assert (told["regime"], told["marked"]) == ("BULL", "a guess")
    assert told["told"]["by"] == "a person"
    assert told["told"]["at"] == "2026-01-21T00:00:00Z"
    assert [each["strategy"] for each in asked(made)["lines"]] == ["carry", "trend"]


def test_a_strategy_without_a_weight_is_not_found():
    made = portfolio(*TWO)
    allocating.apply(made, allocating.propose(made))
    with pytest.raises(FigureNotFound, match="gave nobody no weight"):
        asked(made, strategy="nobody")
