"""The proof of a portfolio: read the journal anew, refold it, and audit every identity.

Each check says what it saw, so that a clean answer is evidence too.

Errors: none. What is wrong is in the answer.
"""

from collections.abc import Iterable

from bursar.desk import Desk
from bursar.errors import StoreCorrupt
from bursar.exact import money, show
from bursar.ledger import audit, describe, journal, projection
from bursar.ledger.audit import Breach, Totals
from bursar.ledger.book import Book
from bursar.ledger.fold import traced
from bursar.ledger.timeline import Timeline
from bursar.portfolio.answers import Check, Verification
from bursar.value.equity import Valuation, valuation_gap

_CENTS = 2
_MONEY = "money"


@money
def verify(desk: Desk, valuation: Valuation) -> Verification:
    """Prove a portfolio. `valuation` is of the book in memory."""
    head = desk.store.head()
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


_MEMORY = "the book in memory is not the fold of the journal"


def _refolded(desk: Desk) -> tuple[Timeline, int, tuple[str, ...]]:
    """Fold the journal anew: (timeline, good rows, what broke it)."""
    fresh, rows = Timeline(desk.store.head().terms), 0
    told = []
    try:
        for row in journal.check(desk.store.records()):
            told.append(row.entry())
            rows = row.seq
        fresh.land(fresh.plan(told))
    except StoreCorrupt as error:
        return fresh, rows, (error.message,)
    return fresh, rows, ()


def _projected(desk: Desk, book: Book) -> tuple[str, ...]:
    if desk.store.load_state() == projection.cells(book):
        return ()
    return ("the stored projection is not the fold of the journal",)


def _recorded(desk: Desk, fresh: Timeline, broken: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Compare the stored trade and flow records with those the facts give."""
    book = Book(fresh.terms)
    trades, flows = describe.records(((fact, traced(book, fact)) for fact in fresh), book.cash)
    told = f"{len(trades):,} trade records and {len(flows):,} flows say what the facts say"
    if broken:
        return told, ()
    stored = {(each.trade_id, each.kind): each for each in desk.store.get_trades()}
    faults = []
    if stored != {(each.trade_id, each.kind): each for each in trades}:
        faults.append("the stored trade records are not those of the facts")
    if {each.id: each for each in desk.store.get_cash_flows()} != {each.id: each for each in flows}:
        faults.append("the stored flow records are not those of the facts")
    return told, tuple(faults)


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
