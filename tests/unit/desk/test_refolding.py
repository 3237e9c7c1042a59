"""A book that another bursar folded: what opening makes of it."""

import json
from decimal import Decimal

import pytest

from bursar.app import SystemClock, portfolio_of
from bursar.desk import Desk
from bursar.errors import SchemaNewer, StaleVersion, StoreCorrupt
from bursar.ledger import copies, describe, planning, projection
from bursar.ledger.checkpoint import FORMAT, MARK
from bursar.portfolio.trading import TradeFollower
from bursar.ports import StoredCheckpoint
from bursar.store import MemoryStore, open_store
from bursar.store.trades import MemoryTradeStore
from tests.unit.desk.test_desk import Ticks, entries

STORY = (
    "2026-01-01T00:00:00Z deposit 100000 USD #k:main:d",
    "2026-01-05T10:00:00Z buy 2 XBT @ 40000 USD #k:main:1",
    "2026-02-01T09:30:00Z sell 0.5 XBT @ 50000 USD #k:main:2",
)
SOLD = '["cells", "k:main", "XBT", "XBT/USD", "manual", ""]'
LATER = "2026-03-01T00:00:00Z sell 1 XBT @ 60000 USD #k:main:3"


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryStore() if request.param == "memory" else open_store(tmp_path / "book.db")
    yield made
    made.close()


def desk(store):
    return Desk(store, Ticks())


def folded_otherwise(store, mark=None):
    """Make what is stored that of a bursar which thought the sale had made 1 USD."""
    store.save_memos({MARK: mark})
    cells = store.load_state()
    cell = json.loads(cells[SOLD]) | {"realized": "1"}
    store.save_state({**cells, SOLD: json.dumps(cell), '["sleeves", "grid"]': '"1"'})
    (sale,) = [each for each in store.get_trades() if each.trade_id == "k:main:2"]
    strange = {"trade_id": "k:main:9", "pnl_base": sale.cost_base}
    store.append_trades([type(sale)(**{**_fields(sale), **strange})])


def _fields(record):
    return {name: getattr(record, name) for name in record.__struct_fields__}


def kept_by(store):
    """Return the records that a store keeps, each list in an order of its own."""
    trades, flows = store.get_trades(), store.get_cash_flows()
    return sorted(trades, key=lambda t: t.trade_id), sorted(flows, key=lambda f: f.id)


def due(made):
    trades, flows = describe.retold(made.timeline.terms, made.whole())
    return sorted(trades, key=lambda t: t.trade_id), sorted(flows, key=lambda f: f.id)


def filled(store):
    made = desk(store)
    for line in STORY:
        made.submit(entries(line))
    return made


@pytest.mark.parametrize("mark", [None, "0"])
def test_a_book_of_an_older_fold_is_brought_along_when_it_is_opened(store, mark):
    before = filled(store).head
    rows = list(store.records())
    folded_otherwise(store, mark)
    made = desk(store)
    assert (made.head.version, made.head.seq) == (before.version + 1, before.seq)
    assert list(store.records()) == rows
    assert store.load_state() == projection.cells(made.timeline.book)
    assert kept_by(store) == due(made)
    assert made.refolded.cells == 2
    told = json.loads(store.outbox(before.version)[0].message.body)
    assert (told["first_seq"], told["last_seq"]) == (4, 3)
    (change,) = told["restated"]
    assert (change["asset"], change["old"]) == ("XBT", "1")
    assert Decimal(change["new"]) == 5000
    made.submit(entries(LATER))
    assert desk(store).refolded is None


def test_a_new_book_says_which_fold_it_is_of(store):
    filled(store)
    assert store.memo(MARK) == str(FORMAT)
    assert desk(store).refolded is None


def test_a_book_of_this_fold_that_is_another_is_damaged(store):
    filled(store)
    folded_otherwise(store, str(FORMAT))
    with pytest.raises(StoreCorrupt, match="stored projection"):
        desk(store)


def test_a_fold_that_is_no_number_is_damage(store):
    filled(store)
    store.save_memos({MARK: "c7"})
    with pytest.raises(StoreCorrupt, match="'c7', which is no number"):
        desk(store)


def test_a_book_of_a_newer_fold_is_left_alone(store):
    filled(store)
    store.save_memos({MARK: str(FORMAT + 1)})
    with pytest.raises(SchemaNewer, match="newer bursar"):
        desk(store)
    assert store.head().version == 3


def test_a_cell_that_cannot_be_read_is_damage_whoever_folded_it(store):
    filled(store)
    store.save_state({**store.load_state(), SOLD: "{"})
    store.save_memos({MARK: None})
    with pytest.raises(StoreCorrupt, match="cannot be read"):
        desk(store)


def test_a_checkpoint_of_another_fold_is_neither_read_nor_kept(store, monkeypatch):
    monkeypatch.setattr("bursar.desk.desk.KEPT_AHEAD", 1)
    monkeypatch.setattr(planning, "SPACING", 1)
    monkeypatch.setattr(copies, "SPACING", 1)
    made = filled(store)
    there = store.checkpoint()
    body = there.body.replace("80000", "70000")  # what the lots had cost; no cell has them
    assert body != there.body
    kept = StoredCheckpoint(there.time, there.seq, there.hash, body)
    assert store.save_checkpoint(kept, made.head.version)
    store.save_memos({MARK: None})
    anew = desk(store)
    assert store.checkpoint() is None
    assert projection.digest(anew.timeline.book) == projection.digest(made.whole().book)


def test_of_two_that_open_it_at_once_one_brings_it_along(store):
    filled(store)
    folded_otherwise(store)

    class Overtaken:
        """A store whose book another process brings along while this one folds."""

        was = False

        def __getattr__(self, name):
            return getattr(store, name)

        def commit(self, commit):
            if not self.was:
                self.was = True
                desk(store)
            return store.commit(commit)

    made = desk(Overtaken())
    assert made.head == store.head()
    assert made.head.version == 4
    assert made.refolded is None


def test_whoever_has_the_older_book_in_memory_takes_up_the_newer(store):
    made = filled(store)
    with_stale = made.stage(entries(LATER))
    folded_otherwise(store)
    desk(store)
    with pytest.raises(StaleVersion):
        made.commit(with_stale)
    store.save_memos({MARK: str(FORMAT + 1)})  # and had that one been newer still
    with pytest.raises(SchemaNewer):
        made.catch_up()


def test_trades_that_were_made_of_the_older_book_are_made_anew():
    store, trades = MemoryStore(), MemoryTradeStore()
    filled(store)
    follower = TradeFollower(portfolio_of(store, SystemClock()), trades)
    assert follower.follow()
    assert not follower.follow()
    folded_otherwise(store)
    anew = TradeFollower(portfolio_of(store, SystemClock()), trades)
    assert anew.follow()
    assert not anew.follow()
