"""What is open on margin at Kraken is held against what its trades come to."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from bursar.errors import VenueError, VenueGarbled
from bursar.ledger import instant
from bursar.ledger.entries import MarginFill
from bursar.portfolio import agreement
from bursar.reconcile import Kind, Limits, Verdict
from bursar.sim.kraken import invent
from bursar.venue.kraken.account import KrakenAccount
from bursar.venue.kraken.history import Options
from tests.venue.kraken_model import Model, client, reply
from tests.venue.test_kraken_sync import follower  # noqa: F401

D = Decimal
LIMITS = Limits()


def opened_of(account):
    """The trades that opened positions, by time."""
    return [each for each in account.trades if each.opens]


def stops(account):
    """Instants at which something is open, spread over the account."""
    return [each.time + instant.SECOND for each in opened_of(account)[::7]]


def reconciled(following):
    return agreement.reconciled(following.service.portfolio, "kraken:main", LIMITS)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_open_is_the_same_on_both_sides_at_any_time(follower, seed):  # noqa: F811
    account = invent(seed, 500, on_margin=True)
    following = follower(account, start=account.rows[0].time)
    seen = 0
    for at in stops(account):
        following.at(max(at, following.clock.now()))
        following.sync()
        found = reconciled(following)
        assert found.is_clean, found.breaks
        seen += sum(line.stated != 0 for line in found.comparison.positions)
    assert seen


def open_one(seed):
    """An account, an instant at which something is open, and the first of what is."""
    account = invent(seed, 300, on_margin=True)
    at = stops(account)[-1]
    ended = {each.position: each.time for each in account.trades}
    (first, *_) = (
        each for each in opened_of(account) if each.time < at and ended.get(each.id, at + 1) > at
    )
    return account, at, first


def twice(following, opened):
    """Let the venue have a position that neither its ledger nor its trades tell of."""
    house = following.fake.house
    other = opened._replace(id="TNEVER-TOLD0-000000")
    trades = (*house.account.trades, other)
    house.account = msgspec.structs.replace(
        house.account, trades=trades, shown_trades=house.account.history
    )


def test_what_nobody_told_of_is_found_weighed_and_proposed(follower):  # noqa: F811
    account, at, opened = open_one(3)
    following = follower(account, start=at)
    twice(following, opened)
    (done,) = following.initialize().accounts
    assert done.drift_detected
    found = reconciled(following)
    (one,) = found.breaks
    assert (one.kind, found.verdict) == (Kind.POSITION, Verdict.DRIFT)
    (line,) = found.comparison.apart
    assert line.difference * 2 == line.stated
    before = following.service.get_equity().equity_base
    (fill,) = agreement.accept(following.service.portfolio, found, 1).entries
    assert reconciled(following).is_clean
    (done,) = following.sync().accounts
    assert not done.drift_detected
    (margin,) = (
        each
        for each in following.service.portfolio.book().margins.values()
        if each.base == line.base
    )
    assert (margin.quantity, margin.notional) == (line.stated, line.entered)
    assert following.service.get_equity().equity_base != before  # what it would bring counts now
    assert isinstance(fill, MarginFill)
    assert fill.settled == 0


def test_a_sync_with_nothing_new_asks_no_more_than_before(follower):  # noqa: F811
    account, at, _ = open_one(3)
    following = follower(account, start=at)
    following.initialize()
    following.at(at + instant.DAY)
    following.sync()
    following.fake.asked.clear()
    following.sync()
    assert [each.endpoint for each in following.fake.asked] == ["Time", "Ledgers", "BalanceEx"]
    assert reconciled(following).comparison.positions


def test_a_difference_is_asked_for_again_until_it_is_none(follower):  # noqa: F811
    account, at, opened = open_one(3)
    following = follower(account, start=at)
    true = following.fake.house.account
    twice(following, opened)
    following.initialize()
    following.fake.house.account = true
    (done,) = following.sync().accounts
    assert not done.drift_detected
    assert reconciled(following).is_clean


OPENED = {
    "ordertxid": "OAAAAA-BBBBB-CCCCCC",
    "posstatus": "open",
    "pair": "XXBTZUSD",
    "time": Decimal("1616660000.2524"),
    "type": "sell",
    "ordertype": "limit",
    "cost": "300.00000",
    "fee": "0.30000",
    "vol": "0.30000000",
    "vol_closed": "0.10000000",
    "margin": "60.00000",
    "misc": "",
    "oflags": "",
}


def told(tmp_path, positions, known=()):
    """What a client reads of an answer to `OpenPositions`."""
    model = Model()
    model.positions = {} if isinstance(positions, str) else positions

    async def answer(asked):
        if asked.endpoint == "OpenPositions" and isinstance(positions, str):
            return reply({"error": [positions]})
        return await model(asked)

    async def go():
        async with client(answer, tmp_path) as asking:
            there = KrakenAccount(asking, Options())
            return await there.leveraged(known), [each.text for each in asking.notices]

    return asyncio.run(go())


def test_what_is_left_of_positions_of_a_pair_is_added_up(tmp_path):
    other = {**OPENED, "time": 1616650000, "vol_closed": "0", "vol": "0.10000000", "cost": "90"}
    closed = {**OPENED, "vol_closed": "0.30000000"}
    said, _ = told(tmp_path, {"TA": OPENED, "TB": other, "TC": closed}, ["ETH/USD"])
    assert [(each.pair, each.quantity, each.entered, each.since) for each in said] == [
        ("ETH/USD", D(0), None, None),
        ("XBT/USD", D("-0.3"), D(290), 1616650000 * instant.SECOND),
    ]


def test_positions_both_ways_leave_open_what_the_rest_was_entered_for(tmp_path):
    said, _ = told(tmp_path, {"TA": OPENED, "TB": {**OPENED, "type": "buy", "vol": "1"}})
    assert [(each.quantity, each.entered) for each in said] == [(D("0.7"), None)]


@pytest.mark.parametrize("error", ["EGeneral:Permission denied", "EGeneral:Unknown method"])
def test_a_key_that_may_not_see_it_leaves_it_unknown(tmp_path, error):
    said, notices = told(tmp_path, error)
    assert said is None
    assert any("what is open on margin is not compared" in each for each in notices)


@pytest.mark.parametrize(
    "field, value", [("vol_closed", "0.4"), ("type", "hold"), ("vol", None), ("time", "soon")]
)
def test_an_answer_that_is_none_is_no_position(tmp_path, field, value):
    with pytest.raises(VenueGarbled, match=field):
        told(tmp_path, {"TA": {**OPENED, field: value}})


def test_another_error_is_no_answer(tmp_path):
    with pytest.raises(VenueError):
        told(tmp_path, "EGeneral:Invalid arguments")
