"""What an earlier version filed otherwise, and what rows that begin late leave open, told again."""

import asyncio
import csv
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest

import bursar
from bursar.desk import Desk
from bursar.ledger.entries import Movement
from bursar.ledger.terms import Terms
from bursar.portfolio.agreement import accept, reconciled
from bursar.reconcile import Kind, Limits
from bursar.store import MemoryStore
from tests.venue.loopback import HandClock
from tests.venue.telling import Told, held, made

MARK = "sync kraken:main"
LEFT_OUT = {"subtype", "wallet", "balance"}


def swept():
    """Rewards of two days that were swept together under two references."""
    told = Told(XETH="2000", ETH2="2000")
    told.row("S1", "staking", "ETH2.S", "0.01")
    told.row("S2", "staking", "ETH2.S", "0.02")
    told.row("S3", "staking", "ETH2.S", "-0.03")
    told.row("S4", "staking", "ETH2", "0.03", after=20)
    return told


def test_rows_that_were_filed_otherwise_before_are_never_counted_twice(tmp_path):
    told, store = swept(), MemoryStore(terms=Terms(base="USD"))
    service = told.booked(tmp_path)
    entries = (record.entry() for record in service.portfolio.desk.store.records())
    earlier = [
        msgspec.structs.replace(entry, group=f"kraken:main:S{number}")
        for number, entry in enumerate((e for e in entries if isinstance(e, Movement)), 1)
    ]
    desk = Desk(store, HandClock())
    desk.commit(desk.stage(earlier))

    async def again():
        async with told.following(tmp_path, store=store) as service:
            before = held(service), made(service)
            asked = await service.initialize()
            read = service.portfolio.import_files(*told.exported(tmp_path))
            seq = store.head().seq
            store.save_memos({MARK: None})
            await service.initialize()
            service.portfolio.import_files(*told.exported(tmp_path))
            assert store.head().seq == seq  # told again it is no news
            gaps = [(gap.asset, gap.flag, gap.count) for gap in service.portfolio.gaps()]
            return before, (held(service), made(service)), asked, read, gaps

    before, after, asked, read, gaps = asyncio.run(again())
    assert before[0] == after[0] == {"ETH2": "0.06"}  # as it was read then: once too often
    assert gaps == [("ETH2", "conflicted", 4)]
    for conflicts in (asked.accounts[0].conflicts, read.receipt.review.conflicts):
        assert len(conflicts) == 4
        assert all("read the account into a new portfolio" in each for each in conflicts)
    assert "1 under way" in asked.certificates[0]  # the 0.03 that the venue does not state
    assert held(told.booked(tmp_path)) == {"ETH2": "0.03"}  # a new portfolio has it right


def test_rows_that_are_said_to_be_all_there_are_may_not_begin_late(tmp_path):
    told = Told(XXBT="50000")
    told.left["XXBT"] = Decimal("1.25")
    told.deposit("XXBT", "2.5")
    portfolio = told.booked(tmp_path).portfolio
    late = reconciled(portfolio, "kraken:main", Limits())
    assert (late.breaks, [each.quantity for each in late.assumed]) == ((), [Decimal("1.25")])
    whole = reconciled(portfolio, "kraken:main", Limits(), is_whole=True)
    assert [each.kind for each in whole.breaks] == [Kind.MISSING_FLOW]
    accept(portfolio, whole, 1)
    closed = reconciled(portfolio, "kraken:main", Limits(), is_whole=True)
    assert (closed.breaks, closed.assumed) == ((), ())


@pytest.mark.parametrize("is_fuller_first", [True, False])
def test_an_export_without_a_column_gives_way_to_the_whole_one(tmp_path, is_fuller_first):
    whole = Path(str(files("bursar.samples") / "kraken-story-a" / "ledgers.gen4-16col.csv"))
    table = list(csv.reader(whole.read_text(encoding="utf-8").splitlines()))
    kept = [place for place, name in enumerate(table[0]) if name not in LEFT_OUT]
    poor = tmp_path / "poor.csv"
    poor.write_text("\n".join(",".join(row[place] for place in kept) for row in table) + "\n")
    figures = []
    for told in ((whole,), (whole, poor) if is_fuller_first else (poor, whole)):
        with bursar.open(":memory:", terms=Terms(base="EUR")) as book:
            for path in told:
                book.import_files(path)
            gaps = [gap for gap in book.gaps() if gap.flag != "conflicted"]
            figures.append((book.balances(), book.pnl(), gaps, book.flows()))
    (whole_book, both) = figures
    assert both[0] == whole_book[0]
    assert both[1][0].pnl.total == whole_book[1][0].pnl.total
    assert both[2:] == whole_book[2:]
