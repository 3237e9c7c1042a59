"""The first rows of each asset code, and what their balances say was there before them.

Errors: none.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from decimal import Decimal

from bursar.exact import ZERO
from bursar.ledger import instant, pockets
from bursar.ledger.entries import Movement, Source
from bursar.ledger.founding import Lack, Place
from bursar.ledger.journal import merge
from bursar.ledger.layer import Layer
from bursar.ledger.openings import Prefixes

_FirstKey = tuple[str, str, str, bool]


class Firsts:
    """The first ledger rows of each asset code, by account: what its balance was before.

    All rows of the first second are kept, since a finer time may yet put them in another order; and
    apart from them those that are claimed, since a claim that is taken back says nothing.
    """

    def __init__(self) -> None:
        self._rows: MutableMapping[_FirstKey, tuple[Movement, ...]] = {}

    def fork(self) -> "Firsts":
        """Return firsts that read through to these and keep their own."""
        child = Firsts()
        child._rows = Layer(self._rows)
        return child

    def land(self, child: "Firsts") -> None:
        """Take over what a fork of these has seen."""
        self._rows.update(child.seen())

    def seen(self) -> Mapping[_FirstKey, tuple[Movement, ...]]:
        """Return the first rows by account, asset and code, and whether they are claims; of a fork,
        those it has seen itself.
        """
        return self._rows.own if isinstance(self._rows, Layer) else self._rows

    def knows(self, row: Movement) -> bool:
        """Tell whether any row of that row's code was seen."""
        return _first_key(row) in self._rows

    def assets(self, account: str) -> frozenset[str]:
        """Return the assets of an account of which a row has stated a balance, pockets left out."""
        return frozenset(
            asset
            for (name, asset, _, _), rows in self._rows.items()
            if name == account and not pockets.is_beginning(rows[0])
        )

    def see(self, row: Movement) -> None:
        """Look at a statement of a row."""
        if row.balance is None:
            return
        key = _first_key(row)
        known = self._rows.get(key)
        if known is None:
            self._rows[key] = (row,)
            return
        if row.executed_at - known[0].executed_at >= instant.SECOND:  # as most are
            return
        second, first = row.executed_at // instant.SECOND, known[0].executed_at // instant.SECOND
        if second < first:
            self._rows[key] = (row,)
        elif second == first and row not in known:
            self._rows[key] = (*known, row)

    def rows(self) -> Iterable[Movement]:
        """Yield the statements of the first rows."""
        return (row for key in sorted(self._rows) for row in self._rows[key])

    def ids(self) -> frozenset[str]:
        """Return the rows that may be the first of their code."""
        return frozenset(row.id for rows in self._rows.values() for row in rows)

    def before(self, prefixes: Prefixes, is_void: Callable[[str], bool]) -> list[Lack]:
        """Return what was there before the first rows, beyond what earlier facts explain.

        Of several codes of one asset, what earlier facts explain belongs to the first. What was
        claimed to lie there, by a row that moves nothing, gives way to any row of the venue's own,
        earlier or later: that one says itself what was there before it.
        """
        codes: dict[tuple[str, str, str], dict[str, list[Movement]]] = {}
        for (account, asset, code, is_claim), rows in self._rows.items():
            for row in rows:
                if not (is_claim and is_void(row.id)):
                    told = codes.setdefault((account, asset, code), {})
                    told.setdefault(row.id, []).append(row)
        firsts: dict[Place, list[Movement]] = {}
        priors: dict[Place, Decimal] = {}
        for told in codes.values():
            merged = [row for row in map(merge, told.values()) if isinstance(row, Movement)]
            counted = [row for row in merged if not _only_claims(row)] or merged
            first = min(counted, key=_when)
            place = pockets.place_of(first)
            firsts.setdefault(place, []).append(first)
            together = [row for row in counted if row.executed_at == first.executed_at]
            priors[place] = priors.get(place, ZERO) + _prior(first, together)
        lacks = (
            prefixes.beyond(min(found, key=_when).id, place, priors[place])
            for place, found in firsts.items()
        )
        return [lack for lack in lacks if lack.quantity > 0]


def _first_key(row: Movement) -> _FirstKey:
    return row.account, row.asset, pockets.code_of(row), row.source is Source.CLAIM


def _only_claims(row: Movement) -> bool:
    """Tell whether a row claims what lay there, and nothing of how it came."""
    return row.source is Source.CLAIM and not row.amount and not row.fee


def _prior(first: Movement, together: Sequence[Movement]) -> Decimal:
    """Return the balance before the rows of a first instant.

    It is what they begin with and do not come back to, whatever order those have that were told
    one after the other; where that is not one balance, what was there before the first of them.
    """
    left = Counter(row.balance or ZERO for row in together)
    begun = Counter(map(_before, together)) - left
    return next(iter(begun)) if len(begun) == 1 else _before(first)


def _before(row: Movement) -> Decimal:
    return (row.balance or ZERO) - row.amount + row.fee


def _when(row: Movement) -> tuple[int, int, str]:
    return row.executed_at, row.sequence, row.id
