"""Taking back: a reversal of a fact, a note, or an earlier reversal.

What is taken back counts as never having happened, unless it is a flow of which the time is said
until which it stood. A reversal that is itself taken back lets what it undid stand again.

What was entered together is taken back together: the entries of an accepted proposal, of a
transaction, of a reversal of those. They are named after the first of them: `ID`, `ID/2`, `ID/3`.
"""

import re
from typing import Final

import msgspec

from bursar.desk import Desk
from bursar.errors import BadChoice
from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Movement,
    Rename,
    Reversal,
    Source,
    Split,
    StagedChange,
)
from bursar.ledger.openings import is_opening
from bursar.ledger.order import order_key
from bursar.ledger.terms import FactSource
from bursar.ledger.timeline import Timeline
from bursar.portfolio.hand.words import (
    Correction,
    Time,
    at,
    found,
    fresh_id,
    statements_of,
)

_MADE: Final = re.compile(r".*:(?:hand|drift)-[0-9a-f]{12}.*", re.ASCII | re.DOTALL)
_KEYED: Final = re.compile(r".*:tx-.*", re.ASCII | re.DOTALL)
"""Ids of transactions, whose keys are the user's own; so may be the ids of other entries."""
_PART: Final = re.compile(r"(.+)/[0-9]+", re.ASCII | re.DOTALL)


@money
def reversed_(desk: Desk, text: str, *, time: Time = None, note: str | None = None) -> Correction:
    """Take back what stands under an id, whole; with `time`, a flow stood until then.

    Raises:
        EntryNotFound: no such entry.
        BadChoice: it cannot be taken back, and why.
    """
    timeline = desk.timeline
    name = found(timeline, text)
    names = _together(timeline, name)
    standing = [timeline.notes.reversal(each) for each in names]
    known = tuple(each for each in standing if each is not None)
    if len(known) == len(names):
        return Correction(known[0].id, known, is_known=True)
    when, made = at(desk, time), list[Reversal]()
    for each, by in zip(names, standing, strict=True):
        if by is not None:
            continue
        _require_whole(timeline, each)
        if time is not None:
            _require_until(timeline, each, when)
        entry = Reversal(
            id="",
            executed_at=when,
            account=_told(timeline, each).account,
            note=note,
            target=each,
            void=time is None,
        )
        called = f"{made[0].id}/{len(made) + 1}" if made else fresh_id(timeline, entry)
        made.append(msgspec.structs.replace(entry, id=called))
    return Correction(made[0].id, tuple(made), remarks=_doubts(timeline, _told(timeline, name)))


def _together(timeline: Timeline, name: str) -> list[str]:
    """Return the ids of what was entered together with what stands under an id, in their order."""
    part = _PART.fullmatch(name)
    for first in (name,) if part is None else (part[1], name):
        names = [first]
        while _is_part(timeline, following := f"{first}/{len(names) + 1}", names):
            names.append(following)
        if name in names and first in timeline.homes:
            return names
    return [name]


def _is_part(timeline: Timeline, name: str, before: list[str]) -> bool:
    """Tell whether an id is the next part, and none of the user's own that only looks so."""
    told = statements_of(timeline, name)
    if not told or _MADE.fullmatch(name):
        return bool(told)
    return _KEYED.fullmatch(name) is not None and all(
        isinstance(each, StagedChange) and each.sequence == len(before) for each in told
    )


def _told(timeline: Timeline, name: str) -> AnyEntry:
    """Return what stands under an id."""
    told = statements_of(timeline, name)
    return told[0] if told else timeline.facts[name]


def _require_whole(timeline: Timeline, name: str) -> None:
    """Refuse what is no fact of its own: it would change nothing, or too much."""
    fact = timeline.facts.get(name)
    if fact is not None and is_opening(fact):
        raise BadChoice(
            f"{name} is worked out from the other entries; enter what came before instead", id=name
        )
    told = statements_of(timeline, name)
    if any(each.source is Source.CANCELLATION for each in told):
        raise BadChoice(f"{name} was canceled by its venue: there is nothing to take back", id=name)
    raw = timeline.raw.get(name)
    if isinstance(raw, Reversal) and raw.rows:
        raise BadChoice(f"{name} is the venue's own reversal of {raw.target}", id=name)
    if raw is None and any(isinstance(each, Movement) for each in told):
        whole = [known.id for known in timeline.raw.values() if name in known.rows]
        raise BadChoice(f"{name} is a part of {', '.join(whole)}; reverse that", id=name)


def _require_until(timeline: Timeline, name: str, when: int) -> None:
    fact = timeline.facts.get(name)
    if not isinstance(fact, CashFlow):
        raise BadChoice(f"{name} is no flow: it stands, or it never happened", field="time")
    if fact.reversed_by is not None:
        raise BadChoice(f"{name} was taken back by {fact.reversed_by}", id=name)
    if when < fact.executed_at:
        shown = instant.show(fact.executed_at)
        raise BadChoice(f"{name} happened at {shown}; it stood until then at least", field="time")
    changed = _reshaped(timeline, fact, when)
    if changed is not None:
        word = "split" if isinstance(changed, Split) else "renamed"
        raise BadChoice(
            f"{changed.asset} was {word} since {name} happened, by {changed.id}: what went back"
            " is not what had come; enter it as it was, under its name of then",
            field="time",
        )


def _reshaped(timeline: Timeline, flow: CashFlow, until: int) -> Split | Rename | None:
    """Return what first changed the units or the name of what a flow moved, until an instant."""
    assets = {flow.asset, *(fee.asset for fee in flow.fees)}
    found = [
        fact
        for fact in timeline.facts.values()
        if isinstance(fact, Split | Rename)
        and fact.asset in assets
        and fact.account in {"*", flow.account}
        and order_key(flow) < order_key(fact)
        and fact.executed_at <= until
    ]
    return min(found, key=order_key, default=None)


def _doubts(timeline: Timeline, told: AnyEntry) -> tuple[str, ...]:
    source = timeline.terms.account(told.account).source
    is_ours = any(each.fullmatch(told.id) for each in (_MADE, _KEYED))
    if source is FactSource.MANUAL or is_ours or told.account.startswith("hand:"):
        return ()
    return (f"{told.id} is what {told.account} itself says: its statements will go on saying it",)
