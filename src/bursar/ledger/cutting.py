"""Where a timeline may be cut, and the checkpoint that is taken there.

A cut comes where a second ends, and parts no span: neither statements of one group, nor facts that
a note makes depend on each other.

Errors: none of its own; where there is no place for a cut, there is no checkpoint.
"""

from collections.abc import Iterator

from bursar.exact import money
from bursar.ledger import instant
from bursar.ledger.book import Book
from bursar.ledger.checkpoint import Checkpoint, end_of_second, state_of
from bursar.ledger.entries import CashFlow, Link, Reversal
from bursar.ledger.fold import apply
from bursar.ledger.notes import targets
from bursar.ledger.spans import Span
from bursar.ledger.timeline import Timeline


@money
def checkpoint_behind(timeline: Timeline, keep: int) -> Checkpoint | None:
    """Return a checkpoint that at least `keep` facts lie ahead of, if there is a place for one.

    A whole timeline looks through all its facts; another through those it has.
    """
    last = len(timeline.order) - keep
    for position, book in reversed(timeline.books.kept):
        if 0 < position <= last:
            edge = _edge(timeline, position, last)
            if edge is not None:
                return _taken_down(timeline, position, book, edge)
    return None


def _edge(timeline: Timeline, position: int, last: int) -> int | None:
    """Return the first place from `position` on where a second ends that nothing spans."""
    spans = (*timeline.spans, *_ties(timeline))
    for place in range(position, last + 1):
        second = timeline.order[place - 1][0] // instant.SECOND
        if timeline.order[place][0] // instant.SECOND > second and not any(
            first <= second < end for first, end in spans
        ):
            return place
    return None


def _ties(timeline: Timeline) -> Iterator[Span]:
    """Yield the seconds between facts that a note makes depend on each other."""
    notes, raw = timeline.notes, timeline.raw
    tying: list[Link | Reversal] = [each for each in notes.undone() if not each.void]
    for note in (*tying, *notes.linked()):
        ends = [raw[name] for name in targets(note) if name in raw]
        times = [end.executed_at for end in ends]
        times += [note.executed_at] if isinstance(note, Reversal) else []
        if times:
            yield min(times) // instant.SECOND, max(times) // instant.SECOND


def _taken_down(timeline: Timeline, position: int, book: Book, edge: int) -> Checkpoint:
    there = book.copy()
    for key in timeline.order[position:edge]:
        apply(there, timeline.facts[key[-1]])
    time = end_of_second(timeline.order[edge - 1][0])
    begin, known = timeline.balances_after(edge)
    prefixes = known.flat()
    between = (timeline.facts[key[-1]] for key in timeline.order[begin:edge])
    prefixes.follow(between, timeline.firsts.ids())
    return Checkpoint(
        time=time,
        facts=edge + timeline.behind,
        state=state_of(there),
        walked=prefixes.walked(),
        firsts=tuple(row for row in timeline.firsts.rows() if row.executed_at <= time),
        openings=_openings_until(timeline, time),
        notes=tuple(timeline.notes.told()),
        lasts=timeline.last_trades_after(edge),
    )


def _openings_until(timeline: Timeline, time: int) -> tuple[CashFlow, ...]:
    standing = (timeline.openings[name] for name in sorted(timeline.openings))
    flows = (fact for fact in standing if isinstance(fact, CashFlow))
    return tuple(flow for flow in flows if flow.executed_at <= time)
