"""Looking up why: a figure by its name, opened to the entries, marks and formula behind it."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import FigureNotFound
from bursar.exact import ZERO, money, trimmed
from bursar.ledger import instant
from bursar.ledger.audit import Totals
from bursar.ledger.book import Book
from bursar.ledger.entries import (
    CAPITAL,
    EXPENSE,
    INCOME,
    CashFlow,
    Fill,
    Flag,
    FlowKind,
    MarginFill,
)
from bursar.ledger.facts import Fact
from bursar.ledger.fold import traced
from bursar.ledger.state import FlowTotal
from bursar.ledger.timeline import Timeline
from bursar.ledger.why import Amount, Why
from bursar.portfolio import measures
from bursar.value import reasons
from bursar.value.equity import Valuation


class Asked(msgspec.Struct, frozen=True):
    """What a question is asked of. `facts` reads the whole journal, so only who needs all asks."""

    book: Book
    facts: Callable[[], Timeline]
    valuation: Valuation
    totals: Totals


_Figure = Callable[[Asked, str | None], Why]


def why(asked: Asked, figure: str, asset: str | None) -> Why:
    """Return the figure of that name, of one asset or of the whole book.

    Raises:
        FigureNotFound: there is none of that name, it needs an asset, or the book knows no such
            asset: a name that is misspelt is no zero.
    """
    if figure not in _FIGURES:
        known = ", ".join(sorted({*_FIGURES, *measures.FIGURES}))
        raise FigureNotFound(f"no figure is called {figure!r}; there are {known}", figure=figure)
    found = _FIGURES[figure](asked, asset)
    if asset is not None and not found.parts and not _is_known(asked, asset):
        raise FigureNotFound(f"there never was any {asset} in the book", figure=figure, asset=asset)
    return found


def _is_known(asked: Asked, asset: str) -> bool:
    name = asked.valuation.marks.name
    return any(name(held) == name(asset) for _, held in asked.book.holdings)


@money
def _realized(asked: Asked, asset: str | None) -> Why:
    """Refold, and show every entry that realised something."""
    names, base = asked.valuation.marks, asked.valuation.base
    facts = asked.facts()
    book = Book(facts.terms)
    parts: list[Amount] = []
    total = ZERO
    for fact in facts:
        for line in traced(book, fact):
            is_asked = asset is None or names.name(line.asset) == names.name(asset)
            if is_asked and (line.realized or line.is_unsettled):
                total += line.realized
                said = _told(fact, line.kind, line.cost)
                parts.append(Amount(said, line.realized, fact.id))
                if line.is_unsettled:
                    parts.append(Amount(f"{said}, opened before what is known", None, fact.id))
    whose = "" if asset is None else f" of {asset}"
    formula = f"realised{whose} in {base} = Σ (value − cost of the lots that left − fees), by entry"
    return Why(total, formula, tuple(parts))


def _told(fact: Fact, kind: str, cost: Decimal) -> str:
    spent = f", cost {trimmed(cost)}" if cost else ""
    return f"{instant.show(fact.executed_at)} {_deed(fact)}{_part(kind)}{spent}"


def _deed(fact: Fact) -> str:
    match fact:
        case Fill():
            return f"{fact.side.value} {trimmed(fact.quantity)} {fact.base}"
        case CashFlow():
            return f"{fact.kind.value} {trimmed(fact.amount)} {fact.asset}"
        case MarginFill():
            return f"leveraged {fact.pair or fact.quote}"
        case _:
            return type(fact).__name__.lower()


def _part(kind: str) -> str:
    """Name what part of a deed made it, where that is not the deed itself."""
    return "" if kind in {"trade", "margin", "conversion", "flow"} else f", {kind}"


def _flows(name: str, kinds: frozenset[FlowKind], total: str) -> _Figure:
    @money
    def figure(asked: Asked, asset: str | None) -> Why:
        names = asked.valuation.marks
        wanted = {kind.value for kind in kinds}
        parts = tuple(
            Amount(
                f"{kind} {flow.amount:f} {held} ({flow.count})",
                _booked(asked.book, held, flow),
                account,
            )
            for (account, kind, held, _), flow in sorted(asked.book.flows.items())
            if kind in wanted and (asset is None or names.name(held) == names.name(asset))
        )
        value = sum((part.value for part in parts if part.value is not None), ZERO)
        return Why(value, f"{name} = Σ {total}, by account, kind and asset", parts)

    return figure


def _booked(book: Book, asset: str, flow: FlowTotal) -> Decimal | None:
    """Return what a flow was booked at; coins that nobody has priced are unknown, not nothing."""
    unknown = book.gaps.get((asset, Flag.UNPRICED.value)) and flow.amount and not flow.booked
    return None if unknown else flow.booked


def _needs(figure: Callable[[Asked, str], Why], name: str) -> _Figure:
    def asked_of(asked: Asked, asset: str | None) -> Why:
        if asset is None:
            raise FigureNotFound(f"{name} of which asset? Ask `why {name} XBT`", figure=name)
        return figure(asked, asset)

    return asked_of


def _whole(figure: Callable[[Asked], Why], name: str) -> _Figure:
    def asked_of(asked: Asked, asset: str | None) -> Why:
        if asset is not None:
            raise FigureNotFound(f"{name} is a figure of the whole book, not of {asset}")
        return figure(asked)

    return asked_of


_FIGURES: Final[dict[str, _Figure]] = {
    "equity": _whole(lambda asked: reasons.why_equity(asked.valuation), "equity"),
    "value": _needs(lambda asked, asset: reasons.why_value(asked.valuation, asset), "value"),
    "unrealized": _needs(
        lambda asked, asset: reasons.why_unrealized(asked.valuation, asset), "unrealized"
    ),
    "realized": _realized,
    "cost": _needs(
        lambda asked, asset: reasons.why_cost(asked.book, asked.valuation, asset), "cost"
    ),
    "fees": _whole(lambda asked: reasons.why_fees(asked.book), "fees"),
    "identity": _whole(
        lambda asked: reasons.why_identity(asked.valuation, asked.totals), "identity"
    ),
    "contributed": _flows("contributed", CAPITAL, "cost of capital in − cost of capital out"),
    "income": _flows("income", INCOME, "income at its value"),
    "expenses": _flows("expenses", EXPENSE, "charges at their value"),
}
