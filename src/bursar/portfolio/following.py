"""Following a venue: its history comes into the journal, chunk by chunk, and then what is missing.

A chunk's statements and the mark behind them land together, so that a sync which dies goes on where
it was. The mark is only an opinion about what need not be asked again: told twice, a statement is
a duplicate. What has no price when it lands is noted with it, and asked for when the history is
there; a price that the venue cannot tell is not asked for again.

Errors: `VenueError`, with everything kept that had landed; those of the desk.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from bursar.desk import Desk, Staged
from bursar.errors import StaleVersion
from bursar.ledger.entries import AnyEntry, CashFlow, Conversion, Fill, Flag, MarginFill
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.pricing import wanted
from bursar.ports import Chunk, PriceWanted, Progress, Venue

CHUNKS_HELD: Final = 20
"""How many chunks land in one commit; as many at most are fetched again after a kill."""

_TRIES: Final = 5
_DUE: Final = "due"


class Gained(msgspec.Struct):
    """What following brought.

    Of an account that was not known before nothing was published, so nothing is `restated`.
    """

    was_known: bool = True
    entries: int = 0
    trades: int = 0
    flows: int = 0
    pairs: set[str] = msgspec.field(default_factory=set)
    restated: list[str] = msgspec.field(default_factory=list)
    conflicts: list[str] = msgspec.field(default_factory=list)
    facts: list[Fact] = msgspec.field(default_factory=list)
    priced: int = 0


async def follow(
    desk: Desk, venue: Venue, gained: Gained, progress: Progress | None = None
) -> None:
    """Bring in what a venue has had to tell since the last time, prices included.

    `gained` counts what has landed, also where this ends in an error.
    """
    is_due = desk.store.memos(_prices_name(venue)) != {}
    await _history(desk, venue, gained, progress)
    unpriced = _unpriced(desk.whole() if is_due else gained.facts, venue.account)
    if unpriced or is_due:
        prices = await venue.prices(_wanted(unpriced, desk)) if unpriced else ()
        _land(desk, prices, {_prices_name(venue): None}, gained)
        gained.priced += len(prices)


async def _history(desk: Desk, venue: Venue, gained: Gained, progress: Progress | None) -> None:
    name = f"sync {venue.account}"
    mark = desk.store.memos(name).get(name)
    gained.was_known = mark is not None
    held: list[Chunk] = []
    async for chunk in venue.history(mark):
        held.append(chunk)
        if progress is not None:
            progress(f"fetching {chunk.what}", chunk.done, chunk.total)
        if len(held) >= CHUNKS_HELD:
            _land_chunks(desk, venue, held, gained)
            held = []
    if held and (held[-1].mark != mark or any(chunk.statements for chunk in held)):
        _land_chunks(desk, venue, held, gained)


def _land_chunks(desk: Desk, venue: Venue, held: Sequence[Chunk], gained: Gained) -> None:
    told = [statement for chunk in held for statement in chunk.statements]
    _land(desk, told, {f"sync {venue.account}": held[-1].mark}, gained, venue)


def _land(
    desk: Desk,
    told: Sequence[AnyEntry],
    memos: dict[str, str | None],
    gained: Gained,
    venue: Venue | None = None,
) -> None:
    """Commit statements and memos together. Another writer in between costs another try."""
    for _ in range(_TRIES):
        staged: Staged | None = None
        try:
            with desk.store.grouped():
                if told:
                    staged = desk.stage(told)
                    desk.commit(staged)
                    if venue is not None and _unpriced(staged.plan.course.added, venue.account):
                        memos[_prices_name(venue)] = _DUE
                desk.store.save_memos(memos)
        except StaleVersion:
            desk.reload()
            continue
        except BaseException:
            desk.reload()
            raise
        if staged is not None:
            _count(desk, staged, gained)
            if venue is not None and gained.was_known:
                gained.restated += desk.review(staged).restated
        return
    raise StaleVersion(f"other writers were first {_TRIES} times in a row; sync again")


def _count(desk: Desk, staged: Staged, gained: Gained) -> None:
    review, course = desk.review(staged), staged.plan.course
    known = {fact.id for fact in course.removed}
    fresh = [fact for fact in course.added if fact.id not in known]
    gained.entries += review.recorded
    gained.conflicts += review.conflicts
    gained.trades += sum(isinstance(fact, Fill | MarginFill) for fact in fresh)
    gained.flows += sum(isinstance(fact, CashFlow) for fact in fresh)
    gained.pairs |= {
        fact.pair or f"{fact.base}/{fact.quote}"
        for fact in fresh
        if isinstance(fact, Fill | MarginFill)
    }
    gained.facts = [fact for fact in gained.facts if fact.id not in known] + list(course.added)


def _unpriced(facts: Iterable[Fact], account: str) -> list[Fact]:
    return [fact for fact in facts if fact.account == account and Flag.UNPRICED in fact.flags]


def _wanted(facts: Iterable[Fact], desk: Desk) -> list[PriceWanted]:
    """Return the prices that these facts lack, each once, by asset and time."""
    terms = desk.head.terms
    cash = {canonical(asset) for asset in terms.cash}
    asked = {
        (asset, fact.executed_at)
        for fact in facts
        for asset in _deciding(fact)
        if asset not in cash
    }
    return [PriceWanted(asset, terms.base, at) for asset, at in sorted(asked)]


def _deciding(fact: Fact) -> Iterator[str]:
    """Yield the assets whose price would do: of a trade the quote, since it values both legs."""
    if isinstance(fact, Fill):
        yield canonical(fact.quote)
        yield from (canonical(fee.asset) for fee in fact.fees)
    elif isinstance(fact, Conversion):
        yield from (canonical(leg.asset) for leg in (*fact.given, *fact.taken))
        yield from (canonical(fee.asset) for fee in fact.fees)
    else:
        yield from wanted(fact)


def _prices_name(venue: Venue) -> str:
    return f"prices {venue.account}"
