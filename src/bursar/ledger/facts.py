"""Facts: what several statements of one group add up to.

`resolve` takes every statement of one group (the rows a venue files under one reference, and
whatever trades files, events and claims say of the same id) and returns the facts in it. It is a
function of the set: their order of arrival does not matter.

Rules
- What its venue has corrected counts so, and what it has canceled never was (`journal.standing`).
- Of one source, statements that agree are merged, the finest time first; across sources each field
  comes from the most authoritative that states it: ledger > trades > event > claim.
- Ledger rows of a trade add up per asset. Two assets that moved in opposite directions make a
  fill; more make a conversion. One asset alone is a fill only where a trade statement lists the
  rows and all of them are here (a leg that rounded to nothing); without any statement it is an
  `unpaired` flow, contributed at value, until its partner arrives.
- A fill that no ledger row backs is `provisional`.
- Two adjustment rows near each other and near no third, of opposite sign and two assets, are a
  forced conversion: such rows bear no common reference.
- Of a leveraged trade the rows say what was settled and charged, in whatever coins; settled in
  another than its quote it is a fact beside it. A statement that only names the market, of rows
  that a finer one has taken elsewhere, is no fact.
- A swap that its label calls a rebranding, one for one, is a rename.
- Legs and swaps, which bear no common reference either, are parted by `legs`; what it says is one
  trade adds up as the rows of one reference do.
- Rows that take an asset out and put it, or another, back in are a split or a rename (`actions`).
- A row that cancels an earlier one of its kind reverses it (`flows`).
- What cannot be read as anything else stays a flow with a flag: there are no errors.
"""

from collections.abc import Container, Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Final

import msgspec

from bursar.exact import ONE, ZERO, money, ratio18
from bursar.ledger import actions, instant
from bursar.ledger.entries import (
    MAIN,
    AnyEntry,
    CashFlow,
    Conversion,
    Fill,
    Flag,
    Leg,
    MarginFill,
    Movement,
    MovementKind,
    Rate,
    Rename,
    Reversal,
    Side,
    SleeveTransfer,
    Source,
    Split,
    StagedChange,
    Transfer,
)
from bursar.ledger.flows import fees, flows, internal, is_flow, unpaired, worth_of
from bursar.ledger.journal import merge, standing
from bursar.ledger.legs import Parcel, bundles, parcels, when
from bursar.ledger.lent import overruled
from bursar.ledger.names import oriented
from bursar.ledger.plain_trades import booked_at, booked_trade, plain_trade, rows_of_one_trade

Fact = (
    Fill
    | MarginFill
    | CashFlow
    | Transfer
    | SleeveTransfer
    | Conversion
    | Rename
    | Split
    | StagedChange
    | Reversal
)
_BY_ID: Final = attrgetter("id")
LENT: Final = "/margin"
"""How the id of a leveraged trade ends."""


@money
def resolve(statements: Sequence[AnyEntry], cash: frozenset[str]) -> list[Fact]:
    """Return the facts in one group, ordered by id. `cash` names base currency and pegs."""
    return resolve_within(statements, cash)


def resolve_within(statements: Sequence[AnyEntry], cash: frozenset[str]) -> list[Fact]:
    """Do what `resolve` does, inside the money context."""
    statements = standing(statements)
    if len(statements) == 1 and not isinstance(statements[0], Movement):
        only = _marked(statements[0])
        return [only] if isinstance(only, Fact) and not actions.only_names(only) else []
    rows = rows_of_one_trade(statements)
    if rows:
        plain = plain_trade(rows, cash)
        if plain is not None:
            return [plain]
        each = actions.deliveries(group_of(rows[0]), rows)
        made = (fact for name, part in each for fact in _trade(name, part, None, set(), cash))
        return sorted(made, key=_BY_ID)
    booked = booked_trade(statements, cash)
    if booked is not None:
        return [booked]
    spoken = _by_id(statements)
    told = sorted((entry for entry in spoken if isinstance(entry, Movement)), key=when)
    rows = actions.swept(told)
    facts: list[Fact] = [
        entry
        for entry in spoken
        if not isinstance(entry, Movement | Fill | MarginFill) and isinstance(entry, Fact)
    ]
    fills, lent = overruled(
        rows,
        (fill for fill in spoken if isinstance(fill, Fill)),
        (fill for fill in spoken if isinstance(fill, MarginFill)),
    )
    facts += _trades(rows, fills, cash)
    facts += _margins(rows, lent, cash)
    forced, rows = actions.forced(rows)
    facts += _conversions([row for row in rows if row.kind is MovementKind.CONVERSION], cash)
    for own in forced:
        facts += [_conversion(own[0].id, own, cash), *_placed(own)]
    facts += _swaps([row for row in rows if row.kind is MovementKind.SWAP], cash)
    whole, apart = actions.paired(rows, cash)
    facts += [*whole, *(unpaired(row, cash) for row in apart)]
    named = {name for fact in whole if actions.is_counted(fact) for name in fact.rows}
    facts += _placed(row for row in rows if row.id in named)
    moves = [row for row in rows if is_flow(row)]
    facts += flows(moves, cash)
    facts += [internal(row) for row in rows if row.kind is MovementKind.INTERNAL]
    return sorted(facts, key=_BY_ID)


def group_of(entry: AnyEntry) -> str:
    """Return the group a statement belongs to: its own, or the one it names."""
    return entry.group or entry.id


def trade_of(name: str) -> str | None:
    """Return the leveraged trade that a fact of that id is a part of, if its id says so."""
    trade, part, _ = name.rpartition(f"{LENT}/")
    return f"{trade}{LENT}" if part else None


def _by_id(statements: Iterable[AnyEntry]) -> list[AnyEntry]:
    """Return one statement per id, the several joined by authority. Rows stand for themselves."""
    told: dict[tuple[str, type], dict[int, list[AnyEntry]]] = {}
    for entry in statements:
        told.setdefault((entry.id, type(entry)), {}).setdefault(entry.source, []).append(entry)
    joined = []
    for by_source in told.values():
        ranked = [merge(by_source[source]) for source in sorted(by_source, reverse=True)]
        joined.append(_marked(_joint(ranked)))
    return joined


def _marked(entry: AnyEntry) -> AnyEntry:
    """Mark what only a trades file says as provisional: its amounts are the venue's estimate."""
    if isinstance(entry, Fill | MarginFill) and entry.source is Source.TRADES:
        return msgspec.structs.replace(entry, flags=(*entry.flags, Flag.PROVISIONAL))
    return entry


def _joint(ranked: Sequence[AnyEntry]) -> AnyEntry:
    joint = ranked[0]
    for other in ranked[1:]:
        changes: dict[str, object] = {
            name: getattr(other, name)
            for name in joint.__struct_fields__
            if getattr(joint, name) in (None, ()) and getattr(other, name) not in (None, ())
        }
        changes["executed_at"] = instant.refine(joint.executed_at, other.executed_at)
        joint = msgspec.structs.replace(joint, **changes)
    return joint


def _trades(rows: list[Movement], fills: dict[str, Fill], cash: frozenset[str]) -> list[Fact]:
    legs = [row for row in rows if row.kind is MovementKind.TRADE]
    facts: list[Fact] = []
    here = {row.id for row in rows}
    for group in sorted({group_of(row) for row in legs}):
        told = [row for row in legs if group_of(row) == group]
        for name, own in actions.deliveries(group, told):
            made = _trade(name, own, fills.pop(name, None), here, cash)
            facts += made if _is_apart(made) else [*made, *_placed(own)]
    loose = [row for row in rows if row.kind is MovementKind.LEG]
    if not loose:
        return facts + list(fills.values())
    for parcel in parcels(loose, list(fills.values())):
        facts += _parcel(parcel, cash)
    return facts


def _parcel(parcel: Parcel, cash: frozenset[str]) -> list[Fact]:
    """Make of legs what they are, and take each from, or to, the pocket it lies in."""
    rows, fill = list(parcel.rows), parcel.fill
    if fill is not None and parcel.is_part:
        if not rows:
            return [fill]
        listed = msgspec.structs.replace(fill, rows=tuple(row.id for row in rows))
        return [_backed(listed, rows, _moved(rows), complete=False), *_placed(rows)]
    made = _trade(rows[0].id if fill is None else fill.id, rows, fill, set(), cash)
    if _is_apart(made):
        return made
    flagged = (msgspec.structs.replace(f, flags=(*f.flags, *parcel.flags)) for f in made)
    return [*flagged, *_placed(rows)]


def _is_apart(made: Iterable[Fact]) -> bool:
    """Tell whether rows came to nothing but flows, which know their own pockets."""
    return all(isinstance(fact, CashFlow) for fact in made)


def _placed(rows: Iterable[Movement]) -> list[Transfer]:
    """Put what a trade brought into the pocket it lies in, and take what it gave out of its own.

    Trades and conversions themselves know no pockets.
    """
    moves = ((row, row.amount - row.fee) for row in rows if row.pocket is not None)
    return [
        Transfer(
            id=f"{row.id}/pocket",
            executed_at=row.executed_at,
            account=row.account,
            source=row.source,
            sequence=row.sequence,
            asset=row.asset,
            quantity=abs(change),
            to_account=row.account,
            pocket=row.pocket if change < 0 else MAIN,
            to_pocket=MAIN if change < 0 else row.pocket,
        )
        for row, change in moves
        if change
    ]


def _trade(
    name: str, rows: list[Movement], fill: Fill | None, here: set[str], cash: frozenset[str]
) -> list[Fact]:
    moved = _moved(rows)
    if fill is not None and set(moved) <= {fill.base, fill.quote}:
        complete = set(moved) == {fill.base, fill.quote} or set(fill.rows) <= here
        return [_valued(_backed(fill, rows, moved, complete=complete), rows, cash)]
    given = [asset for asset, amount in moved.items() if amount < 0]
    taken = [asset for asset, amount in moved.items() if amount > 0]
    if len(given) == len(taken) == 1:
        base, quote = oriented(taken[0], given[0], cash)
        bare = Fill(
            id=name,
            executed_at=rows[0].executed_at,
            account=rows[0].account,
            base=base,
            quote=quote,
            side=Side.BUY if moved[base] > 0 else Side.SELL,
            quantity=ZERO,
        )
        named = bare if fill is None else _named(bare, fill)
        return [_valued(_backed(named, rows, moved, complete=True), rows, cash)]
    if given and taken:
        return [_conversion(name, rows, cash)]
    return [unpaired(row, cash) for row in rows]


def _named(bare: Fill, fill: Fill) -> Fill:
    """Take from a statement whose pair does not match the rows only who did it."""
    return msgspec.structs.replace(
        bare, order_id=fill.order_id, strategy=fill.strategy, regime=fill.regime
    )


def _backed(fill: Fill, rows: list[Movement], moved: dict[str, Decimal], *, complete: bool) -> Fill:
    """Give a fill the amounts and fees that the ledger rows booked."""
    base, quote = moved.get(fill.base), moved.get(fill.quote)
    side = fill.side
    if base:
        side = Side.BUY if base > 0 else Side.SELL
    elif quote:
        side = Side.SELL if quote > 0 else Side.BUY
    missing_base = ZERO if complete else fill.quantity
    missing_quote = ZERO if complete else fill.amount
    keep = tuple(flag for flag in fill.flags if flag is not Flag.PROVISIONAL)
    return msgspec.structs.replace(
        fill,
        executed_at=booked_at(rows[0].executed_at, fill),
        sequence=_sequence(rows),
        side=side,
        quantity=missing_base if base is None else abs(base),
        amount=missing_quote if quote is None else abs(quote),
        fees=fees(rows) if complete else (fees(rows) or fill.fees),
        rows=tuple(row.id for row in rows) if complete else fill.rows,
        rates=_rates(rows) or fill.rates,
        flags=keep if complete else (*keep, Flag.PROVISIONAL),
        delivers=actions.delivered(rows),
    )


def _valued(fill: Fill, rows: list[Movement], cash: frozenset[str]) -> Fill:
    """Give a trade of coin for coin the worth that the venue states for one of its legs."""
    if fill.value is not None or cash & {fill.base, fill.quote}:
        return fill
    told = (worth_of(rows, asset, cash) for asset in (fill.quote, fill.base))
    worth = next((each for each in told if each is not None), None)
    return fill if worth is None else msgspec.structs.replace(fill, value=abs(worth))


def _margins(rows: list[Movement], told: Iterable[MarginFill], cash: frozenset[str]) -> list[Fact]:
    facts: list[Fact] = []
    fills = {fill.id: fill for fill in told}
    legs = [row for row in rows if row.kind is MovementKind.MARGIN]
    for group in sorted({group_of(row) for row in legs}):
        own = [row for row in legs if group_of(row) == group]
        stated = fills.pop(f"{group}{LENT}", None)
        par = frozenset[str]()
        if stated is not None:
            par = actions.at_par((row for row in rows if group_of(row) == group), stated.quote)
        facts += (_worth_told(fill, own, cash) for fill in _margin(group, own, stated, par))
    return facts + [fill for fill in fills.values() if not actions.only_names(fill)]


def _margin(
    group: str, rows: list[Movement], stated: MarginFill | None, par: Container[str]
) -> list[MarginFill]:
    """Return the trade that is stated, with all that its rows settled in its quote and charged, and
    a fact for each coin that settled something else.
    """
    facts: list[MarginFill] = []
    apart = rows
    if stated is not None:
        of_trade = [row for row in rows if _is_of(stated, row, rows)]
        apart = [row for row in rows if not _is_of(stated, row, rows)]
        traded = actions.settled(stated, of_trade, apart, par)
        traded = _booked(traded, of_trade) if of_trade else _timed(traded, rows)
        facts += [] if actions.only_names(traded) else [traded]
    for asset in sorted({row.asset for row in apart}):
        own = [row for row in apart if row.asset == asset]
        bare = MarginFill(
            id=f"{group}{LENT}/{asset}",
            executed_at=own[0].executed_at,
            account=own[0].account,
            base="",
            quote=asset,
            settled=_sum(own),
        )
        facts.append(_booked(bare if stated is None else actions.named(bare, stated), own))
    return facts


def _worth_told(fill: MarginFill, rows: list[Movement], cash: frozenset[str]) -> MarginFill:
    """Give what was settled in a coin the worth that the venue states of it, a unit's."""
    worth = worth_of(rows, fill.quote, cash)
    if fill.quote_rate is not None or not worth or not fill.settled:
        return fill
    return msgspec.structs.replace(fill, quote_rate=ratio18(worth, ONE, fill.settled))


def _is_of(stated: MarginFill, row: Movement, rows: list[Movement]) -> bool:
    """Tell whether a row says what the trade itself settled, or is a charge alone, beside it."""
    if row.asset == stated.quote:
        return True
    where = next((other.pocket for other in rows if other.asset == stated.quote), rows[0].pocket)
    is_charge = not any(other.amount for other in rows if other.asset == row.asset)
    return is_charge and stated.quantity is not None and row.pocket == where


def _booked(fill: MarginFill, rows: list[Movement]) -> MarginFill:
    """Give a leveraged trade the fees, the place and the rates of its rows."""
    return msgspec.structs.replace(
        fill,
        executed_at=booked_at(rows[0].executed_at, fill),
        sequence=_sequence(rows),
        fees=fees(rows),
        pocket=rows[0].pocket,
        rows=tuple(row.id for row in rows),
        rates=_rates(rows) or fill.rates,
    )


def _timed(fill: MarginFill, rows: list[Movement]) -> MarginFill:
    """Put a leveraged trade where its rows are, though all of them settled other coins."""
    at = booked_at(rows[0].executed_at, fill)
    return msgspec.structs.replace(fill, executed_at=at, sequence=_sequence(rows))


def _sum(rows: Iterable[Movement]) -> Decimal:
    return sum((row.amount for row in rows), ZERO)


def _conversions(rows: list[Movement], cash: frozenset[str]) -> list[Fact]:
    facts: list[Fact] = []
    for name in sorted({group_of(row) for row in rows}):
        own = [row for row in rows if group_of(row) == name]
        signs = {amount > 0 for amount in _moved(own).values()}
        made: list[Fact] = [_conversion(name, own, cash), *_placed(own)]
        facts += made if signs == {True, False} else [unpaired(row, cash) for row in own]
    return facts


def _swaps(rows: list[Movement], cash: frozenset[str]) -> list[Fact]:
    facts: list[Fact] = []
    apart: list[Movement] = []
    for bundle in bundles(rows):
        own = list(bundle.rows)
        made = _swap(own, cash)
        facts += made
        apart += [] if made else own
    for own in actions.late(apart):
        made = _swap(own, cash) if actions.is_late(own) else []
        facts += made or [unpaired(row, cash) for row in own]
    return facts


def _swap(own: list[Movement], cash: frozenset[str]) -> list[Fact]:
    """Return what was given for what, or nothing where one side of it is missing."""
    renamed = actions.rebranded(own, cash)
    if renamed is not None:
        return [renamed]
    if {amount > 0 for amount in _moved(own).values()} == {True, False}:
        return [_conversion(own[0].id, own, cash), *_placed(own)]
    return []


def _conversion(name: str, rows: list[Movement], cash: frozenset[str]) -> Conversion:
    legs = [
        (Leg(asset, abs(n), _stated(rows, asset, cash)), n) for asset, n in _moved(rows).items()
    ]
    return Conversion(
        id=name,
        executed_at=rows[0].executed_at,
        account=rows[0].account,
        source=rows[0].source,
        sequence=_sequence(rows),
        rows=tuple(row.id for row in rows),
        note=rows[0].label,
        given=tuple(leg for leg, moved in legs if moved < 0),
        taken=tuple(leg for leg, moved in legs if moved > 0),
        fees=fees(rows),
        rates=_rates(rows),
    )


def _stated(rows: Iterable[Movement], asset: str, cash: frozenset[str]) -> Decimal | None:
    """Return what the venue says a leg was worth. Dust that it rounds to nothing has a price."""
    worth = worth_of(rows, asset, cash)
    return abs(worth) if worth else None


def _moved(rows: Iterable[Movement]) -> dict[str, Decimal]:
    """Return what moved per asset; an asset whose rows cancel did not move."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.asset] = sums.get(row.asset, ZERO) + row.amount
    return {asset: amount for asset, amount in sums.items() if amount}


def _sequence(rows: Sequence[Movement]) -> int:
    """Return the first place that rows, by time, have in the instant of the first of them."""
    return min(row.sequence for row in rows if row.executed_at == rows[0].executed_at)


def _rates(rows: Iterable[Movement]) -> tuple[Rate, ...]:
    return tuple(dict.fromkeys(rate for row in rows for rate in row.rates))
