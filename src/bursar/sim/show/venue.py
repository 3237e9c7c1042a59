"""The show's venue: its own account book, which knows nothing of bursar's.

What is executed or paid there moves its balances, and of each movement it writes a row that says
what balance was left, as real venues do. `told` hands out the rows that nobody has fetched yet,
`statement` says what lies there now.

A trade can be lost: the balances know of it, no row does and no bot was told. That is the drift
which the show plants; what bursar makes of it is bursar's own doing.

Errors: none.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from bursar.exact import ZERO, money
from bursar.ledger.entries import AnyEntry, CashFlow, Fill, Movement, MovementKind, Side, Source
from bursar.reconcile import Holding, Statement
from bursar.sim.show.market import QUOTE

_Leg = tuple[str, Decimal, Decimal]


class Venue:
    """One account."""

    def __init__(self, account: str) -> None:
        self.account: Final = account
        self._balances: dict[str, Decimal] = {}
        self._count = 0
        self._untold: list[Movement] = []

    def take(self, entries: Iterable[AnyEntry]) -> Iterator[Fill]:
        """Let trades and payments happen here; yield the trades, of which bots tell too."""
        for entry in entries:
            assert isinstance(entry, Fill | CashFlow), "nothing else happens in the show"
            self.move(entry)
            if isinstance(entry, Fill):
                yield entry

    @money
    def move(self, entry: Fill | CashFlow) -> None:
        """Let a trade or a payment happen, and write its rows."""
        for asset, amount, fee in _legs(entry):
            self._balances[asset] = self._balances.get(asset, ZERO) + amount - fee
            self._untold.append(self._row(entry, asset, amount, fee))

    @money
    def lose(self, entry: Fill) -> None:
        """Let a trade happen of which no row is kept."""
        for asset, amount, fee in _legs(entry):
            self._balances[asset] = self._balances.get(asset, ZERO) + amount - fee

    def told(self) -> list[Movement]:
        """Return the rows that nobody has fetched yet."""
        rows, self._untold = self._untold, []
        return rows

    def statement(self, at: int) -> Statement:
        """Return what lies here."""
        held = (
            Holding(asset=name, code=name, total=total)
            for name, total in sorted(self._balances.items())
        )
        return Statement(account=self.account, as_of=at, holdings=tuple(held))

    def _row(self, entry: Fill | CashFlow, asset: str, amount: Decimal, fee: Decimal) -> Movement:
        self._count += 1
        row = Movement(
            id=f"{self.account}:L{self._count:06}",
            executed_at=entry.executed_at,
            account=self.account,
            source=Source.LEDGER,
            sequence=self._count,
            kind=MovementKind.TRADE,
            asset=asset,
            amount=amount,
            fee=fee,
            balance=self._balances[asset],
        )
        if isinstance(entry, Fill):
            return replace(row, group=entry.id)
        kind, worth = MovementKind(entry.kind.value), entry.value
        return replace(row, kind=kind, worth=worth, worth_asset=None if worth is None else QUOTE)


def _legs(entry: Fill | CashFlow) -> list[_Leg]:
    """Return what came of each asset (below zero: went), and what was charged in it."""
    if isinstance(entry, CashFlow):
        moved = {entry.asset: entry.amount}
    else:
        assert entry.amount is not None, "a venue knows what it booked"
        sign = 1 if entry.side is Side.BUY else -1
        moved = {entry.base: sign * entry.quantity, entry.quote: -sign * entry.amount}
    fees = {fee.asset: fee.amount for fee in entry.fees}
    return [(each, moved.get(each, ZERO), fees.get(each, ZERO)) for each in {**moved, **fees}]
