"""Corporate actions told in two rows: the old units go, the new ones come, and no money moves.

A split takes all units of an asset out and puts another number of them in; their quantities are the
ratio, so the account holds afterwards exactly what the venue says. A rename takes an asset out and
puts as many units of another in. Both are facts without a value: lots, ages and costs go on.

Several renames of as many units on one day are told apart by the price, or else by the words, that
both rows of one have and no other has; or else two by their names, where one leads to what the
other ends, since nothing is renamed to itself. Names that come back to where they began (X to Y, Y
to X) may have changed places, or not changed at all: those rows are handed back.

Which row is the old one shows by its sign, since what is held goes out. A short position goes the
other way round; there a row says `REMOVE` or `ADD` in its label, which decides.

A sweep of rewards is no action, but shows the same way: one row takes coins out that another puts
back in. Rows that settle a leveraged position say so in their label; what they leave of the trade
that they are of is said here too.

Errors: none. A row whose partner is not there, or not clear, is handed back.
"""

from collections.abc import Container, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from bursar.exact import ZERO
from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry, Flag, MarginFill, Movement, MovementKind, Rename, Split
from bursar.ledger.legs import when

REMOVE: Final = "REMOVE"
ADD: Final = "ADD"
SETTLED: Final = "settled"
_SWAPPED: Final = "token swap"
_RECOVERED: Final = "asset recovery"
_INVESTED: Final = "auto-invest"
_UNSEEN: Final = frozenset(
    {
        *("transfer/spottofutures", "transfer/spotfromfutures"),
        *("hybridearnwithdrawal", "hybridearndeposit"),
    }
)
NEAR_MAX: Final = 5 * instant.SECOND


def paired(
    rows: Iterable[Movement], cash: frozenset[str]
) -> tuple[list[Split | Rename], list[Movement]]:
    """Return the splits and renames among the rows of one group, and the rows left over.

    Money (`cash`) is neither split nor renamed, nor is what is charged for. Rows that state
    balances rename as much as they say, others all that is held.
    """
    sets: dict[tuple[MovementKind, str | Decimal], list[Movement]] = {}
    for row in rows:
        if row.kind is MovementKind.SPLIT:
            sets.setdefault((row.kind, row.asset), []).append(row)
        elif row.kind is MovementKind.RENAME:
            sets.setdefault((row.kind, abs(row.amount)), []).append(row)
    facts: list[Split | Rename] = []
    apart: list[Movement] = []
    for own in (part for each in sets.values() for part in _told_apart(each)):
        pair = _pair(own)
        if pair is None or cash & {row.asset for row in pair} or any(row.fee for row in pair):
            apart += own
        else:
            facts.append(_fact(*pair))
    circular = {name for fact in _in_circles(facts) for name in fact.rows}
    apart += [row for own in sets.values() for row in own if row.id in circular]
    return [fact for fact in facts if circular.isdisjoint(fact.rows)], apart


def _in_circles(facts: Iterable[Split | Rename]) -> list[Rename]:
    """Return the renames, of all that is held, from which names lead back to their own."""
    whole = [fact for fact in facts if isinstance(fact, Rename) and fact.quantity is None]
    leads = {fact.asset: fact.to_asset for fact in whole}
    return [fact for fact in whole if fact.asset in _led_to(fact.to_asset, leads)]


def _led_to(name: str, leads: Mapping[str, str]) -> set[str]:
    passed = {name}
    while name in leads and leads[name] not in passed:
        name = leads[name]
        passed.add(name)
    return passed


def _told_apart(rows: list[Movement]) -> list[list[Movement]]:
    """Part the rows of several actions by what both rows of one say: a price, or the same words; or
    as the names leave no other way.
    """
    for said in (_price, _words):
        parts: dict[object, list[Movement]] = {}
        for row in rows:
            parts.setdefault(said(row), []).append(row)
        if len(parts) > 1 and all(_pair(part) is not None for part in parts.values()):
            return list(parts.values())
    return _chained(rows) or [rows]


def _chained(rows: Sequence[Movement]) -> list[list[Movement]]:
    """Part four rows into a rename and the one that follows it, if they can be nothing else."""
    going = [row for row in rows if row.amount < 0]
    coming = [row for row in rows if row.amount > 0]
    old, new = {row.asset for row in going}, {row.asset for row in coming}
    are_two = all(len(each) == 2 for each in (going, coming, old, new))  # noqa: PLR2004 (pairs)
    if not are_two or len(old & new) != 1:
        return []
    if going[0].asset == coming[0].asset or going[1].asset == coming[1].asset:
        coming.reverse()
    return [list(pair) for pair in zip(going, coming, strict=True)]


def _price(row: Movement) -> object:
    return tuple((rate.quote, rate.value) for rate in row.rates)


def _words(row: Movement) -> object:
    """Return what a row says beside which of the two it is."""
    said = row.note or ""
    for role in (REMOVE, ADD):
        said = said.removeprefix(role)
    return said


def swept(rows: Sequence[Movement]) -> list[Movement]:
    """Return the rows of one group, a reward that only ends a move of the same coins made internal.

    Where rewards of earlier days are swept together, a venue writes the second half of the move as
    it writes a reward, into another pocket. Counted as one, the coins would be earned twice. What
    comes into the pocket that the coins left was earned.
    """
    left = [row for row in rows if row.kind is MovementKind.INTERNAL]
    if not left:
        return list(rows)
    told: list[Movement] = []
    for row in rows:
        half = next((gone for gone in left if _ends(gone, row)), None)
        if half is None:
            told.append(row)
            continue
        left.remove(half)
        told.append(msgspec.structs.replace(row, kind=MovementKind.INTERNAL))
    return told


def _ends(gone: Movement, row: Movement) -> bool:
    """Tell whether a reward may be where coins came that had gone."""
    is_reward = row.kind is MovementKind.REWARD
    return (
        is_reward
        and (row.asset, row.amount) == (gone.asset, -gone.amount)
        and (row.pocket != gone.pocket)
    )


def forced(rows: list[Movement]) -> tuple[list[list[Movement]], list[Movement]]:
    """Pair the rows of forced conversions, which bear no common reference: (pairs, the other rows).

    Two rows are a pair if they are near each other in time and near no third, of two assets and
    opposite signs.
    """
    lone = [row for row in rows if row.kind is MovementKind.ADJUSTMENT]
    near: list[list[Movement]] = []
    for row in lone:
        if near and row.executed_at - near[-1][-1].executed_at <= NEAR_MAX:
            near[-1].append(row)
        else:
            near.append([row])
    pairs = [pair for pair in near if _opposite(pair)]
    paired = {row.id for pair in pairs for row in pair}
    return pairs, [row for row in rows if row.id not in paired]


def rebranded(rows: Sequence[Movement], cash: frozenset[str]) -> Split | Rename | None:
    """Return the rename that rows of a swap are, if they are one: as many units, and so called."""
    pair = _pair(rows)
    if pair is None or cash & {row.asset for row in rows}:
        return None
    old, new = pair
    is_one_for_one = old.asset != new.asset and old.amount == -new.amount
    is_called_so = any(_is_called(row, _SWAPPED) for row in pair)
    return _fact(old, new) if is_one_for_one and is_called_so else None


def late(rows: Sequence[Movement]) -> list[list[Movement]]:
    """Part rows of an hour that are each without their other side: what one note ties, the rest."""
    parts: dict[str | None, list[Movement]] = {}
    for row in rows:
        parts.setdefault(row.note, []).append(row)
    tied = [own for note, own in parts.items() if note is not None and is_late(own)]
    taken = {row.id for own in tied for row in own}
    return [*tied, [row for row in rows if row.id not in taken]]


def is_late(rows: Sequence[Movement]) -> bool:
    """Tell whether rows of an hour that are each without their other side are each other's.

    Only where the venue gives what was bought later than it took the money, and where no other way
    is left: one asset went, and one came, or several where a plan buys them. What was bought with
    money says by its note which order it is of.
    """
    went = {row.asset for row in rows if row.amount < 0}
    came = {row.asset for row in rows if row.amount > 0}
    if len(went) != 1 or not came - went:
        return False
    if all(_is_called(row, _INVESTED) for row in rows):
        return True
    is_swap = all(_is_called(row, _SWAPPED) or _is_called(row, _RECOVERED) for row in rows)
    is_noted = None not in (notes := {row.note for row in rows}) and len(notes) == 1
    return (is_swap or is_noted) and len(came) == 1


def _is_called(row: Movement, name: str) -> bool:
    return name in (row.label or "").casefold()


def is_counted(fact: Split | Rename) -> bool:
    """Tell whether an action is of a stated quantity, which its rows say where to find."""
    return isinstance(fact, Rename) and fact.quantity is not None


def delivered(rows: Iterable[Movement]) -> bool:
    """Tell whether the rows of a trade are the delivery of a leveraged position."""
    return any(row.label == SETTLED for row in rows)


def deliveries(group: str, rows: list[Movement]) -> list[tuple[str, list[Movement]]]:
    """Return the rows, in order, of each trade of a group, with its id: one, but for a position
    that was settled in parts, each with its coins and what they cost. Rows that find no partner
    in their second are looked at together.
    """
    if not all(row.label == SETTLED for row in rows):
        return [(group, rows)]
    parts: dict[int, list[Movement]] = {}
    for row in rows:
        parts.setdefault(row.executed_at - row.executed_at % instant.SECOND, []).append(row)
    apart = [at for at, part in parts.items() if not _is_exchange(part)]
    joined = [row for at in apart for row in parts.pop(at)]
    told = [*parts.values(), *([sorted(joined, key=when)] if joined else [])]
    told.sort(key=lambda part: when(part[0]))
    return [(group if part is told[0] else _later(group, part[0]), part) for part in told]


def _later(group: str, row: Movement) -> str:
    return f"{group}/{row.id.removeprefix(f'{row.account}:')}"


def _is_exchange(rows: Sequence[Movement]) -> bool:
    taken = {row.asset for row in rows if row.amount > 0}
    given = {row.asset for row in rows if row.amount < 0}
    return len(taken) == len(given) == 1 and taken != given


def unseen(row: Movement) -> bool:
    """Tell whether a row moves coins to or from a place whose own rows nobody tells."""
    return row.label in _UNSEEN


def settled(
    fill: MarginFill, own: Sequence[Movement], apart: Sequence[Movement], par: Container[str]
) -> MarginFill:
    """Return a leveraged trade as its rows settle it: its `own`, and those in other coins.

    What those settled was settled there, and nothing in its quote. Where no row settles anything,
    the trade's own word stands. Coins that are at `par` with its quote say what it made, too.
    """
    quoted = [row.amount for row in own if row.asset == fill.quote]
    others = [row for row in apart if row.amount]
    even = [row.amount for row in (*own, *apart) if row.asset in par]
    total, made = fill.settled, None
    if quoted or others:
        total = sum(quoted, ZERO)
    if even and all(row.asset in par for row in others):
        made = sum(even, sum(quoted, ZERO))
    where, flags = bool(others or even), tuple(f for f in fill.flags if f is not Flag.PROVISIONAL)
    return msgspec.structs.replace(
        fill, settled=total, made=made, is_elsewhere=where, fees=(), flags=flags
    )


def at_par(rows: Iterable[Movement], quote: str) -> frozenset[str]:
    """Return the coins that a quote was turned into, one for one, by two rows of one instant."""
    told = [row for row in rows if row.kind is MovementKind.CONVERSION and not row.fee]
    given = {(row.executed_at, -row.amount) for row in told if row.asset == quote}
    return frozenset(row.asset for row in told if (row.executed_at, row.amount) in given)


def named(bare: MarginFill, stated: MarginFill) -> MarginFill:
    """Return what was settled in another coin as a part of the trade that settled it."""
    return msgspec.structs.replace(
        bare,
        pair=stated.pair,
        base=stated.base,
        order_id=stated.order_id,
        strategy=stated.strategy,
        regime=stated.regime,
    )


def only_names(fact: AnyEntry) -> bool:
    """Tell whether a statement only names the market of a row that is elsewhere now."""
    return isinstance(fact, MarginFill) and fact.quantity is fact.settled is None and not fact.fees


def _opposite(rows: list[Movement]) -> bool:
    one, other = rows[0], rows[-1]
    return rows == [one, other] and one.amount * other.amount < 0 and one.asset != other.asset


def _pair(rows: Sequence[Movement]) -> tuple[Movement, Movement] | None:
    """Return (old, new) if the rows are just these two."""
    going = [row for row in rows if row.amount < 0]
    coming = [row for row in rows if row.amount > 0]
    if not len(rows) == 2 * len(going) == 2 * len(coming) == 2:  # noqa: PLR2004 (a pair)
        return None
    is_short = _says(going[0], ADD) or _says(coming[0], REMOVE)
    return (coming[0], going[0]) if is_short else (going[0], coming[0])


def _says(row: Movement, word: str) -> bool:
    return row.label is not None and row.label.endswith(word)


def _fact(old: Movement, new: Movement) -> Split | Rename:
    if old.asset != new.asset:
        return Rename(
            id=old.id,
            executed_at=old.executed_at,
            account=old.account,
            source=old.source,
            sequence=old.sequence,
            rows=(old.id, new.id),
            note=old.label,
            asset=old.asset,
            to_asset=new.asset,
            quantity=None if old.balance is None else abs(old.amount),
        )
    return Split(
        id=old.id,
        executed_at=old.executed_at,
        account=old.account,
        source=old.source,
        sequence=old.sequence,
        rows=(old.id, new.id),
        note=old.label,
        asset=old.asset,
        numerator=abs(new.amount),
        denominator=abs(old.amount),
    )
