"""Watching: what passes its limit is told on the bus, and what somebody should look at is an alert.

Both wait in the store until they are told, kept in one transaction with the note that they were
found, so a crash neither loses one nor tells it twice over; nor do several processes that watch one
book, of which each looks again once the others are kept off. An alert waits once for every way it
leaves by (`waiting`, `sent`); it may be told twice there, under the same id, never not at all.

An alert is raised once, and again when its figure has changed by a tenth or an hour has passed
(`reconcile.alarm`), also where it was gone in between. A drift's alerts are those of its alarm.

Errors: what the store raises.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.events import Envelope
from bursar.events.catalog import write
from bursar.events.outgoing import Alert, LimitState
from bursar.exact import ZERO, trimmed
from bursar.ledger import instant
from bursar.measure.limits import Breach, Freshness, Policy, Verdict
from bursar.portfolio import agreement
from bursar.portfolio.events import saying
from bursar.portfolio.portfolio import Portfolio
from bursar.ports import PortfolioStore
from bursar.reconcile.alarm import AGAIN_AFTER, is_long_ago, is_news

ALERTING: Final[Mapping[str, str]] = {
    "drawdown_pct": "drawdown",
    "daily_drawdown_pct": "drawdown",
    "weekly_drawdown_pct": "drawdown",
    "daily_loss": "daily_loss",
    "daily_loss_pct": "daily_loss",
}
"""The limits whose breach is an alert, and of which kind."""

KEPT_MAX: Final = 1_000
_LIMITS: Final = "limits told"
_ALERTS: Final = "alerts told"
_OUT: Final = "alert "


class Told(msgspec.Struct, frozen=True):
    """What was last told of something, and when; `signal` is what a limit was said to be, or the
    ways that an alert leaves by.
    """

    at: int
    value: Decimal | None
    signal: str = ""


class Concern(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody should look at."""

    kind: str
    subject: str
    message: str
    value: Decimal | None = None
    bound: Decimal | None = None


def tell_limits(portfolio: Portfolio, breaches: Iterable[Breach], *, now: int) -> int:
    """Tell what has come to pass its limit, or no longer does; return of how many."""
    found = {f"{each.limit} {each.subject}": each for each in breaches}
    return _keep(portfolio, lambda: _limits(portfolio, found, now))


_News = tuple[int, saying.Memos]
"""How much there is to tell, and the memos by which it is told and remembered."""


def _keep(portfolio: Portfolio, look: Callable[[], _News]) -> int:
    """Keep what there is to tell, as it stands once other processes are kept off."""
    if not look()[0]:
        return 0
    with portfolio.writer.alone():
        count, memos = look()
        portfolio.desk.store.save_memos(memos)
    return count


def _limits(portfolio: Portfolio, found: Mapping[str, Breach], now: int) -> _News:
    store, policy = portfolio.desk.store, portfolio.measuring.policy
    before = _told(store, _LIMITS)
    after, states = dict(before), []
    for key, each in found.items():
        if _is_news(before.get(key), each.verdict.value, each.value, now):
            after[key] = Told(now, each.value, each.verdict.value)
            states.append(_state(each, policy, now))
    for key in before.keys() - found.keys():
        if _may_clear(policy, before[key], now):
            del after[key]
            states.append(_cleared(key, policy, now))
    memos: saying.Memos = {_LIMITS: _write(after)} if states else {}
    for number, state in enumerate(states):  # a place of its own for each, and in order
        memos |= saying.memo_of(store, "portfolio.limit", state, at=now + number)
    return len(states), memos


def _may_clear(policy: Policy, told: Told, now: int) -> bool:
    """Tell whether a policy has the last word on what was told. One that could not be read has not;
    nor has who has none, while another service may have one: that tells it anew once an hour.
    """
    if policy.freshness is Freshness.NONE:
        return abs(now - told.at) >= 2 * AGAIN_AFTER
    return policy.freshness is Freshness.FRESH


def concerns(portfolio: Portfolio, breaches: Iterable[Breach]) -> list[Concern]:
    """Return what of these breaches is worth an alert."""
    return [
        Concern(
            kind=ALERTING[each.limit],
            subject=each.limit,
            message=f"{each} in {portfolio.desk.store.portfolio}",
            value=each.value,
            bound=each.bound,
        )
        for each in breaches
        if each.verdict is Verdict.BREACHED and each.limit in ALERTING
    ]


def stale_syncs(
    portfolio: Portfolio, accounts: Iterable[str], *, since: int, after_s: int
) -> list[Concern]:
    """Return the accounts that were not compared with their venue for so long.

    What was before `since`, when somebody began to ask the venues, is nobody's failure.
    """
    now, found = portfolio.desk.clock.now(), []
    for account in accounts:
        statement = agreement.last_statement(portfolio, account)
        last = since if statement is None else statement.as_of
        if now - max(last, since) > after_s * instant.SECOND:
            never = "; nothing was ever heard of it" if statement is None else ""
            said = f"{account}: no sync has succeeded since {instant.show(last)}{never}"
            found.append(Concern(kind="stale_sync", subject=account, message=said))
    return found


def raise_alerts(
    portfolio: Portfolio, found: Iterable[Concern], *, ways: Iterable[str], now: int
) -> int:
    """Raise what is due of these, and of drifts, and return how many alerts that were."""
    those, ways = tuple(found), tuple(ways)
    return _keep(portfolio, lambda: _alerts(portfolio, those, ways, now))


def _alerts(portfolio: Portfolio, found: Iterable[Concern], ways: Iterable[str], now: int) -> _News:
    """Return the alerts that are due: by every way, or by those it has yet to leave by, as one that
    a service with other ways has raised.
    """
    before, own = _told(portfolio.desk.store, _ALERTS), frozenset(ways)
    after, due = _recent(before, now), list[tuple[Concern, frozenset[str]]]()
    standing = [(f"{each.kind} {each.subject}", each, Told(now, each.value)) for each in found]
    for account, alarm in agreement.alarms_told(portfolio).items():
        if alarm.told_at is not None:
            drift = _drift(account, alarm.told, alarm.told_unpriced)
            standing.append((f"drift {account}", drift, Told(alarm.told_at, alarm.told)))
    for key, each, told in standing:
        was = before.get(key)
        if was is None or _is_due(each, was, told, now):
            by, kept = frozenset[str](), told
        else:
            by, kept = frozenset(was.signal.split()), was
        if kept is told or own - by:
            after[key] = msgspec.structs.replace(kept, signal=" ".join(sorted(own | by)))
            due.append((each, own - by))
    memos: saying.Memos = {_ALERTS: _write(after)} if due else {}
    for number, (each, lacking) in enumerate(due):
        memos |= _waiting(portfolio, each, lacking, now + number)
    return len(due), memos


def _is_due(found: Concern, was: Told, told: Told, now: int) -> bool:
    """Tell whether what was raised is to be raised again. Of a drift its alarm says when."""
    if found.kind == "drift":
        return was.at != told.at
    return _is_news(was, was.signal, told.value, now)


def waiting(store: PortfolioStore, way: str) -> dict[str, Envelope]:
    """Return the alerts that have not left by a way, by the name of their memo, oldest first."""
    return {name: _EVENT.decode(text) for name, text in store.memos(f"{_OUT}{way} ").items()}


def sent(store: PortfolioStore, name: str) -> None:
    """Forget an alert that has left."""
    store.save_memos({name: None})


def _waiting(portfolio: Portfolio, found: Concern, ways: Iterable[str], at: int) -> saying.Memos:
    store = portfolio.desk.store
    told = Alert(
        kind=found.kind,
        subject=found.subject,
        message=found.message,
        value=found.value,
        bound=found.bound,
        timestamp=instant.show(at),
    )
    memos = saying.memo_of(store, "portfolio.alert", told, at=at)
    event = Envelope(
        id=f"{store.portfolio} {at:020d} portfolio.alert",
        type="portfolio.alert",
        source="bursar",
        time=at,
        portfolio=store.portfolio,
        data=write(told),
    )
    for way in ways:
        memos |= dict.fromkeys(list(store.memos(f"{_OUT}{way} "))[: -KEPT_MAX + 1])
        memos[f"{_OUT}{way} {at:020d}"] = msgspec.json.encode(event).decode()
    return memos


def _is_news(was: Told | None, signal: str, value: Decimal | None, now: int) -> bool:
    if was is None or was.signal != signal or (was.value is None) is not (value is None):
        return True
    return is_news(value or ZERO, was.value or ZERO, told_at=was.at, now=now)


def _recent(told: Mapping[str, Told], now: int) -> dict[str, Told]:
    return {
        key: each
        for key, each in told.items()
        if not is_long_ago(each.at, now) or key.startswith("drift ")
    }


def _drift(account: str, worth: Decimal | None, unpriced: tuple[str, ...]) -> Concern:
    parts = [] if worth is None else [trimmed(worth)]
    parts += [f"{', '.join(unpriced)}, which has no price"] if unpriced else []
    said = " and by ".join(parts) or "an amount that is not known"
    message = f"{account}: books and venue differ by {said}"
    return Concern(kind="drift", subject=account, message=message, value=worth)


def _state(found: Breach, policy: Policy, now: int) -> LimitState:
    return LimitState(
        limit=found.limit,
        subject=found.subject,
        signal=found.verdict.value,
        value=found.value,
        bound=found.bound,
        reason=found.reason,
        source=policy.source,
        is_stale=policy.freshness is not Freshness.FRESH,
        timestamp=instant.show(now),
    )


def _cleared(key: str, policy: Policy, now: int) -> LimitState:
    limit, _, subject = key.partition(" ")
    bound = getattr(policy.limits, f"{limit}_max")
    return LimitState(
        limit=limit,
        subject=subject,
        signal="cleared",
        value=None,
        bound=bound,
        reason="there is no such limit any more" if bound is None else "",
        source=policy.source,
        is_stale=False,
        timestamp=instant.show(now),
    )


def _told(store: PortfolioStore, name: str) -> dict[str, Told]:
    text = store.memo(name)
    return {} if text is None else _TOLD.decode(text)


def _write(told: Mapping[str, Told]) -> str:
    return msgspec.json.encode(told, order="deterministic").decode()


_TOLD: Final = msgspec.json.Decoder(dict[str, Told])
_EVENT: Final = msgspec.json.Decoder(Envelope)
