"""Homonyms: one name that stands for two coins, by venue and date.

Books keep Kraken's names. When Terra began anew, Binance gave the new coin the old one's name and
called the old one LUNC; Kraken kept LUNA for the old coin and called the new one LUNA2. So what
Binance calls LUNA from that day on is LUNA2 here. That LUNC is LUNA is an alias in `names`, as it
holds at any time.

A statement is understood once, at the door; understood again it says the same.

Errors: none.
"""

from typing import Final, NamedTuple, TypeVar

import msgspec

from bursar.ledger import instant
from bursar.ledger.entries import AnyEntry, Fee, Leg, Rate, StagedChange, venue

_T = TypeVar("_T", Fee, Leg, Rate)


class _Since(NamedTuple):
    at: int
    asset: str


_MEANT: Final = {
    "binance": {"LUNA": _Since(instant.parse("2022-05-28T06:00:00Z"), "LUNA2")},
}
_NAMES: Final = ("asset", "to_asset", "base", "quote", "worth_asset")
_LISTS: Final = ("fees", "to_fees", "rates", "given", "taken")


def understood(entry: AnyEntry) -> AnyEntry:
    """Return a statement with its assets under the names that they have in a book.

    A staged change is no venue's word: it was made of the book's names.
    """
    known = _MEANT.get(venue(entry.account))
    if known is None or isinstance(entry, StagedChange):
        return entry
    meant = {name: to.asset for name, to in known.items() if entry.executed_at >= to.at}
    if not meant:
        return entry
    changes: dict[str, object] = {}
    for field in _NAMES:
        name = getattr(entry, field, None)
        if name in meant:
            changes[field] = meant[name]
    for field in _LISTS:
        listed = getattr(entry, field, ())
        if any(each.asset in meant for each in listed):
            changes[field] = tuple(_called(each, meant) for each in listed)
    pair = getattr(entry, "pair", None)
    if pair is not None and changes:
        changes["pair"] = "/".join(meant.get(part, part) for part in pair.split("/"))
    return msgspec.structs.replace(entry, **changes) if changes else entry


def meant(asset: str, account: str, at: int) -> str:
    """Return the name in a book of what an account's venue calls so at an instant."""
    since = _MEANT.get(venue(account), {}).get(asset)
    return asset if since is None or at < since.at else since.asset


def is_homonym(asset: str, account: str) -> bool:
    """Tell whether a venue has given a name to two coins."""
    return asset in _MEANT.get(venue(account), {})


def _called(each: _T, meant: dict[str, str]) -> _T:
    return msgspec.structs.replace(each, asset=meant.get(each.asset, each.asset))
