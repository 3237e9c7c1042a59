"""What was decided about capital, and what is kept to go on from.

Decisions are stored one after the other, each under a place of its own: its instant, or the next
nanosecond after the last one's where the clock stands still or goes back. A decision that is read
is made again from its inputs and has to come out the same, to the byte. One that rules of another
format made is told as it stands, with its format, since today's rules would not make it again.

Errors: `Doubtful` for a decision that its inputs do not give, or that cannot be read any more.
"""

from typing import Final, TypeVar

import msgspec

from bursar.capital.deciding import FORMAT, AllocationState, Decision, made_again
from bursar.errors import BadChoice, Doubtful
from bursar.ledger import instant
from bursar.measure.shadow import Shadow, ShadowDay
from bursar.measure.shadow import shadow as compare
from bursar.portfolio.allocating.standing import strategies
from bursar.portfolio.portfolio import Portfolio, Prices

_KEPT: Final = "capital state"
_DECISION: Final = "capital decision "
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_T = TypeVar("_T")


class Kept(msgspec.Struct, frozen=True):
    """What is kept between decisions: trades that closed up to `since`, or are in `seen`, are done.

    `since` (ns) never goes back, so a window that is made longer brings nothing up again. `place`
    is that of the last decision.
    """

    state: AllocationState = AllocationState()
    seen: tuple[str, ...] = ()
    moved_at: int | None = None
    since: int = 0
    place: int | None = None


_STATES: Final = msgspec.json.Decoder(Kept)
_DECISIONS: Final = msgspec.json.Decoder(Decision)


def kept(portfolio: Portfolio) -> Kept:
    """Return what is kept between decisions."""
    text = portfolio.desk.store.memo(_KEPT)
    return Kept() if text is None else _read(_STATES, text, "what is kept between decisions")


def keeping(state: Kept) -> dict[str, str | None]:
    """Return the memo that keeps it, to be written with what it goes along with."""
    return {_KEPT: _ENCODER.encode(state).decode()}


def storing(portfolio: Portfolio, made: Decision, after: Kept) -> dict[str, str | None]:
    """Return the memos of a decision that is applied, and of what is kept after it."""
    last = kept(portfolio).place
    if last is None:
        last = max((int(name.removeprefix(_DECISION)) for name in _stored(portfolio)), default=-1)
    place = max(made.cause.at, last + 1)
    told = {_name(place): _ENCODER.encode(made).decode()}
    return keeping(msgspec.structs.replace(after, place=place)) | told


def decisions(portfolio: Portfolio) -> list[Decision]:
    """Return every decision that was applied, oldest first."""
    return [_decision(text) for text in _stored(portfolio).values()]


def decision(portfolio: Portfolio) -> Decision | None:
    """Return the last decision that was applied, made again to see that it is what was stored.

    Raises:
        Doubtful: it is not what its inputs give, or it cannot be read.
    """
    text = _last(portfolio)
    if text is None:
        return None
    found = _decision(text)
    if found.format == FORMAT and _ENCODER.encode(made_again(found)) != _ENCODER.encode(found):
        raise Doubtful("the last decision is not what its inputs give: it was changed since")
    return found


def shadow(portfolio: Portfolio, prices: Prices = None) -> Shadow:
    """Compare what the decided weights made with what equal ones would have made."""
    made = decisions(portfolio)
    returns = {
        each.strategy: dict(zip(each.returns.days, each.returns.returns, strict=True))
        for each in strategies(portfolio, prices)
    }
    history, standing = [], iter(made)
    upcoming, current = next(standing, None), None
    today = portfolio.desk.clock.now() // instant.DAY
    first = today if upcoming is None else upcoming.cause.at // instant.DAY + 1
    for day in range(first, today + 1):
        while upcoming is not None and upcoming.cause.at < day * instant.DAY:
            current, upcoming = upcoming, next(standing, None)
        if current is not None:
            weights = {line.strategy: line.weight for line in current.allocation.lines}
            that_day = {name: returns[name].get(day, 0.0) for name in weights if name in returns}
            history.append(ShadowDay(day, weights, that_day))
    return compare(history)


def _stored(portfolio: Portfolio) -> dict[str, str]:
    """Return the texts of all decisions by name, oldest first."""
    return portfolio.desk.store.memos(_DECISION)


def _last(portfolio: Portfolio) -> str | None:
    """Return the text of the last decision; what an earlier version kept tells no place."""
    place = kept(portfolio).place
    if place is not None:
        return portfolio.desk.store.memo(_name(place))
    stored = _stored(portfolio)
    return stored[max(stored)] if stored else None


def _name(place: int) -> str:
    return f"{_DECISION}{place:020}"


def _decision(text: str) -> Decision:
    return _read(_DECISIONS, text, "a decision")


def _read(decoder: msgspec.json.Decoder[_T], text: str, what: str) -> _T:
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, BadChoice) as error:
        raise Doubtful(
            f"{what} was stored by a version of another form, and is not guessed at: {error}"
        ) from None
