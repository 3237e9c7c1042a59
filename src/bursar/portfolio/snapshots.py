"""Snapshots and daily closes: how the portfolio stood, for curves and for the start of periods.

A snapshot is a view and may be pruned. The last one of each UTC day is also that day's close, a
memo that pruning leaves alone, so the history of equity has no end. With it stay the highest and
the lowest complete equity of the day, so a peak outlives the snapshot that saw it.

Whoever keeps one or prunes leaves a trail, so that what read them before knows whether to read on
or to read anew. Beside it stands which splits its book knew (`units`): a moment that missed a split
of what was held then is none with a price. Only this module writes snapshots and closes.

Errors: those of the store.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from heapq import merge
from itertools import groupby
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.exact import ZERO, money, quotient18
from bursar.ledger import instant
from bursar.ledger.entries import Split
from bursar.ledger.names import canonical
from bursar.measure.curve import Moment
from bursar.portfolio import units
from bursar.portfolio.came import Brought, came_by
from bursar.portfolio.units import Doubts
from bursar.ports import PortfolioStore
from bursar.value.snapshot import PortfolioSnapshot, SnapshotTotals, snapshot

if TYPE_CHECKING:
    from bursar.portfolio.portfolio import Portfolio, Prices

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
    came: Decimal | None = None


class DailyClose(msgspec.Struct, frozen=True, omit_defaults=True):
    """The last snapshot of a UTC day, in base currency. `unvalued` is in none of the figures.

    `excluded_value` is the worth of what the view left out; `capital_base`, `came_base`, `stale`
    and `excluded_unvalued` are as in the snapshot. `held` names what was held at any time of the
    day; `None`: that is not known.
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
    held: tuple[str, ...] | None = None
    came_base: Decimal | None = None


class Trail(msgspec.Struct, frozen=True):
    """The instant of the last snapshot. `epoch` grows when one came late, was replaced, or went.

    Where it grew since some went, the moments after `changed` are those of the epoch before.
    `brought` is of the last snapshot whose capital was known.
    """

    epoch: int
    last: int
    changed: int | None = None
    brought: Brought | None = None


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


def take(portfolio: Portfolio, prices: Prices = None) -> PortfolioSnapshot:
    """Keep how a portfolio stands now, and make it the close of its day so far."""
    desk, valuation = portfolio.desk, portfolio.valuation(prices)
    made = snapshot(portfolio.book(), valuation)
    with desk.store.grouped():
        brought = _brought(portfolio, made, trail(desk.store))
        if brought is not None and brought.at == valuation.at:
            made = msgspec.structs.replace(made, came_base=brought.came)
        keep(desk.store, made, desk.timeline.splits.values(), brought)
    return made


def _brought(portfolio: Portfolio, made: PortfolioSnapshot, known: Trail | None) -> Brought | None:
    """Return what had come by a snapshot that is to be kept; by an earlier one where that is late,
    or its capital or what came since not known.
    """
    before, at = None if known is None else known.brought, instant.from_datetime(made.timestamp)
    if made.capital_base is None or (before is not None and at < before.at):
        return before
    desk, capital = portfolio.desk, made.capital_base
    came = ZERO if before is None else came_by(desk.store, desk.head, before, capital)
    return before if came is None else Brought(at, capital, came)


def keep(
    store: PortfolioStore,
    made: PortfolioSnapshot,
    splits: Iterable[Split] = (),
    brought: Brought | None = None,
) -> None:
    """Keep a snapshot of a book that knows these splits and to which so much was brought, and make
    it its day's close so far.
    """
    with store.grouped():
        close = _close(store, made)
        known, at = trail(store), instant.from_datetime(made.timestamp)
        on = known is not None and at > known.last
        left = _left(known, at, brought)
        store.save_snapshot(made)
        prices = _prices(store, made, is_on=on)
        last = None if known is None else known.last
        counted = units.noted(store.memo(units.NAME), splits, last)
        told = {f"{CLOSE}{close.day}": _told(close), _TRAIL: _told(left)}
        store.save_memos({**told, **prices, **counted})


def _close(store: PortfolioStore, made: PortfolioSnapshot) -> DailyClose:
    day = made.timestamp.date()
    text = store.memo(f"{CLOSE}{day}")
    known = None if text is None else _DECODER.decode(text)
    high, low = _extremes(known, made)
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
        came_base=made.came_base,
        stale=made.stale,
        high=high,
        low=low,
        excluded_unvalued=made.excluded_unvalued,
        held=_held(known, made),
    )


def _held(known: DailyClose | None, made: PortfolioSnapshot) -> tuple[str, ...] | None:
    """Return what was held at any time of a day so far; `None` where the view left something out,
    which nobody named.
    """
    before = () if known is None else known.held
    if before is None or made.excluded_value or made.excluded_unvalued:
        return None
    return tuple(sorted({*before, *(each.asset for each in made.asset_valuations if each.amount)}))


@money
def _extremes(
    known: DailyClose | None, made: PortfolioSnapshot
) -> tuple[Extreme | None, Extreme | None]:
    """Return the day's highest and lowest equity so far; one without a price counts for neither."""
    high, low = (None, None) if known is None else (known.high, known.low)
    standing = _standing(made)
    if not standing.is_whole:
        return high, low
    now = Extreme(standing.timestamp, standing.equity_base, standing.capital_base, made.came_base)
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
            left = Trail(known.epoch + 1, known.last, instant.from_datetime(first), known.brought)
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


def doubts(store: PortfolioStore, splits: Iterable[Split]) -> Doubts:
    """Return which kept stretches missed a split of an asset, by all splits that are known now."""
    text, known = store.memo(units.NAME), trail(store)
    return units.doubts(text, splits, units.END if known is None else known.last + 1)


def standing_at(store: PortfolioStore, at: int, doubted: Doubts) -> Standing | None:
    """Return what is kept of the last moment at or before an instant; none where that one missed a
    split.
    """
    moment = instant.to_datetime(at)
    early = [each for each in closes(store) if each.timestamp <= moment]
    late = store.get_snapshots(limit=1, until=moment + timedelta.resolution)
    told: tuple[DailyClose | PortfolioSnapshot, ...] = (*early[-1:], *late)
    last = max(told, key=lambda each: each.timestamp, default=None)
    if last is None or _has_missed(last, instant.from_datetime(last.timestamp), doubted):
        return None
    return _standing(last)


def moments(
    store: PortfolioStore, since: datetime | None = None, doubted: Doubts = ()
) -> Iterator[Moment]:
    """Yield the kept moments, from `since` on, in order of time: snapshots, closes, extremes.

    Of an instant that several tell of, the snapshot counts, then the close. One that missed a split
    of what was held is not complete. O(moments), and O(assets) for each that lies where a split was
    missed.
    """
    missed = set(_missed(store, since, doubted))
    kept = map(_moment, store.snapshot_totals(since))
    whole = (_less(each, is_missed=each.at in missed) for each in kept)
    told = merge(_closing(store, since, doubted), whole if missed else kept, key=_at)
    for _, same in groupby(told, key=_at):
        *_, last = same
        yield last


def _missed(store: PortfolioStore, since: datetime | None, doubted: Doubts) -> Iterator[int]:
    """Yield the instants of snapshots that missed a split of what they held. Each is read once."""
    for begun, until in _spans(doubted):
        start = instant.to_datetime(begun)
        for each in newest(store, start if since is None else max(since, start), _before(until)):
            at = instant.from_datetime(each.timestamp)
            if _has_missed(each, at, doubted):
                yield at


def _spans(doubted: Doubts) -> list[tuple[int, int]]:
    """Return the stretches of doubts, those that meet as one, oldest first."""
    found: list[tuple[int, int]] = []
    for since, until in sorted((each.since, each.until) for each in doubted):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found


def _before(until: int) -> datetime | None:
    return None if until == units.END else instant.to_datetime(until) + timedelta.resolution


def _less(moment: Moment, *, is_missed: bool) -> Moment:
    return msgspec.structs.replace(moment, is_complete=False) if is_missed else moment


def _is_held(asset: str, kept: DailyClose | PortfolioSnapshot) -> bool:
    """Tell whether some of an asset may have been held: what the view left out is not named."""
    if isinstance(kept, DailyClose):
        return kept.held is None or asset in map(canonical, kept.held)
    held = {canonical(each.asset) for each in kept.asset_valuations if each.amount}
    return asset in held or bool(kept.excluded_value or kept.excluded_unvalued)


def _closing(store: PortfolioStore, since: datetime | None, doubted: Doubts) -> list[Moment]:
    """Return the moments that closes of days tell of, from `since` on."""
    start = None if since is None else instant.from_datetime(since)
    found: list[Moment] = []
    for close in closes(store):
        extremes = [each for each in (close.high, close.low) if each is not None]
        told = [
            Moment(instant.from_datetime(each.timestamp), each.equity, each.capital, came=each.came)
            for each in extremes
        ]
        found += [
            _less(each, is_missed=_has_missed(close, each.at, doubted))
            for each in (*told, _moment(close))
            if start is None or each.at >= start
        ]
    return sorted(found, key=_at)


def _has_missed(kept: DailyClose | PortfolioSnapshot, at: int, doubted: Doubts) -> bool:
    return any(each.covers(at) and _is_held(each.asset, kept) for each in doubted)


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
        kept.came_base,
    )


def _left(known: Trail | None, at: int, brought: Brought | None) -> Trail:
    """Return the trail after a snapshot."""
    if known is None:
        return Trail(1, at, None, brought)
    if at > known.last:
        return Trail(known.epoch, at, known.changed, brought)
    return Trail(known.epoch + 1, known.last, None, brought)  # the day's close may be another, too


def _told(kept: DailyClose | Trail) -> str:
    return _ENCODER.encode(kept).decode()


@money
def _standing(kept: DailyClose | PortfolioSnapshot | SnapshotTotals) -> Standing:
    """Return the worth of all that was owned, and whether it is known."""
    equity = kept.equity_base + kept.excluded_value
    is_whole = not (kept.unvalued or kept.excluded_unvalued)
    return Standing(kept.timestamp, equity, is_whole, kept.capital_base)
