"""What is said of a commit: what it would do, the messages that it leaves for the bus, one for each
version with what it tells besides, and the statements that contradict what was recorded.

Errors: none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from bursar.desk.moves import Move, plainly
from bursar.exact import plain, trimmed
from bursar.ledger.course import Plan, Restated
from bursar.ledger.journal import Outcome, Record
from bursar.ledger.state import NO_PAIR
from bursar.ports import Outbox

COMMITTED: Final = "portfolio.committed"
RESTATED: Final = "portfolio.restated"


class Review(msgspec.Struct, frozen=True):
    """What a staged change would do, in numbers."""

    recorded: int
    duplicates: int
    conflicts: tuple[str, ...]
    facts_added: int
    facts_changed: int
    restated: tuple[str, ...]
    flags: dict[str, int]


def review_of(plan: Plan) -> Review:
    """Return what committing a plan would do."""
    outcomes = [ruled.verdict.outcome for ruled in plan.ruled]
    conflicts = tuple(
        contradiction(ruled.entry.id, ruled.verdict.field)
        for ruled in (plan.ruled if Outcome.CONFLICT in outcomes else ())
        if ruled.verdict.outcome is Outcome.CONFLICT
    )
    changed = {fact.id for fact in plan.course.removed}
    flags = Counter([flag.value for fact in plan.course.added for flag in fact.flags])
    return Review(
        recorded=outcomes.count(Outcome.RECORDED),
        duplicates=outcomes.count(Outcome.DUPLICATE),
        conflicts=conflicts,
        facts_added=len({fact.id for fact in plan.course.added} - changed),
        facts_changed=len(changed),
        restated=in_words(plan.restated),
        flags=dict(flags),
    )


def messages(
    parts: Sequence[tuple[Sequence[Record], Mapping[str, object]]],
    version: int,
    restated: Sequence[Restated],
    moved: Sequence[Move] = (),
) -> list[tuple[Outbox, int]]:
    """Return a message, with its time, for each version that comes after `version`: its rows, and
    what it tells besides. Positions that were opened or closed stand in the last one.
    """
    topic = RESTATED if restated else COMMITTED
    told_of = plainly_restated(restated)
    made = []
    for number, (rows, told) in enumerate(parts, version + 1):
        last = rows[-1]
        body = {
            "version": number,
            "first_seq": rows[0].seq,
            "last_seq": last.seq,
            "hash": last.hash,
            "restated": told_of,
            **told,
        }
        if moved and number == version + len(parts):
            body["moved"] = [plainly(each) for each in moved]
        text = msgspec.json.encode(body).decode()
        made.append((Outbox(last.hash, topic, text), last.recorded_at))
    return made


def in_words(restated: Iterable[Restated]) -> tuple[str, ...]:
    """Say what was restated, a line a figure."""
    return tuple(
        f"{_subject(each)}: {trimmed(each.old)} → {trimmed(each.new)}" for each in restated
    )


def _subject(each: Restated) -> str:
    """Name a figure; what no pair made is the asset's own, what no asset made its money's."""
    pair = each.pair.strip("/")
    if not each.asset:
        return f"leverage in {pair}"
    return each.asset if pair in {"", NO_PAIR} else f"{each.asset} in {pair}"


def plainly_restated(restated: Iterable[Restated]) -> list[dict[str, object]]:
    """Return restated figures as a message tells them."""
    return [
        {
            "account": each.account,
            "asset": each.asset,
            "pair": each.pair,
            "strategy": each.strategy,
            "regime": each.regime,
            "old": plain(each.old),
            "new": plain(each.new),
            "cause": each.cause,
        }
        for each in restated
    ]


def contradiction(name: str, field: str | None) -> str:
    """Say what a statement contradicts, and what to do where a reader's own doing is at fault."""
    if field == "group":
        return (
            f"{name}: it was filed with other rows before, as an earlier version of this program"
            " did. That stands, and nothing is counted twice; to have the rows as they are read"
            " now, read the account into a new portfolio"
        )
    return f"{name}: {field} differs from what was recorded"
