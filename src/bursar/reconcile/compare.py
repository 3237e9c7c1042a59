"""The comparison: a venue's statement against the book, over the union of their assets.

Rules
- An asset that only one side names counts as nothing on the other. Names count under every alias.
- Pockets are compared where both sides know any, as the rows of a venue do whose balances run code
  by code; else they are pooled.
- Coins between two pockets, which the venue counts in neither, are `in_transit` and left out.
- The whole of an asset is weighed, since venues and their exports name pockets in different ways;
  whether its pockets agree, the rows tell.
- A difference is weighed at the marks. One that has no mark is out of tolerance, whatever its size.
- Assets that the options leave out are compared and shown, and raise no alarm.
- Leveraged positions are compared where the venue spoke of them. What one differs by is weighed at
  the mark like coins of it, but is no difference of money, and is not in the sum.
- A statement that is not there is unknown: neither flat nor clean.

Errors: `BadChoice` for the statement of another account.
"""

from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.exact import ONE, ZERO, money
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.currencies import smallest, trifle
from bursar.ledger.entries import MAIN, TRANSIT
from bursar.ledger.names import canonical
from bursar.reconcile.leverage import PositionLine
from bursar.reconcile.leverage import lines as leveraged
from bursar.reconcile.ours import Ours
from bursar.reconcile.statement import Statement
from bursar.value.convert import Missing, convert, find_path
from bursar.value.marks import Marks
from bursar.value.worth import EVERYTHING, Options

_Side = dict[str, dict[str, Decimal]]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The allowed gaps, in base currency: of one asset, and of all together.

    A difference worth at most `dust` is called dust if nothing better explains it. For `patience`
    nanoseconds a withdrawal may be on its way. The defaults are of dollars; `usual` says those of
    any base currency.
    """

    asset: Decimal = ONE
    total: Decimal = ONE
    dust: Decimal = Decimal("0.01")
    patience: int = 3 * instant.DAY


DEFAULT: Final = Limits()


def usual(base: str) -> Limits:
    """Return the limits where nobody says any: in bitcoin, 1.0 and 0.01 would let pass a fortune.

    >>> usual("EUR") == DEFAULT, usual("XBT").asset, usual("XBT").dust
    (True, Decimal('0.000001'), Decimal('1E-8'))
    """
    return Limits(asset=trifle(base), total=trifle(base), dust=smallest(base))


class Verdict(Enum):
    """What a comparison found of whole assets."""

    EQUAL = "equal"
    WITHIN = "within tolerance"
    DRIFT = "drift"
    UNKNOWN = "unknown"


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One asset in one pocket (`None`: in all of them together): booked, stated, stated − booked.

    `worth` is that of the difference in base currency; `None` is unknown. `reserved` is stated to
    be in open orders. `is_asset` marks the line of a whole asset, which is the one that is weighed.
    """

    asset: str
    pocket: str | None
    booked: Decimal
    stated: Decimal
    difference: Decimal
    worth: Decimal | None = None
    reserved: Decimal = ZERO
    in_transit: Decimal = ZERO
    is_asset: bool = True
    is_out: bool = False
    is_shown: bool = True


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of a comparison, by asset; the whole of an asset comes before its pockets.

    `worth` is the sum of what the differences are worth, as far as that is known; `unpriced` names
    the assets, and the pairs of `positions`, that differ and have no mark.
    """

    account: str
    base: str
    as_of: int | None
    verdict: Verdict
    lines: tuple[Line, ...] = ()
    positions: tuple[PositionLine, ...] = ()
    worth: Decimal | None = None
    unpriced: tuple[str, ...] = ()
    limits: Limits = DEFAULT
    knows_pockets: bool = False

    @property
    def drift(self) -> bool:
        """Tell whether the difference is out of tolerance; an unknown one is not known to be."""
        return self.verdict is Verdict.DRIFT

    @property
    def assets(self) -> tuple[Line, ...]:
        """The lines of whole assets."""
        return tuple(line for line in self.lines if line.is_asset)

    @property
    def differing(self) -> tuple[Line, ...]:
        """The lines that differ, of assets and of pockets."""
        return tuple(line for line in self.lines if line.difference)

    @property
    def apart(self) -> tuple[PositionLine, ...]:
        """The leveraged positions that differ."""
        return tuple(line for line in self.positions if line.difference)


@money
def compare(
    statement: Statement | None,
    ours: Ours,
    *,
    marks: Marks,
    limits: Limits = DEFAULT,
    options: Options = EVERYTHING,
) -> Comparison:
    """Compare a statement with the book as it was at the statement's instant. O(keys).

    Raises:
        BadChoice: the statement is of another account.
    """
    base, account = ours.book.terms.base, ours.account
    if statement is None:
        return Comparison(
            account=account, base=base, as_of=None, verdict=Verdict.UNKNOWN, limits=limits
        )
    if statement.account != account:
        raise BadChoice(f"the statement is of {statement.account}, not of {account}")
    sides = Sides(statement, ours)
    lines: list[Line] = []
    for asset in sides.assets:
        whole = sides.line(asset)
        worth = worth_of(asset, whole.difference, ours.book, marks, options)
        is_out = whole.difference != 0 and (worth is None or abs(worth) > limits.asset)
        is_shown = options.shows(asset, base, marks=marks)
        own = [whole, *sides.pockets(asset)]
        lines += [
            msgspec.structs.replace(
                line,
                worth=worth_of(asset, line.difference, ours.book, marks, options),
                is_out=is_out,
                is_shown=is_shown,
            )
            for line in own
        ]
    known = Comparison(
        account=account,
        base=base,
        as_of=statement.as_of,
        verdict=Verdict.EQUAL,
        lines=tuple(lines),
        positions=tuple(
            _weighed(line, ours.book, marks, limits, options) for line in leveraged(statement, ours)
        ),
        limits=limits,
        knows_pockets=sides.knows_pockets,
    )
    return _summed(known)


def _weighed(
    line: PositionLine, book: Book, marks: Marks, limits: Limits, options: Options
) -> PositionLine:
    worth = worth_of(line.base, line.difference, book, marks, options)
    return msgspec.structs.replace(
        line,
        worth=worth,
        is_out=line.difference != 0 and (worth is None or abs(worth) > limits.asset),
        is_shown=options.shows(line.base, book.terms.base, marks=marks),
    )


class Sides:
    """Both sides by asset and pocket, under one name for each asset."""

    def __init__(self, statement: Statement, ours: Ours) -> None:
        self.stated: _Side = {}
        self.reserved: _Side = {}
        self.booked: _Side = {}
        self.transit: dict[str, Decimal] = {}
        for each in statement.holdings:
            spot = canonical(each.asset), each.pocket or MAIN
            _place(self.stated, spot, each.total)
            _place(self.reserved, spot, each.reserved)
        self._take(ours)
        told = bool(self.named - {MAIN})
        placed = any(key[0] == ours.account for key in ours.book.pockets)
        self.knows_pockets = told and (placed or ours.is_chained)

    @property
    def assets(self) -> list[str]:
        """The assets that either side names, or that are between two pockets."""
        return sorted(self.stated.keys() | self.booked.keys())

    @property
    def named(self) -> set[str]:
        """The pockets that the statement names."""
        return {pocket for pockets in self.stated.values() for pocket in pockets}

    def line(self, asset: str) -> Line:
        """Return the line of a whole asset, unweighed."""
        booked, stated = _sum(self.booked, asset), _sum(self.stated, asset)
        return Line(
            asset=asset,
            pocket=None,
            booked=booked,
            stated=stated,
            difference=stated - booked,
            reserved=_sum(self.reserved, asset),
            in_transit=self.transit.get(asset, ZERO),
        )

    def stated_in(self, asset: str) -> dict[str, Decimal]:
        """Return what is stated of an asset, pocket by pocket."""
        return self.stated.get(asset, {})

    def pockets(self, asset: str) -> list[Line]:
        """Return the lines of an asset's pockets, where both sides know any and it has several."""
        names = self.stated.get(asset, {}).keys() | self.booked.get(asset, {}).keys()
        if not self.knows_pockets or names == {MAIN}:
            return []
        return [self._pocket(asset, name) for name in sorted(names)]

    def _pocket(self, asset: str, pocket: str) -> Line:
        booked = self.booked.get(asset, {}).get(pocket, ZERO)
        stated = self.stated.get(asset, {}).get(pocket, ZERO)
        return Line(
            asset=asset,
            pocket=pocket,
            booked=booked,
            stated=stated,
            difference=stated - booked,
            reserved=self.reserved.get(asset, {}).get(pocket, ZERO),
            is_asset=False,
        )

    def _take(self, ours: Ours) -> None:
        book, account = ours.book, ours.account
        held = {asset for place, asset in (*book.holdings, *book.balances) if place == account}
        for asset in sorted(held):
            _place(self.booked, (canonical(asset), MAIN), book.owned(account, asset))
        for (place, asset, pocket), quantity in sorted(book.pockets.items()):
            if place != account or not quantity:
                continue
            name = canonical(asset)
            _place(self.booked, (name, MAIN), -quantity)
            if pocket == TRANSIT:
                self.transit[name] = self.transit.get(name, ZERO) + quantity
            else:
                _place(self.booked, (name, pocket), quantity)


def worth_of(
    asset: str, quantity: Decimal, book: Book, marks: Marks, options: Options = EVERYTHING
) -> Decimal | None:
    """Return what a quantity is worth in base currency; `None` where no mark tells."""
    if not quantity:
        return ZERO
    path = find_path(
        asset, book.terms.base, marks=marks, cash=book.cash, pairs=options.valuation_pairs
    )
    return None if isinstance(path, Missing) else convert(quantity, path)


def _place(side: _Side, spot: tuple[str, str], quantity: Decimal) -> None:
    pockets = side.setdefault(spot[0], {})
    pockets[spot[1]] = pockets.get(spot[1], ZERO) + quantity


def _sum(side: _Side, asset: str) -> Decimal:
    return sum(side.get(asset, {}).values(), ZERO)


def _summed(found: Comparison) -> Comparison:
    off = [line for line in found.assets if line.difference and line.is_shown]
    apart = [line for line in found.apart if line.is_shown]
    worth = sum((line.worth for line in off if line.worth is not None), ZERO)
    is_out = any(line.is_out for line in off) or any(line.is_out for line in apart)
    differs = found.apart or any(line.difference for line in found.assets)
    verdict = Verdict.WITHIN if differs else Verdict.EQUAL
    unpriced = [line.asset for line in off if line.worth is None]
    return msgspec.structs.replace(
        found,
        verdict=Verdict.DRIFT if is_out or abs(worth) > found.limits.total else verdict,
        worth=worth,
        unpriced=(*unpriced, *(line.pair for line in apart if line.worth is None)),
    )
