"""Planted differences: one disagreement between an account's balances and its ledger.

    planted = plant(account, Planting.MISSING_FILL, seed=3)
    FakeKraken(planted.account, clock=clock)
    planted.differences["XXBT"]     # balance less ledger, in atoms
    planted.first                   # the first row whose running balance does not follow

What happened stays; what changes is what the ledger and the trade history show, or what the
balances say beside it. Rows behind the place keep their running balances, so those show where it
is. With `is_chained` the running balances are written anew, as if the venue had booked it so: then
nothing is wrong in the ledger and only the balances tell.

Errors: `BadChoice` where an account has nothing of the kind to change.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.sim.chance import Streams, hits
from bursar.sim.kraken.account import Account
from bursar.sim.kraken.listing import coins, ten
from bursar.sim.kraken.rows import OUT, Flow, Passage, Row, Trade


class Planting(Enum):
    """The kinds of difference."""

    MISSING_FILL = "missing fill"
    DOUBLED_FILL = "doubled fill"
    MISSING_DEPOSIT = "missing deposit"
    MISSING_WITHDRAWAL = "missing withdrawal"
    MISSING_FEE = "missing fee"
    OTHER_FEE = "fee of another amount"
    MISSING_REWARD = "missing reward"
    IN_FLIGHT = "transfer in flight"
    ROUNDING = "rounding"
    WRONG_AMOUNT = "wrong amount"
    WRONG_ASSET = "wrong asset"
    EXTRA_BALANCE = "extra balance"
    POCKET_MOVED = "pocket moved unseen"
    SIDE_FLIPPED = "side flipped"


class Planted(msgspec.Struct, frozen=True):
    """What was planted, and where.

    `rows` are the ids that are missing, changed or added; `at` is the time of the first of them, or
    of the end where only balances differ. `first` is the row of the shown ledger at which a running
    balance first fails to follow, None where none does. `differences` are the stated balance less
    the sum of the shown ledger, in atoms, for each code where that is not 0.
    """

    account: Account
    planting: Planting
    rows: tuple[str, ...]
    at: int
    first: str | None
    differences: dict[str, int]

    @property
    def amounts(self) -> dict[str, Fraction]:
        """The differences in whole coins."""
        return {
            code: Fraction(atoms, ten(coins()[code].decimals))
            for code, atoms in self.differences.items()
        }


class _Change(msgspec.Struct):
    """What one planting does: rows and trades left out, told otherwise, or told again."""

    rows: Mapping[str, tuple[Row, ...]] = {}
    trades: Mapping[str, tuple[Trade, ...]] = {}
    extra: dict[str, int] = {}
    passages: tuple[Passage, ...] = ()


_FUNDS: Final = frozenset({Flow.DEPOSIT, Flow.WITHDRAWAL, Flow.REWARD, Flow.SWAP, Flow.DIVIDEND})
_POCKETS: Final = (
    ("XXBT", "XBT.F"),
    ("XXBT", "XBT.M"),
    ("XETH", "ETH.F"),
    ("DOT", "DOT.S"),
    ("SOL", "SOL.B"),
    ("ADA", "ADA.S"),
)


def plant(account: Account, planting: Planting, seed: int, *, is_chained: bool = False) -> Planted:
    """Plant one difference; where, is chance's choice.

    Raises:
        BadChoice: the account has no row to do that with.
    """
    chance = Streams(seed).named("kraken", planting.value)
    change = _CHANGES[planting](_Soil(account), chance)
    shown = [new for row in account.rows for new in change.rows.get(row.id, (row,))]
    if is_chained:
        shown = _chained(shown)
    trades = [new for each in account.trades for new in change.trades.get(each.id, (each,))]
    changed = msgspec.structs.replace(
        account,
        shown=shown if change.rows else None,
        shown_trades=trades if change.trades else None,
        extra=change.extra,
        passages=(*account.passages, *change.passages),
    )
    touched = [row for row in account.rows if row.id in change.rows]
    return Planted(
        account=changed,
        planting=planting,
        rows=tuple(row.id for row in touched),
        at=touched[0].time if touched else account.rows[-1].time,
        first=first_break(shown),
        differences=_differences(changed),
    )


def first_break(rows: Sequence[Row]) -> str | None:
    """Return the first row that does not follow from the one of its code before it."""
    balances: dict[str, int] = {}
    for row in rows:
        before = balances.get(row.code, 0)
        if row.balance != before + row.amount - row.fee:
            return row.id
        balances[row.code] = row.balance
    return None


class _Soil:
    """Rows and trades of an account that can be changed without doubt about the place.

    A row has to stand alone in its instant, within its code, and to have others of its code before
    and behind it.
    """

    def __init__(self, account: Account) -> None:
        self.account = account
        self.row = {row.id: row for row in account.rows}
        self.references = Counter(row.refid for row in account.rows)
        chains: dict[str, list[Row]] = {}
        for row in account.rows:
            chains.setdefault(row.code, []).append(row)
        self.last = {code: chain[-1] for code, chain in chains.items()}
        self._good = {
            row.id
            for chain in chains.values()
            for (before, row), (_, after) in pairwise(pairwise(chain))
            if before.time < row.time < after.time
        }

    def pick(self, chance: Random, wanted: Callable[[Row], bool]) -> Row:
        """Return one of the rows that fit."""
        found = [row for row in self.account.rows if row.id in self._good and wanted(row)]
        if not found:
            raise BadChoice("this account has no row to plant that in; take a larger one")
        return chance.choice(found)

    def pick_trade(self, chance: Random) -> Trade:
        """Return a spot trade of two rows."""
        found = [
            each
            for each in self.account.trades
            if len(each.rows) > 1 and self._good.issuperset(each.rows)
        ]
        if not found:
            raise BadChoice("this account has no trade to plant that in; take a larger one")
        return chance.choice(found)


def _missing_fill(soil: _Soil, chance: Random) -> _Change:
    trade = soil.pick_trade(chance)
    return _Change(rows=dict.fromkeys(trade.rows, ()), trades={trade.id: ()})


def _doubled_fill(soil: _Soil, chance: Random) -> _Change:
    trade = soil.pick_trade(chance)
    again = trade._replace(id=_other(trade.id), rows=tuple(map(_other, trade.rows)))
    rows = {name: (soil.row[name], _again(soil.row[name], again.id)) for name in trade.rows}
    return _Change(rows=rows, trades={trade.id: (trade, again)})


def _missing(flow: Flow) -> Callable[[_Soil, Random], _Change]:
    def change(soil: _Soil, chance: Random) -> _Change:
        row = soil.pick(chance, lambda row: row.flow is flow and soil.references[row.refid] == 1)
        return _Change(rows={row.id: ()})

    return change


def _missing_fee(soil: _Soil, chance: Random) -> _Change:
    row = soil.pick(chance, lambda row: row.fee > 0)
    return _Change(rows={row.id: (row._replace(fee=0),)})


def _other_fee(soil: _Soil, chance: Random) -> _Change:
    row = soil.pick(chance, lambda row: row.fee > 0)
    return _Change(rows={row.id: (row._replace(fee=2 * row.fee + 1),)})


def _in_flight(soil: _Soil, chance: Random) -> _Change:
    code = chance.choice([code for code in ("XXBT", "ZUSD", "XETH") if _held(soil, code)])
    amount, fee = _held(soil, code) // 10, 1 + _held(soil, code) // 1000
    end = soil.account.rows[-1].time
    pending = Passage(OUT, f"FTinflight-{code}", code, amount, fee, end, "Pending")
    return _Change(extra={code: -amount - fee}, passages=(pending,))


def _rounding(soil: _Soil, chance: Random) -> _Change:
    code = chance.choice([code for code in soil.last if _held(soil, code)])
    return _Change(extra={code: 1 if hits(chance, 0.5) else -1})


def _wrong_amount(soil: _Soil, chance: Random) -> _Change:
    row = soil.pick(chance, lambda row: row.flow in _FUNDS and row.amount != 0)
    more = abs(row.amount) // 3 + 1
    return _Change(rows={row.id: (row._replace(amount=row.amount + more),)})


def _wrong_asset(soil: _Soil, chance: Random) -> _Change:
    row = soil.pick(chance, lambda row: row.flow in _FUNDS and bool(_likes(soil, row)))
    return _Change(rows={row.id: (row._replace(code=chance.choice(_likes(soil, row))),)})


def _extra_balance(soil: _Soil, chance: Random) -> _Change:
    code = chance.choice([code for code in soil.last if _held(soil, code)])
    return _Change(extra={code: _held(soil, code) // 3 + 7})


def _pocket_moved(soil: _Soil, chance: Random) -> _Change:
    found = [both for both in _POCKETS if _held(soil, both[0])]
    if not found:
        raise BadChoice("this account has nothing to move to a pocket; take a larger one")
    code, pocket = chance.choice(found)
    amount = _held(soil, code) // 4 + 1
    return _Change(extra={code: -amount, pocket: amount})


def _side_flipped(soil: _Soil, chance: Random) -> _Change:
    trade = soil.pick_trade(chance)
    rows = {name: soil.row[name] for name in trade.rows}
    flipped = {name: (row._replace(amount=-row.amount),) for name, row in rows.items()}
    return _Change(rows=flipped, trades={trade.id: (trade._replace(is_buy=not trade.is_buy),)})


_CHANGES: Final[dict[Planting, Callable[[_Soil, Random], _Change]]] = {
    Planting.MISSING_FILL: _missing_fill,
    Planting.DOUBLED_FILL: _doubled_fill,
    Planting.MISSING_DEPOSIT: _missing(Flow.DEPOSIT),
    Planting.MISSING_WITHDRAWAL: _missing(Flow.WITHDRAWAL),
    Planting.MISSING_FEE: _missing_fee,
    Planting.OTHER_FEE: _other_fee,
    Planting.MISSING_REWARD: _missing(Flow.REWARD),
    Planting.IN_FLIGHT: _in_flight,
    Planting.ROUNDING: _rounding,
    Planting.WRONG_AMOUNT: _wrong_amount,
    Planting.WRONG_ASSET: _wrong_asset,
    Planting.EXTRA_BALANCE: _extra_balance,
    Planting.POCKET_MOVED: _pocket_moved,
    Planting.SIDE_FLIPPED: _side_flipped,
}


def _held(soil: _Soil, code: str) -> int:
    return soil.last[code].balance if code in soil.last else 0


def _likes(soil: _Soil, row: Row) -> list[str]:
    """Return the other plain codes with as many decimals that the account has had."""
    decimals = coins()[row.code].decimals
    return [
        code
        for code, last in soil.last.items()
        if code != row.code and "." not in code and coins()[code].decimals == decimals and last
    ]


def _again(row: Row, refid: str) -> Row:
    """Return a row told a second time, as the venue would book it."""
    balance = row.balance + row.amount - row.fee
    return row._replace(id=_other(row.id), refid=refid, balance=balance)


def _other(name: str) -> str:
    """Return a name that no row has: the digits of a drawn one, the other way round."""
    return name[0] + name[:0:-1].replace("-", "")[:5] + name[6:]


def _chained(rows: Sequence[Row]) -> list[Row]:
    """Write running balances that follow."""
    balances: dict[str, int] = {}
    found = []
    for row in rows:
        balance = balances.get(row.code, 0) + row.amount - row.fee
        balances[row.code] = balance
        found.append(row._replace(balance=balance))
    return found


def _differences(account: Account) -> dict[str, int]:
    stated: Counter[str] = Counter(account.extra)
    for row in account.rows:
        stated[row.code] += row.amount - row.fee
    for row in account.ledger:
        stated[row.code] -= row.amount - row.fee
    return {code: amount for code, amount in stated.items() if amount}
