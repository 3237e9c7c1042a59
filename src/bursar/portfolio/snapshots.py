"""Snapshots and daily closes: how the portfolio stood, for curves and for the start of periods.

A snapshot is a view and may be pruned. The last one of each UTC day is also that day's close, a
memo that pruning leaves alone, so the history of equity has no end. With it stay the highest and
the lowest complete equity of the day, so a peak outlives the snapshot that saw it.

Whoever keeps one or prunes leaves a trail, so that what read them before knows whether to read on
or to read anew. Only this module writes snapshots and closes.

Errors: those of the store.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from heapq import merge
from itertools import groupby
from typing import Final

import msgspec

from bursar.exact import ZERO, money, quotient18
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.measure.curve import Moment
from bursar.ports import PortfolioStore
from bursar.value.equity import Valuation
from bursar.value.snapshot import PortfolioSnapshot, SnapshotTotals, snapshot

CLOSE: Final = "close "
"""How the names of the memos begin that keep a day's close."""

PRICES: Final = "closing prices "
"""The same of those that keep what a unit of each asset was worth at the end of a day. They stand
for the day's snapshots, and go with them.
"""

_TRAIL: Final = "snapshots"
_PAGE: Final = 200
_ENCODER: Final = msgspec.json.Encoder()


class Extreme(msgspec.Struct, frozen=True):
    """The highest or lowest complete equity of a day, of all that is held, and the capital then."""

    timestamp: datetime
    equity: Decimal
    capital: Decimal | None


class DailyClose(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last snapshot of a UTC day, in base currency. `unvalued` is in none of the figures.

    `excluded_value` is the worth of what the view left out; `capital_base`, `stale` and
    `excluded_unvalued` are as in the snapshot.
    """

    day: date
    timestamp: datetime
    equity_base: Decimal
    cash_base: Decimal
    realized_pnl_base_total: Decimal
    unrealized_pnl_base_total: Decimal
    unvalued: tuple[str, ...] = ()
    excluded_value: Decimal = ZERO
    capital_base: Decimal | None = None
    stale: tuple[str, ...] = ()
    high: Extreme | None = None
    low: Extreme | None = None
    excluded_unvalued: tuple[str, ...] = ()


class Trail(msgspec.Struct, frozen=True):
    """The instant of the last snapshot. `epoch` grows when one came late, was replaced, or went.

    Where it grew since some went, the moments after `changed` are those of the epoch before.
    """

    epoch: int
    last: int
    changed: int | None = None


class Standing(msgspec.Struct, frozen=True):
    """What all of the portfolio was worth at a kept moment, whole or without what had no price, and
    the capital that had come by then.
    """

    timestamp: datetime
    equity_base: Decimal
    is_whole: bool
    capital_base: Decimal | None


_DECODER: Final = msgspec.json.Decoder(DailyClose)
_TRAILS: Final = msgspec.json.Decoder(Trail)
_PRICES: Final = msgspec.json.Decoder(dict[str, Decimal])


def take(store: PortfolioStore, book: Book, valuation: Valuation) -> PortfolioSnapshot:
    """Keep a snapshot of a book, and make it the close of its day so far."""
    made = snapshot(book, valuation)
    keep(store, made)
    return made


def keep(store: PortfolioStore, made: PortfolioSnapshot) -> None:
    """Keep a snapshot, and make it the close of its day so far."""
    with store.grouped():
        close = _close(store, made)
        known, at = trail(store), instant.from_datetime(made.timestamp)
        on = known is not None and at > known.last
        left = _left(known, at)
        store.save_snapshot(made)
        prices = _prices(store, made, is_on=on)
        store.save_memos({f"{CLOSE}{close.day}": _told(close), _TRAIL: _told(left), **prices})


def _close(store: PortfolioStore, made: PortfolioSnapshot) -> DailyClose:
    day = made.timestamp.date()
    high, low = _extremes(store.memo(f"{CLOSE}{day}"), made)
    return DailyClose(
        day=day,
        timestamp=made.timestamp,
        equity_base=made.equity_base,
        cash_base=made.cash_base,
        realized_pnl_base_total=made.realized_pnl_base_total,
        unrealized_pnl_base_total=made.unrealized_pnl_base_total,
        unvalued=made.unvalued,
        excluded_value=made.excluded_value,
        capital_base=made.capital_base,
        stale=made.stale,
        high=high,
        low=low,
        excluded_unvalued=made.excluded_unvalued,
    )


@money
def _extremes(kept: str | None, made: PortfolioSnapshot) -> tuple[Extreme | None, Extreme | None]:
    """Return the day's highest and lowest equity so far; one without a price counts for neither."""
    known = None if kept is None else _DECODER.decode(kept)
    high, low = (None, None) if known is None else (known.high, known.low)
    standing = _standing(made)
    if not standing.is_whole:
        return high, low
    now = Extreme(standing.timestamp, standing.equity_base, standing.capital_base)
    return (
        now if high is None or now.equity >= high.equity else high,
        now if low is None or now.equity < low.equity else low,
    )


def _prices(
    store: PortfolioStore, made: PortfolioSnapshot, *, is_on: bool
) -> dict[str, str | None]:
    """Return the day's closing prices so far, to be kept. They are those of all its snapshots, or
    else of none: one that is late may be anywhere among them.
    """
    day = made.timestamp.date()
    name = f"{PRICES}{day}"
    known = store.memo(name)
    if not is_on or (known is None and store.memo(f"{CLOSE}{day}") is not None):
        return {} if known is None else {name: None}
    prices = {} if known is None else _PRICES.decode(known)
    return {name: _ENCODER.encode(prices | unit_prices(made)).decode()}


@money
def unit_prices(made: PortfolioSnapshot) -> dict[str, Decimal]:
    """Return what one unit of each asset was worth, of those that are held and have a price."""
    return {
        each.asset: quotient18(each.value_base, each.amount)
        for each in made.asset_valuations
        if each.value_base and each.amount
    }


def day_prices(store: PortfolioStore) -> Iterator[tuple[date, dict[str, Decimal]]]:
    """Yield each day that has snapshots, and what a unit of each asset was worth at the last one
    that told. O(assets × days), and O(snapshots) of days whose prices were not kept.
    """
    told = {_day_of(name): text for name, text in store.memos(PRICES).items()}
    since: datetime | None = None
    for day in sorted(told):
        yield from _read_prices(store, since, day)
        yield day.date(), _PRICES.decode(told[day])
        since = day + timedelta(days=1)
    yield from _read_prices(store, since, None)


def _read_prices(
    store: PortfolioStore, since: datetime | None, until: datetime | None
) -> Iterator[tuple[date, dict[str, Decimal]]]:
    """Yield what `day_prices` does of a stretch of whole days, out of their snapshots."""
    if since is None or since != until:
        for day, same in groupby(newest(store, since, until), key=lambda e: e.timestamp.date()):
            prices: dict[str, Decimal] = {}
            for each in same:
                prices = unit_prices(each) | prices
            yield day, prices


def _day_of(name: str) -> datetime:
    return datetime.combine(date.fromisoformat(name.removeprefix(PRICES)), time.min, UTC)


def prune(store: PortfolioStore, now: int, days: int) -> int:
    """Delete the snapshots of days that ended before so many days ago, and return how many.

    A day goes as a whole, so the past changes once a day and not with every snapshot.
    """
    first = instant.to_datetime(instant.day_start(now)) - timedelta(days=days)
    with store.grouped():
        count = store.prune_snapshots(first)
        known = trail(store)
        if count and known is not None:
            gone = [name for name in store.memos(PRICES) if name < f"{PRICES}{first.date()}"]
            left = Trail(known.epoch + 1, known.last, instant.from_datetime(first))
            store.save_memos({_TRAIL: _told(left), **dict.fromkeys(gone)})
    return count


def trail(store: PortfolioStore) -> Trail | None:
    """Return what tells whether the kept moments are those of before; `None`: nobody can say."""
    text = store.memo(_TRAIL)
    return None if text is None else _TRAILS.decode(text)


def closes(store: PortfolioStore) -> list[DailyClose]:
    """Return the close of every day that has one, oldest first."""
    return [_DECODER.decode(text) for text in store.memos(CLOSE).values()]


def closed_at(text: str) -> datetime:
    """Return when the snapshot was taken that a kept close tells of."""
    return _DECODER.decode(text).timestamp


def newest(
    store: PortfolioStore, since: datetime | None = None, until: datetime | None = None
) -> Iterator[PortfolioSnapshot]:
    """Yield snapshots from `since` until before `until`, newest first, a page at a time."""
    while page := store.get_snapshots(since, _PAGE, until):
        yield from page
        until = page[-1].timestamp


def standing_at(store: PortfolioStore, at: int) -> Standing | None:
    """Return what is kept of the last moment at or before an instant."""
    moment = instant.to_datetime(at)
    early = [each for each in closes(store) if each.timestamp <= moment]
    late = store.get_snapshots(limit=1, until=moment + timedelta.resolution)
    found = [_standing(each) for each in early[-1:]] + [_standing(each) for each in late]
    return max(found, key=lambda each: each.timestamp, default=None)


def moments(store: PortfolioStore, since: datetime | None = None) -> Iterator[Moment]:
    """Yield the kept moments, from `since` on, in order of time: snapshots, closes, extremes.

    Of an instant that several tell of, the snapshot counts, then the close.
    """
    told = merge(_closing(store, since), map(_moment, store.snapshot_totals(since)), key=_at)
    for _, same in groupby(told, key=_at):
        *_, last = same
        yield last


def _closing(store: PortfolioStore, since: datetime | None) -> list[Moment]:
    """Return the moments that closes of days tell of, from `since` on."""
    found: list[Moment] = []
    for close in closes(store):
        extremes = [each for each in (close.high, close.low) if each is not None]
        found += [
            Moment(instant.from_datetime(each.timestamp), each.equity, each.capital)
            for each in extremes
            if since is None or each.timestamp >= since
        ]
        if since is None or close.timestamp >= since:
            found.append(_moment(close))
    return sorted(found, key=_at)


def _at(moment: Moment) -> int:
    return moment.at


def _moment(kept: DailyClose | SnapshotTotals) -> Moment:
    standing = _standing(kept)
    return Moment(
        instant.from_datetime(kept.timestamp),
        standing.equity_base,
        kept.capital_base,
        standing.is_whole,
        bool(kept.stale),
    )


def _left(known: Trail | None, at: int) -> Trail:
    """Return the trail after a snapshot."""
    if known is None:
        return Trail(1, at)
    if at > known.last:
        return Trail(known.epoch, at, known.changed)
    return Trail(known.epoch + 1, known.last)  # the close of its day may be another, too


def _told(kept: DailyClose | Trail) -> str:
    return _ENCODER.encode(kept).decode()


@money
def _standing(kept: DailyClose | PortfolioSnapshot | SnapshotTotals) -> Standing:
    """Return the worth of all that was owned, and whether it is known."""
    equity = kept.equity_base + kept.excluded_value
    is_whole = not (kept.unvalued or kept.excluded_unvalued)
    return Standing(kept.timestamp, equity, is_whole, kept.capital_base)
