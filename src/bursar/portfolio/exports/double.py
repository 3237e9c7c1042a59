"""What both spellings of double entry share: the ledger to be written, and how facts are told."""

from collections.abc import Iterable
from typing import Final

import msgspec

from bursar.exact import trimmed
from bursar.ledger import golden, instant
from bursar.ledger.book import Book
from bursar.ledger.entries import CashFlow, Fill, Transfer
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.terms import Terms
from bursar.portfolio.exports.tables import Asked
from bursar.portfolio.portfolio import Portfolio
from bursar.value.marks import Mark

_DROPPED: Final = dict.fromkeys(map(ord, "\r\n\t\0"), " ")


class Ledger(msgspec.Struct, frozen=True):
    """Facts in canonical order, the book they fold to, and prices to be told beside them."""

    terms: Terms
    facts: Iterable[Fact]
    book: Book
    prices: tuple[Mark, ...] = ()


def ledger_of(portfolio: Portfolio, asked: Asked) -> Ledger:
    """Return a portfolio's ledger under a cost rule, with its prices and present marks."""
    timeline, rule = portfolio.timeline, asked.method or portfolio.terms.method
    told_ = [
        Mark(each.asset, each.quote, each.value, "recorded", each.executed_at)
        for each in timeline.notes.prices.counting()
    ]
    valuation = portfolio.valuation(asked.prices, rule=rule)
    marks = [
        msgspec.structs.replace(
            mark,
            asset=each.asset if canonical(mark.asset) == canonical(each.asset) else mark.asset,
            at=mark.split_at or mark.at,  # before that it was another price
        )
        for each in valuation.assets
        if each.path is not None and not each.is_cash
        for mark in each.path.marks
    ]
    terms = msgspec.structs.replace(portfolio.terms, method=rule)
    prices = tuple(sorted((*told_, *marks), key=lambda mark: mark.at))
    return Ledger(terms, timeline, portfolio.book(rule), prices)


def deed(fact: Fact) -> str:
    """Say in a few words what a fact did."""
    match fact:
        case Fill():
            return f"{fact.side.value} {trimmed(fact.quantity)} {fact.pair or fact.base}"
        case CashFlow():
            return f"{fact.kind.value.replace('_', ' ')} {trimmed(fact.amount)} {fact.asset}"
        case Transfer():
            return f"transfer {trimmed(fact.quantity)} {fact.asset} to {fact.to_account}"
        case _:
            return str(fact.__struct_config__.tag)


def told(fact: Fact) -> str:
    """Tell the whole fact, as a line of the golden language."""
    return one_line(golden.write_line(fact))


def one_line(text: str) -> str:
    """Put a text on one line."""
    return text.translate(_DROPPED)


def next_day(at: int) -> str:
    """Return the day after an instant's."""
    return instant.day(at + instant.DAY)
