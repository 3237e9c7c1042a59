"""What is open on margin at Kraken, pair by pair.

A position is named after the trade that opened it and states what it was opened with, and how much
of that is closed; those of a pair are added up, as fills are. What is left was entered for its
share of the cost.

Errors: as the client's.
"""

from collections.abc import Collection, Sequence
from decimal import Decimal

import msgspec

from bursar.errors import UnknownAsset
from bursar.exact import ZERO, money, share
from bursar.ledger.entries import Side
from bursar.reconcile.statement import Leveraged
from bursar.venue.kraken.client import KrakenRESTClient
from bursar.venue.kraken.metadata import Markets
from bursar.venue.kraken.pairs import Pair, pair
from bursar.venue.kraken.wire import Object, Position, open_position


async def leveraged(
    client: KrakenRESTClient, markets: Markets, known: Collection[str]
) -> list[Leveraged]:
    """Ask what is open; of the `known` pairs those that are not have nothing in them."""
    told = Object("OpenPositions", await client.open_positions())
    found: dict[str, list[Position]] = {name: [] for name in known}
    for txid, said in told.items():
        position = open_position(txid, said)
        of = await _named(position.pair, markets)
        if of is None:
            client.note("OpenPositions", f"{txid}: no pair is called {position.pair}")
            continue
        found.setdefault(str(of), []).append(position)
    return [_summed(name, open_) for name, open_ in sorted(found.items())]


async def _named(name: str, markets: Markets) -> Pair | None:
    try:
        return pair(name)
    except UnknownAsset:
        market = await markets.named(name)
        return None if market is None else market.pair


@money
def _summed(name: str, positions: Sequence[Position]) -> Leveraged:
    base, _, quote = name.partition("/")
    left = [(each, each.volume - each.closed) for each in positions if each.volume > each.closed]
    sums = Leveraged(pair=name, base=base, quote=quote, quantity=_net(left))
    if not left or len({each.side for each, _ in left}) > 1:
        return sums
    entered = sum((share(each.cost, open_, each.volume) for each, open_ in left), ZERO)
    since = min(each.opened_at for each, _ in left)
    return msgspec.structs.replace(sums, entered=entered, since=since)


def _net(left: Sequence[tuple[Position, Decimal]]) -> Decimal:
    return sum((open_ if each.side is Side.BUY else -open_ for each, open_ in left), ZERO)
