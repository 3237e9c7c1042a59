"""The running balance followed as rows come, oldest first, in memory for one balance a chain.

It says what `chain.verify` says of the whole history, where that is that no row is missing. What
cannot be told from the rows so far is `UNTOLD`; then the whole history has to be at hand.

Errors: none.
"""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Final

from bursar.exact import money
from bursar.venue.kraken.chain import Key, Step, arranged, code, code_and_wallet, holds, start
from bursar.venue.kraken.ranks import ranks
from bursar.venue.kraken.rows import LedgerRow

UNTOLD: Final = None


class Follower:
    """Follows the chains by code; told to, also those by code and wallet.

    `is_broken` says that the chain does not hold by code, `is_parted` that the rows bear out the
    chain by wallet instead.
    """

    def __init__(self, *, by_wallet: bool = False) -> None:
        self._codes = _Chains(code)
        self._wallets = _Chains(code_and_wallet) if by_wallet else None
        self._explained = 0

    @property
    def is_broken(self) -> bool:
        """Tell whether a row did not follow from the one before it of its code."""
        return self._codes.breaks > 0

    @property
    def is_parted(self) -> bool:
        """Tell whether the chain by wallet holds, and explains the breaks of the one by code."""
        wallets = self._wallets
        if wallets is None or wallets.breaks:
            return False
        return self._explained >= self._codes.crossings

    @money
    def follow(self, rows: Sequence[LedgerRow]) -> tuple[list[int], list[int]] | None:
        """Take all rows of one instant; return their ranks, by code and by wallet.

        The second are empty if nobody asked for them.
        """
        steps = [_step(row) for row in rows]
        codes = self._codes.follow(rows, steps)
        wallets = None if self._wallets is None else self._wallets.follow(rows, steps)
        if codes is UNTOLD or (self._wallets is not None and wallets is UNTOLD):
            return UNTOLD
        if self._wallets is not None:
            self._explained += len(self._codes.broken - self._wallets.opened)
        return ranks(rows, codes), [] if wallets is None else ranks(rows, wallets)

    @money
    def follow_apart(self, rows: Iterable[LedgerRow]) -> None:
        """Take rows by code, none of which shares its instant with another of its code."""
        self._codes.follow_apart(rows)


class _Chains:
    """Where each chain of one kind of key stands, and what the last instant did to them."""

    def __init__(self, key: Callable[[LedgerRow], Key]) -> None:
        self.breaks = 0
        self.crossings = 0
        self.broken: set[int] = set()
        self.opened: set[int] = set()
        self._key = key
        self._left: dict[Key, Decimal] = {}
        self._wallet: dict[Key, str] = {}
        self._number: dict[Key, int] = {}

    def follow(self, rows: Sequence[LedgerRow], steps: Sequence[Step]) -> list[int] | None:
        """Return the order of the rows, or `UNTOLD`."""
        self.broken.clear()
        self.opened.clear()
        chains: dict[Key, list[int]] = {}
        for place, row in enumerate(rows):
            chains.setdefault(self._key(row), []).append(place)
        path: list[int] = []
        for key in chains:
            self._number.setdefault(key, len(self._number))
        for key in sorted(chains, key=self._number.__getitem__):
            linked = self._linked(key, rows, steps, chains[key])
            if linked is UNTOLD:
                return UNTOLD
            path += linked
        return path

    def follow_apart(self, rows: Iterable[LedgerRow]) -> None:
        """Take rows, each the only one of its chain and instant."""
        for row in rows:
            after = row.balance
            assert after is not None, "only rows with a balance make a chain"
            key = self._key(row)
            left = self._left.get(key)
            if left is None:
                self._number[key] = len(self._number)
            elif after - row.amount + row.fee != left:
                self.breaks += 1
            elif left and row.wallet != self._wallet[key]:
                self.crossings += 1
            self._left[key], self._wallet[key] = after, row.wallet

    def _linked(
        self, key: Key, rows: Sequence[LedgerRow], steps: Sequence[Step], group: list[int]
    ) -> list[int] | None:
        left = self._left.get(key)
        linked = group
        if len(group) > 1:
            begin = start(steps, group) if left is None else left
            if begin is None:
                return UNTOLD
            if not holds(steps, group, begin):
                by_id = sorted(group, key=lambda place: rows[place].txid)
                linked = arranged(steps, by_id, begin) or group
        if left is None:
            self.opened.add(group[0])
            left = steps[linked[0]].before
            self._wallet[key] = rows[linked[0]].wallet
        for place in linked:
            if steps[place].before != left:
                self.breaks += 1
                self.broken.add(place)
            elif left and rows[place].wallet != self._wallet[key]:
                self.crossings += 1
            left = steps[place].after
            self._wallet[key] = rows[place].wallet
        self._left[key] = left
        return linked


def _step(row: LedgerRow) -> Step:
    assert row.balance is not None, "only rows with a balance make a chain"
    return Step(row.balance - row.amount + row.fee, row.balance)
