"""The book as an hledger journal, in which `hledger check` and `hledger balance -B` check it.

hledger has no lots, but it keeps what each posting cost in total and adds that up exactly. So what
comes is posted at its cost, what goes at the cost of the lots that it was made of, and the cost of
every account (`-B`) is that of bursar's book to the last digit, under every cost rule. Which lots
are left it does not know: beancount's file or the table `lots` does.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from bursar.exact import FRACTION_DIGITS, ZERO, money, trimmed
from bursar.ledger import instant
from bursar.ledger.book import POOL
from bursar.portfolio.exports.double import Ledger, deed, next_day, one_line, told
from bursar.portfolio.exports.legs import Change, Face, Leg, Posted, Worth, closing, posted
from bursar.portfolio.exports.names import Names

_HEAD: Final = """\
; Written by bursar. Amounts are exact. What leaves is posted at the cost of its lots ({rule}).
decimal-mark .
"""
_GAPS: Final = re.compile(r"\s+")
_Line = tuple[str, str, str]
"""An account, the asset that moves on it, and the amount."""


def hledger(ledger: Ledger) -> Iterator[str]:
    """Yield the journal, piece by piece."""
    writer = _Writer(ledger)
    yield _HEAD.format(rule=ledger.terms.method.value)
    last = None
    for each in posted(ledger.terms, ledger.facts):
        yield from _fact(writer, each)
        last = each.fact.executed_at
    if last is not None:
        yield from _prices(writer)
        yield from _balances(writer, next_day(last))


class _Writer:
    """Names, and the commodities that were declared, while a journal is written."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.account = Names(_account, join=" ")
        self.commodity = Names(_commodity, join=" ")
        self.base = self._quoted(ledger.terms.base)
        self._declared: set[str] = set()

    def place(self, name: str) -> str:
        """Return the account of a place."""
        return self.account(f"Assets:{'Pool' if name == POOL else name}")

    def amount(self, asset: str, units: Decimal) -> str:
        """Return an amount of an asset."""
        return f"{trimmed(units)} {self._quoted(asset)}"

    def declarations(self, assets: list[str]) -> Iterator[str]:
        """Declare commodities that are new, with all their decimals: hledger balances by them."""
        for asset in assets:
            if asset not in self._declared:
                self._declared.add(asset)
                yield f"\ncommodity 1.{'0' * FRACTION_DIGITS} {self._quoted(asset)}\n"

    def lines(self, leg: Leg) -> list[_Line]:
        """Return the postings of a leg."""
        base = self.ledger.terms.base
        match leg:
            case Worth():
                return [(self.account(":".join(leg.path)), base, self.amount(base, leg.amount))]
            case Face():
                amount = self.amount(leg.asset, leg.units)
                cost = "" if leg.asset == base else self._cost(abs(leg.units))
                return [(self.place(leg.account), leg.asset, amount + cost)]
            case Change():
                return [
                    (self.place(leg.account), leg.asset, self.amount(leg.asset, units) + cost)
                    for units, cost in self._changes(leg)
                ]

    def _changes(self, leg: Change) -> list[tuple[Decimal, str]]:
        """Return units with their cost; where those go different ways, out and in again."""
        sign = -1 if leg.is_owed else 1
        units = sign * (leg.after.units - leg.before.units)
        if units and units * leg.cost >= 0:
            return [(units, self._cost(abs(leg.cost)))]
        parts = ((-sign, leg.before), (sign, leg.after))
        return [(way * each.units, self._cost(each.cost)) for way, each in parts if each.units]

    def _cost(self, cost: Decimal) -> str:
        return f" @@ {trimmed(cost)} {self.base}"

    def _quoted(self, asset: str) -> str:
        spelled = self.commodity(asset)
        return spelled if spelled.isascii() and spelled.isalpha() else f'"{spelled}"'


def _fact(writer: _Writer, each: Posted) -> Iterator[str]:
    lines = _lines(writer, each)
    if not lines:
        yield f"\n; {told(each.fact)}\n"
        yield from (f";   {one_line(remark)}\n" for remark in each.remarks)
        return
    yield from writer.declarations([asset for _, asset, _ in lines])
    mark = "!" if each.fact.flags else "*"
    said = _plain(f"{each.fact.account} | {deed(each.fact)}")
    yield f"\n{instant.day(each.fact.executed_at)} {mark} {said}\n"
    yield f"    ; {instant.show(each.fact.executed_at)} {one_line(each.fact.id)}\n"
    if each.fact.flags:
        yield f"    ; {' '.join(flag.value for flag in each.fact.flags)}\n"
    yield from (f"    ; {one_line(remark)}\n" for remark in each.remarks)
    yield from (f"    {account}  {amount}\n" for account, _, amount in lines)


@money
def _lines(writer: _Writer, each: Posted) -> list[_Line]:
    return [line for leg in each.legs for line in writer.lines(leg)]


def _prices(writer: _Writer) -> Iterator[str]:
    yield "\n"
    for mark in writer.ledger.prices:
        asset = writer.amount(mark.asset, ZERO).partition(" ")[2]
        yield f"P {instant.day(mark.at)} {asset} {writer.amount(mark.quote, mark.price)}\n"


def _balances(writer: _Writer, day: str) -> Iterator[str]:
    """Assert what the book says each account stands at, for hledger to check."""
    stands = _standing(writer)
    yield from writer.declarations([asset for _, asset in stands])
    yield f"\n{day} * what bursar says each account stands at\n"
    for (account, asset), units in sorted(stands.items()):
        nothing, amount = writer.amount(asset, ZERO), writer.amount(asset, units)
        yield f"    {account}  {nothing} = {amount}\n"


@money
def _standing(writer: _Writer) -> dict[tuple[str, str], Decimal]:
    book, own = writer.ledger.book, dict[tuple[str, str], Decimal]()
    for (place, asset), holding in book.holdings.items():
        key = (writer.place(place), asset)
        own[key] = own.get(key, ZERO) + holding.quantity
    for leg in closing(book):
        key = (writer.account(":".join(leg.path)), book.terms.base)
        own[key] = own.get(key, ZERO) + leg.amount
    return own


def _account(name: str) -> str:
    """Spell an account: single spaces, no sign that hledger reads as something else."""
    parts = (_plain(part).strip("()[]*! ") or "X" for part in name.split(":"))
    return ":".join(parts)


def _commodity(name: str) -> str:
    return _plain(name).replace('"', "'") or "X"


def _plain(text: str) -> str:
    return _GAPS.sub(" ", text.replace(";", ",").replace("=", "-")).strip()
