"""The proof of a portfolio: read the journal anew, refold it, and audit every identity.

Each check says what it saw, so that a clean answer is evidence too. Between them the checks cover
every value that the store gives: the chain covers the journal, the fold covers the projection and
the records, seals and counts cover the rest, and the database looks at its own files.

Errors: `StoreBusy` where others commit without a pause; `StoreCorrupt` where not even the head can
be read. What else is wrong is in the answer.
"""

from collections.abc import Callable, Iterable, Mapping

from bursar.desk import Desk
from bursar.errors import StoreBusy, StoreCorrupt
from bursar.exact import money, show
from bursar.ledger import audit, describe, journal, projection
from bursar.ledger.audit import Breach, Totals
from bursar.ledger.book import Book
from bursar.ledger.planning import folded
from bursar.ledger.records import CashFlowRecord, RealizedPnLRecord, is_shift
from bursar.ledger.timeline import Timeline
from bursar.portfolio import snapshots, walk
from bursar.portfolio.answers import Check, Verification
from bursar.value.equity import Valuation, valuation_gap

_CENTS = 2
_MONEY = "money"


def verify(desk: Desk, value: Callable[[], Valuation]) -> Verification:
    """Prove a portfolio as it stands in the store. `value` values the book in memory.

    A commit of another writer in between makes it look again.
    """
    for _ in range(_LOOKS):
        if desk.store.head() != desk.head:
            desk.reload()
        found = _proved(desk, value())
        if desk.store.head() == desk.head:
            return found
    raise StoreBusy("others commit without a pause; verify when they rest")


@money
def _proved(desk: Desk, valuation: Valuation) -> Verification:
    head = desk.head
    fresh, rows, broken = _refolded(desk)
    book, totals = fresh.book, audit.totals(fresh.book)
    digest = projection.digest(book)
    breaches = audit.breaches(book)
    lots = sum(len(book.lots(*place)) for place in book.holdings if place[1] not in book.cash)
    checks = (
        Check("journal", f"{rows:,} rows, each hash follows from the one before", broken),
        Check(
            "projection",
            f"the stored book is the fold of {len(fresh.facts):,} facts",
            () if broken else _projected(desk, book),
        ),
        Check(
            "memory",
            f"the book in memory is that fold: {digest[:12]}",
            () if broken or digest == projection.digest(desk.timeline.book) else (_MEMORY,),
        ),
        Check("records", *_recorded(desk, fresh, broken)),
        Check("store", *_kept(desk)),
        Check("books", _equation(totals, book.terms.base), _named(breaches, of_money=True)),
        Check(
            "lots",
            f"{lots:,} lots add up to {len(book.holdings):,} holdings",
            _named(breaches, of_money=False),
        ),
        Check("marks", _valued(valuation), _gap(desk, valuation)),
    )
    faults = tuple(fault for check in checks for fault in check.faults)
    return Verification(
        rows, len(fresh.facts), lots, head.hash, totals, faults, digest=digest, checks=checks
    )


_LOOKS = 3
_MEMORY = "the book in memory is not the fold of the journal"


def _refolded(desk: Desk) -> tuple[Timeline, int, tuple[str, ...]]:
    """Fold the journal anew: (timeline, good rows, what broke it)."""
    terms, rows, last = desk.head.terms, 0, journal.GENESIS
    told = []
    try:
        for row in journal.check(desk.store.records()):
            told.append(row.entry())
            rows, last = row.seq, row.hash
    except StoreCorrupt as error:
        return Timeline(terms), rows, (error.message,)
    if (rows, last) != (desk.head.seq, desk.head.hash):
        said = f"the journal ends at row {rows}, its head says row {desk.head.seq}"
        said = said if rows != desk.head.seq else f"{said} of another hash"
        return Timeline(terms), rows, (said,)
    return folded(terms, told), rows, ()


def _projected(desk: Desk, book: Book) -> tuple[str, ...]:
    return _compared(
        "the stored projection is not the fold of the journal",
        lambda: (desk.store.load_state(), projection.cells(book)),
    )


def _recorded(desk: Desk, fresh: Timeline, broken: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Compare the stored trade and flow records with those the facts give."""
    trades, flows = describe.retold(fresh.terms, fresh)
    count = sum(not is_shift(each) for each in trades)
    told = f"{count:,} trade records and {len(flows):,} flows say what the facts say"
    if broken:
        return told, ()
    return told, (
        *_compared(
            "the stored trade records are not those of the facts",
            lambda: (_by_trade(desk.store.get_shifted()), _by_trade(trades)),
        ),
        *_compared(
            "the stored flow records are not those of the facts",
            lambda: (_by_id(desk.store.get_cash_flows()), _by_id(flows)),
        ),
    )


def _by_trade(records: Iterable[RealizedPnLRecord]) -> dict[str, RealizedPnLRecord]:
    return {f"{each.kind} {each.trade_id}": each for each in records}


def _by_id(records: Iterable[CashFlowRecord]) -> dict[str, CashFlowRecord]:
    return {each.id: each for each in records}


def _compared(
    what: str, sides: Callable[[], tuple[Mapping[str, object], Mapping[str, object]]]
) -> tuple[str, ...]:
    """Say where what is stored differs from what should be."""
    try:
        stored, due = sides()
    except StoreCorrupt as error:
        return (error.message,)
    wrong = sorted(name for name in stored.keys() | due if stored.get(name) != due.get(name))
    more = f" and {len(wrong) - 1:,} more" if len(wrong) > 1 else ""
    return (f"{what}: {wrong[0]}{more}",) if wrong else ()


def _kept(desk: Desk) -> tuple[str, tuple[str, ...]]:
    """Look at what neither the chain nor the fold covers: files, messages, snapshots, memos."""
    version, kept, memos = desk.head.version, 0, 0
    faults: list[str] = []
    try:
        faults += desk.store.examine()
        numbers = [row.number for row in desk.store.outbox()]
        if numbers != list(range(1, version + 1)):
            faults.append(f"{version} commits left {len(numbers)} messages: one each was written")
        kept, memos = len(desk.store.get_snapshots()), len(desk.store.memos())
        doubted = snapshots.doubts(desk.store, desk.timeline.splits.values())
        faults += (*_checkpoint(desk), *walk.check(desk.store, doubted))
    except StoreCorrupt as error:
        faults.append(error.message)
    seen = f"as written: messages {version:,}, snapshots {kept:,}, memos {memos:,}"
    return seen, tuple(faults)


def _checkpoint(desk: Desk) -> Iterable[str]:
    """Tell of a checkpoint that does not go on after the journal row it names."""
    kept = desk.store.checkpoint()
    if kept is not None and kept.seq:
        row = next(desk.store.records(kept.seq - 1), None)
        if row is None or row.hash != kept.hash:
            yield f"the checkpoint goes on after another row {kept.seq} than the journal's"


def _named(breaches: Iterable[Breach], *, of_money: bool) -> tuple[str, ...]:
    return tuple(str(each) for each in breaches if (each.identity == _MONEY) is of_money)


def _equation(totals: Totals, base: str) -> str:
    cost, contributed, realized, income, expenses = (
        show(each, places=_CENTS)
        for each in (
            totals.cost,
            totals.contributed,
            totals.realized,
            totals.income,
            totals.expenses,
        )
    )
    return (
        f"cost {cost} = contributed {contributed} + realised {realized} + income {income}"
        f" − expenses {expenses} {base}, to the last digit"
    )


def _valued(valuation: Valuation) -> str:
    equity = show(valuation.equity, places=_CENTS)
    return f"equity {equity} {valuation.base} = the same + unrealised, to the last digit"


def _gap(desk: Desk, valuation: Valuation) -> tuple[str, ...]:
    gap = valuation_gap(valuation, audit.totals(desk.timeline.book))
    return (f"equity at these marks is off by {gap:f} {valuation.base}",) if gap else ()
