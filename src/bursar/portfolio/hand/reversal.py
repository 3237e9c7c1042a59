"""Taking back: a reversal of a fact, a note, or an earlier reversal.

What is taken back counts as never having happened, unless it is a flow of which the time is said
until which it stood. A reversal that is itself taken back lets what it undid stand again.
"""

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
)
from bursar.ledger.openings import is_opening
from bursar.ledger.order import order_key
from bursar.ledger.terms import FactSource
from bursar.ledger.timeline import Timeline
from bursar.portfolio.hand.words import (
    HAND,
    Correction,
    Time,
    at,
    found,
    fresh_id,
    statements_of,
)


@money
def reversed_(desk: Desk, text: str, *, time: Time = None, note: str | None = None) -> Correction:
    """Take back what stands under an id; with `time`, a flow stood until then.

    Raises:
        EntryNotFound: no such entry.
        BadChoice: it cannot be taken back, and why.
    """
    timeline = desk.timeline
    name = found(timeline, text)
    standing = timeline.notes.reversal(name)
    if standing is not None:
        return Correction(standing.id, (standing,), is_known=True)
    _require_whole(timeline, name)
    when = at(desk, time)
    if time is not None:
        _require_until(timeline, name, when)
    fact = timeline.facts.get(name)
    told: list[AnyEntry] = statements_of(timeline, name) or ([] if fact is None else [fact])
    made = Reversal(
        id="",
        executed_at=when,
        account=told[0].account,
        note=note,
        target=name,
        void=time is None,
    )
    made = msgspec.structs.replace(made, id=fresh_id(timeline, made))
    return Correction(made.id, (made,), remarks=_doubts(timeline, told[0]))


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
    if source is FactSource.MANUAL or f":{HAND}" in told.id or told.account.startswith("hand:"):
        return ()
    return (f"{told.id} is what {told.account} itself says: its statements will go on saying it",)
