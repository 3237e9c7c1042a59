"""What one process writes while another one writes to the book."""

import asyncio
from decimal import Decimal

import pytest

import bursar
from bursar.errors import StaleVersion
from bursar.ledger.golden import read
from bursar.ledger.terms import Terms
from bursar.portfolio import agreement, hand, transaction_file
from bursar.portfolio.accounting import FilledOrder, PortfolioAccounting
from bursar.portfolio.once import once
from bursar.portfolio.service import PortfolioService
from bursar.reconcile import Holding, Statement
from bursar.serve import writing
from tests.unit.portfolio.places import Clock
from tests.unit.portfolio.venues import Told


def test_what_is_said_by_hand_is_planned_anew_where_another_writer_was_first(tmp_path):
    place = tmp_path / "book.db"
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:

        def meanwhile():
            other.add("deposit", "7", "EUR", again=True)

        for said in (
            lambda: mine.add("buy", "1", "XBT/EUR", price="5", time="2024-01-05", id="bought"),
            lambda: mine.add("withdrawal", "1", "XBT", time="2024-01-06", id="out"),
            lambda: mine.add(
                "deposit", "1", "XBT", time="2024-01-07", id="in", account="manual:other"
            ),
            lambda: mine.price("XBT", "2024-01-02", "41000"),
            lambda: mine.tag("bought", strategy="dip"),
            lambda: mine.link("out", "in"),
            lambda: mine.add("deposit", "1", "EUR", id="gift"),
            lambda: mine.reverse("gift"),
        ):
            meanwhile()
            before = other.desk.head.version
            assert said().version == before + 1
        assert mine.verify().is_sound


def _never():
    raise AssertionError("what is in memory will do")


def test_a_request_under_a_key_is_made_anew_where_another_writer_is_faster(tmp_path, monkeypatch):
    place, tries = tmp_path / "book.db", []
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:

        def made(desk):
            tries.append(desk.head.version)
            if len(tries) == 1:
                other.add("deposit", "7", "EUR")
            return hand.entered(desk, "deposit", "1", "EUR", {"time": "2024-01-05"})

        monkeypatch.setattr(mine.desk, "reload", _never)  # a whole journal, under the lock
        done = once(mine, "k", b"asked", made)
        assert (tries, done.version, done.is_repeat) == ([0, 1], 2, False)
        assert once(other, "k", b"asked", made).is_repeat
        assert mine.verify().is_sound


def test_statements_are_recorded_though_another_writer_was_first(tmp_path):
    place = tmp_path / "book.db"
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:
        other.add("deposit", "7", "EUR")
        assert mine.record(*read(["2026-01-05T10:00:00Z deposit 1 EUR #k:1"])).version == 2
        assert mine.verify().is_sound


def test_a_fill_is_booked_though_another_writer_is_faster(tmp_path, monkeypatch):
    place, clock = tmp_path / "book.db", Clock()
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:
        caught_up = mine.writer.catch_up

        def meanwhile(*found):
            caught_up(*found)
            if not other.desk.head.version:
                other.add("deposit", "7", "EUR")

        monkeypatch.setattr(mine.desk, "catch_up", meanwhile)
        order = FilledOrder(
            fill_id="f1", symbol="XBT/EUR", side="buy", quantity="1", price="5", at=clock.now()
        )
        assert asyncio.run(PortfolioAccounting(mine).record_fill(order)).version == 2
        assert mine.verify().is_sound


def test_what_closes_a_break_is_not_entered_where_another_writer_may_have_closed_it(tmp_path):
    place = tmp_path / "book.db"
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:
        mine.record(*read(["2026-01-05T10:00:00Z deposit 1 EUR #k:1"]))
        holding = Holding(asset="EUR", code="EUR", total=Decimal(3), reserved=Decimal(0))
        now = mine.desk.clock.now()
        told = Statement(account="k", as_of=now, holdings=(holding,))
        agreement.remember(mine, told)
        one, two = PortfolioService(mine), PortfolioService(other)
        other.writer.catch_up()
        assert [len(each.get_drift("k")[0].proposals) for each in (one, two)] == [1, 1]
        two.accept_proposal("k", 1)
        with pytest.raises(StaleVersion):
            one.accept_proposal("k", 1)
        assert one.get_drift("k")[0].proposals == ()
        assert mine.verify().is_sound


def test_a_sync_goes_on_though_another_writer_is_faster(tmp_path, monkeypatch):
    place, clock = tmp_path / "book.db", Clock()
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:
        venue = Told(clock, "2026-01-05T10:00:00Z buy 1 XBT @ 5 ETH #k:1")
        asked = venue.prices

        async def meanwhile(wanted):
            other.add("deposit", "7", "EUR", again=True)
            return await asked(wanted)

        monkeypatch.setattr(venue, "prices", meanwhile)
        (done,) = asyncio.run(PortfolioService(mine, (venue,)).sync()).accounts
        assert (done.new_entries, mine.desk.head.version) == (1, 2)
        assert mine.verify().is_sound


def test_a_transaction_over_rest_is_staged_anew_where_another_writer_is_faster(
    tmp_path, monkeypatch
):
    place, tries, stage = tmp_path / "book.db", [], transaction_file.stage
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:

        def meanwhile(told, transaction):
            tries.append(transaction.version)
            if len(tries) == 1:
                other.add("deposit", "7", "EUR")
            stage(told, transaction)

        monkeypatch.setattr(transaction_file, "stage", meanwhile)
        body = b'{"previous_equity": "7", "cash": {"delta": "1"}, "validation_epsilon": "2"}'
        for is_repeat in (False, True):
            asked = writing.Asked(route="transactions", body=body, key="one", is_preview=False)
            answer = writing.transaction(PortfolioService(mine), asked).body
            assert isinstance(answer, writing.Judged)
            assert (answer.written, answer.repeated) == (not is_repeat, is_repeat)
        assert (tries[:2], mine.desk.head.version) == ([0, 1], 2)
        assert mine.verify().is_sound
