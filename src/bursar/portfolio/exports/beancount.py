"""The book as a beancount file (version 3), in which beancount's own tools check it.

Lots carry their total cost, the day they were acquired, and as a label the entry that brought
them; a disposal names the lots that it takes by that label, so beancount holds the same lots under
every rule. Under `wac` there is one pool: beancount cannot average, so its account is booked NONE
and what leaves is posted at its share of the pool's cost. Units and cost of the account are then
exact, lot by lot they mean nothing.

beancount computes with 28 digits and keeps the cost of one unit. A total cost may therefore come
back different past its 28th digit, and of a lot that was sold in parts in the 18th decimal; the
tolerance says so. What is missing or sold short stands as negative lots in an account `Owed`.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ONE, ZERO, money, ratio18, trimmed
from bursar.ledger import instant
from bursar.ledger.book import POOL
from bursar.ledger.terms import Method
from bursar.portfolio.exports.double import Ledger, deed, next_day, one_line, told
from bursar.portfolio.exports.following import Age, Stake
from bursar.portfolio.exports.legs import Change, Face, Leg, Posted, Worth, closing, posted
from bursar.portfolio.exports.names import Names, commodity, component

TOLERANCE: Final = Decimal("0.000000000001")
_DIGITS_SURE: Final = 24
_SIZE_SAFE: Final = 9  # with 18 decimals, 28 digits are enough below 1,000,000,000
_BOOKING: Final = {
    Method.WAC: "NONE",
    Method.FIFO: "FIFO",
    Method.LIFO: "LIFO",
    Method.HIFO: "HIFO",
    Method.SPECIFIC: "STRICT",
}
_HEAD: Final = """\
;; Written by bursar. Amounts are exact. If you include this file, keep its options in the main one.
;; {rule}
option "title" "bursar"
option "operating_currency" "{base}"
option "tolerance_multiplier" "0.000000001"
"""
_RULES: Final = {
    True: "Cost rule wac: an account is one pool. Its units and cost are right, its lots are not.",
    False: "Cost rule {rule}: each disposal names the lots it takes.",
}


def beancount(ledger: Ledger) -> Iterator[str]:
    """Yield the file, piece by piece."""
    writer = _Writer(ledger)
    rule = _RULES[writer.method is Method.WAC].format(rule=writer.method.value)
    yield _HEAD.format(rule=rule, base=writer.base)
    last = None
    for each in posted(ledger.terms, ledger.facts):
        yield from _fact(writer, each)
        last = each.fact.executed_at
    if last is not None:
        # An option counts wherever it stands; only now is it known how large the amounts are.
        slack = trimmed(max(TOLERANCE, writer.slack(ledger.terms.base)))
        yield f'\noption "inferred_tolerance_default" "{writer.base}:{slack}"\n'
        yield from _prices(writer)
        yield from _balances(writer, next_day(last))


class _Piece(msgspec.Struct):
    """A lot as beancount holds it: what was posted, and how much of it is left."""

    day: str
    label: str
    units: Decimal
    cost: Decimal
    left: Decimal


_Line = tuple[str, str, str]
"""An account, the asset that moves on it, and the rest of the posting."""


class _Writer:
    """Names, open accounts and beancount's own lots, while a file is written."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.method = ledger.terms.method
        self.commodity = Names(commodity)
        self.base = self.commodity(ledger.terms.base)
        self._account = Names(lambda name: ":".join(map(component, name.split(":"))))
        self._owing: set[str] = set()
        self._opened: set[str] = set()
        self._pieces: dict[tuple[str, str, Age], list[_Piece]] = {}
        self._labels: set[tuple[str, str, str]] = set()
        self._largest: dict[str, Decimal] = {}

    def account(self, name: str, *, is_owed: bool = False) -> str:
        """Return the account of a place."""
        spelled = self._account(f"Assets:{'Pool' if name == POOL else name}")
        if is_owed:
            spelled = self._account(f"{spelled}:Owed")
            self._owing.add(spelled)
        return spelled

    def other(self, leg: Worth) -> str:
        """Return an account of capital, income or expenses."""
        return self._account(":".join(component(part) for part in leg.path))

    def openings(self, day: str, lines: list[_Line]) -> Iterator[str]:
        """Open the accounts and commodities that are new."""
        for account, asset, _ in lines:
            if self._is_new(f"commodity {asset}"):
                yield f"\n{day} commodity {self.commodity(asset)}\n  name: {_text(asset)}\n"
                if asset in self.ledger.terms.cash and asset != self.ledger.terms.base:
                    yield f"{day} price {self.commodity(asset)} 1 {self.base}\n"
            if self._is_new(f"account {account}"):
                yield f"\n{day} open {account}{self._booking(account)}\n"

    def _is_new(self, name: str) -> bool:
        is_new = name not in self._opened
        self._opened.add(name)
        return is_new

    def is_open(self, account: str) -> bool:
        """Tell whether anything was posted on an account."""
        return f"account {account}" in self._opened

    def slack(self, asset: str) -> Decimal:
        """Return what beancount's 28 digits may lose of the amounts that were posted."""
        size = self._largest.get(asset, ZERO).adjusted()
        return ONE.scaleb(size - _DIGITS_SURE) if size >= _SIZE_SAFE else ZERO

    def _booking(self, account: str) -> str:
        if account in self._owing:
            return ' "STRICT"'
        return f' "{_BOOKING[self.method]}"' if account.startswith("Assets:") else ""

    def lines(self, leg: Leg, day: str) -> list[_Line]:
        """Return the postings of a leg."""
        base = self.ledger.terms.base
        match leg:
            case Worth():
                self._measure(base, leg.amount)
                return [(self.other(leg), base, f"{trimmed(leg.amount)} {self.base}")]
            case Face():
                self._measure(leg.asset, leg.units)
                at = "" if leg.asset == base else f" @ 1 {self.base}"
                amount = f"{trimmed(leg.units)} {self.commodity(leg.asset)}{at}"
                return [(self.account(leg.account), leg.asset, amount)]
            case Change():
                self._measure(leg.asset, leg.after.units)
                self._measure(base, max(leg.before.cost, leg.after.cost))
                account = self.account(leg.account, is_owed=leg.is_owed)
                pooled = self.method is Method.WAC and not leg.is_owed
                amounts = self._pooled(leg, day) if pooled else self._lotted(leg, account)
                return [(account, leg.asset, amount) for amount in amounts]

    def _measure(self, asset: str, units: Decimal) -> None:
        self._largest[asset] = max(self._largest.get(asset, ZERO), abs(units))

    def _pooled(self, leg: Change, day: str) -> list[str]:
        """Add to a pool or take from it; where units and cost go different ways, exchange it."""
        units = leg.after.units - leg.before.units
        if units and units * leg.cost >= 0:
            return [self._posting(leg.asset, units, abs(leg.cost), day)]
        parts = ((-leg.before.units, leg.before.cost), (leg.after.units, leg.after.cost))
        return [self._posting(leg.asset, each, cost, day) for each, cost in parts if each]

    def _lotted(self, leg: Change, account: str) -> list[str]:
        """Add to a lot or take from it, by name; where that is not what happened, exchange it."""
        units = leg.after.units - leg.before.units
        cost = leg.after.cost - leg.before.cost
        pieces = self._pieces.setdefault((account, leg.asset, leg.lot), [])
        if units > 0 and _is_share(leg.before, units, cost):
            return [self._add(leg, account, Stake(units, cost))]
        taken = _spread(pieces, -units)
        if units < 0 and abs(_worth(taken) + cost) <= TOLERANCE:
            return [self._take(leg, piece, part) for piece, part in taken]
        gone = [self._take(leg, piece, piece.left) for piece in pieces if piece.left]
        return [*gone, *([self._add(leg, account, leg.after)] if leg.after.units else [])]

    def _add(self, leg: Change, account: str, stake: Stake) -> str:
        day, name = instant.day(leg.lot[0]), leg.lot[-1]
        label, number = name, 1
        while (account, leg.asset, label) in self._labels:
            number += 1
            label = f"{name}#{number}"
        self._labels.add((account, leg.asset, label))
        piece = _Piece(day, label, stake.units, stake.cost, stake.units)
        self._pieces[account, leg.asset, leg.lot].append(piece)
        units = -stake.units if leg.is_owed else stake.units
        return self._posting(leg.asset, units, stake.cost, f"{day}, {_text(label)}")

    def _take(self, leg: Change, piece: _Piece, units: Decimal) -> str:
        piece.left -= units
        signed = trimmed(units if leg.is_owed else -units)
        return f"{signed} {self.commodity(leg.asset)} {{{piece.day}, {_text(piece.label)}}}"

    def _posting(self, asset: str, units: Decimal, cost: Decimal, lot: str) -> str:
        total = f"{trimmed(cost)} {self.base}"
        return f"{trimmed(units)} {self.commodity(asset)} {{{{{total}, {lot}}}}}"


def _fact(writer: _Writer, each: Posted) -> Iterator[str]:
    lines, day = _lines(writer, each), instant.day(each.fact.executed_at)
    if not lines:
        yield f"\n;; {told(each.fact)}\n"
        yield from (f";;   {one_line(remark)}\n" for remark in each.remarks)
        return
    yield from writer.openings(day, lines)
    flag = "!" if each.fact.flags else "*"
    yield f"\n{day} {flag} {_text(each.fact.account)} {_text(deed(each.fact))}\n"
    yield f"  id: {_text(each.fact.id)}\n"
    yield f'  time: "{instant.show(each.fact.executed_at)}"\n'
    if each.fact.flags:
        yield f'  flags: "{" ".join(flag.value for flag in each.fact.flags)}"\n'
    yield from (f"  ; {one_line(remark)}\n" for remark in each.remarks)
    yield from (f"  {account}  {amount}\n" for account, _, amount in lines)


@money
def _lines(writer: _Writer, each: Posted) -> list[_Line]:
    day = instant.day(each.fact.executed_at)
    return [line for leg in each.legs for line in writer.lines(leg, day)]


def _prices(writer: _Writer) -> Iterator[str]:
    if writer.ledger.prices:
        yield "\n"
    for mark in writer.ledger.prices:
        asset, quote = writer.commodity(mark.asset), writer.commodity(mark.quote)
        if asset != quote:
            yield f"{instant.day(mark.at)} price {asset} {trimmed(mark.price)} {quote}\n"


def _balances(writer: _Writer, day: str) -> Iterator[str]:
    """Assert what the book says each account stands at; an account includes those below it."""
    yield "\n;; What bursar says each account stands at, for beancount to check.\n"
    for (account, asset), units in sorted(_standing(writer).items()):
        amount = f"{trimmed(units)} ~ {trimmed(writer.slack(asset))} {writer.commodity(asset)}"
        yield f"{day} balance {account}  {amount}\n"


@money
def _standing(writer: _Writer) -> dict[tuple[str, str], Decimal]:
    book, own = writer.ledger.book, dict[tuple[str, str], Decimal]()
    for (place, asset), holding in book.holdings.items():
        key = (writer.account(place), asset)
        own[key] = own.get(key, ZERO) + holding.quantity
    for leg in closing(book):
        key = (writer.other(leg), book.terms.base)
        own[key] = own.get(key, ZERO) + leg.amount
    sums = {key: ZERO for key in own if writer.is_open(key[0])}
    for (account, asset), units in own.items():
        parts = account.split(":")
        for length in range(1, len(parts) + 1):
            key = (":".join(parts[:length]), asset)
            if key in sums:
                sums[key] += units
    return sums


def _spread(pieces: list[_Piece], units: Decimal) -> list[tuple[_Piece, Decimal]]:
    """Take units from pieces, the oldest first."""
    taken = []
    for piece in pieces:
        part = min(piece.left, units)
        if part > 0:
            taken.append((piece, part))
            units = units - part
    return taken


def _is_share(before: Stake, units: Decimal, cost: Decimal) -> bool:
    """Tell whether what is added to a lot cost as much for one unit as the lot does."""
    if not before.units:
        return True
    return abs(ratio18(before.cost, units, before.units) - cost) <= TOLERANCE


def _worth(taken: list[tuple[_Piece, Decimal]]) -> Decimal:
    return sum((ratio18(piece.cost, part, piece.units) for piece, part in taken), ZERO)


def _text(text: str) -> str:
    escaped = one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
