"""What a transaction keeps beside the journal, in the same commit: memos, and the message's part.

    transactions equity     what it came to, for the next one to be compared with
    transactions commits    the figures of all commits
    transactions discards   the figures of all discards, and of commits that had nothing to record
    transaction key K       the answer that was given under an idempotency key, and to what
    transaction open ID     a commit that was announced and has not come, unless a crash cut it off;
                            once recovery has taken it away, the commit comes no more

None of them decides what the book holds.

Errors: `KeyReused`, `StoreError`.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from typing import Final

import msgspec
from msgspec.structs import replace

from bursar.desk import metrics
from bursar.desk.desk import Beside, Desk, Drafted, Staged
from bursar.desk.metrics import COMMITS, DISCARDS, Counts
from bursar.desk.transactions.rules import Rules, TransactionReview
from bursar.errors import KeyReused, StoreError
from bursar.exact import trimmed
from bursar.ports import Head
from bursar.value import cash_equity

KEY: Final = "transaction key "
OPEN: Final = "transaction open "


class Answer(msgspec.Struct, frozen=True):
    """What was answered under a key: to which body, and the review of what was committed."""

    body: str
    review: TransactionReview


class Announced(msgspec.Struct, frozen=True, omit_defaults=True):
    """A commit that is about to come: its id, the version it was staged on, and when."""

    id: str
    version: int
    at: int
    key: str | None = None


_FIGURES: Final = (
    "cash",
    "positions",
    "total",
    "previous_equity",
    "delta",
    "epsilon",
    "realized",
    "claimed",
)
_ANSWER: Final = msgspec.json.Decoder(Answer)
_ANNOUNCED: Final = msgspec.json.Decoder(Announced)


class Foreseen(msgspec.Struct, frozen=True):
    """What a transaction may want to know of the store, read before it begins."""

    head: Head
    equity: Decimal | None
    answer: Answer | None


def foresee(desk: Desk, rules: Rules) -> Foreseen:
    """Read it, by one question. The figures of all commits, which each commit writes anew, are read
    along with it where they are not those that this desk has written.
    """
    names = [cash_equity.NAME]
    if rules.key is not None:
        names.append(KEY + rules.key)
    if desk.counted is None or desk.counted[0] != desk.head.hash:
        names.append(COMMITS)
    head, memos = desk.store.standing(names)
    if COMMITS in names:
        desk.counted = head.hash, metrics.read(memos.get(COMMITS))
    known = cash_equity.latest(desk.store.portfolio, memos.get(cash_equity.NAME))
    answer = None if rules.key is None else memos.get(KEY + rules.key)
    return Foreseen(
        head,
        None if known is None else known["total_equity"],
        None if answer is None else _ANSWER.decode(answer),
    )


def caught_up(desk: Desk, rules: Rules, seen: Foreseen | None) -> Foreseen:
    """Bring a desk to what was foreseen; where it was not, or is behind the desk, it is now."""
    if seen is None or seen.head.version < desk.head.version:
        seen = foresee(desk, rules)
    desk.catch_up(seen.head)
    return seen


def answered(desk: Desk, rules: Rules, body: str) -> TransactionReview | None:
    """Return what was answered to this body under its key before, if it was.

    Raises:
        KeyReused: the key stands for another body.
    """
    answer = answer_of(desk, rules)
    return None if answer is None else same_answer(desk, answer, rules, body)


def answer_of(desk: Desk, rules: Rules) -> Answer | None:
    """Return what was answered under its key, to whatever body."""
    return None if rules.key is None else answer_to(desk, rules.key)


def answer_to(desk: Desk, key: str) -> Answer | None:
    """Return what was answered under a key, to whatever body."""
    text = desk.store.memo(KEY + key)
    return None if text is None else _ANSWER.decode(text)


def same_answer(desk: Desk, answer: Answer, rules: Rules, body: str) -> TransactionReview:
    """Return an answer if it was given to this body, and say what has taken it back since.

    Raises:
        KeyReused: the key stands for another one.
    """
    if answer.body != body:
        raise KeyReused(f"key {rules.key!r} stands for another transaction", key=rules.key)
    gone = desk.timeline.notes.reversal(answer.review.id)
    return answer.review if gone is None else replace(answer.review, taken_back_by=gone.id)


def beside(review: TransactionReview, rules: Rules, body: str) -> Beside:
    """Return what is to be kept with a commit that was announced."""
    kept, announced = memos(review, rules, body), OPEN + review.id
    kept[announced] = None
    (told,) = told_each([(review, rules)])
    return Beside(kept, {"transaction": told}, announced=announced)


def commit_all(desk: Desk, staged: Staged, kept: Beside, counts: Counts) -> None:
    """Commit what is staged with what is kept beside it, and with the figures, these included."""
    drafted, of_commits = draft(desk, staged, kept, counts)
    land(desk, drafted, desk.send(drafted), of_commits)


def draft(
    desk: Desk, staged: Staged, kept: Beside, counts: Counts
) -> tuple[Drafted, tuple[Counts, Counts]]:
    """Draft that commit; the figures that it keeps, and the part that was not kept before."""
    uncounted = desk.uncounted
    of_commits = commits(desk).plus(uncounted).plus(counts)
    memos = {**kept.memos, COMMITS: metrics.text(of_commits)}
    kept = msgspec.structs.replace(kept, memos=memos)
    return desk.draft(staged, kept), (of_commits, uncounted)


def land(desk: Desk, drafted: Drafted, head: Head, figures: tuple[Counts, Counts]) -> None:
    """Take over a commit that was drafted so and has been written."""
    of_commits, kept = figures
    desk.land(drafted, head)
    desk.counted = head.hash, of_commits
    if desk.uncounted is kept:  # else others have been counted meanwhile, and these twice at most
        desk.uncounted = metrics.NONE


def memos(review: TransactionReview, rules: Rules, body: str) -> dict[str, str | None]:
    """Return the memos of a commit but its figures."""
    assert review.total is not None, "what is committed was measured"
    standing = cash_equity.Kept(
        version=review.version + bool(review.entries),
        at=review.at,
        cash=review.cash or Decimal(0),
        positions=review.positions or Decimal(0),
        total=review.total,
        previous=review.previous_equity or Decimal(0),
    )
    kept: dict[str, str | None] = {cash_equity.NAME: cash_equity.encode(standing)}
    if rules.key is not None:
        kept[KEY + rules.key] = msgspec.json.encode(Answer(body, review)).decode()
    return kept


def equity(desk: Desk) -> Decimal | None:
    """Return what the last transaction came to, if there was one."""
    known = desk.store.get_latest_cash_equity(desk.store.portfolio)
    return None if known is None else known["total_equity"]


def commits(desk: Desk) -> Counts:
    """Return the figures of all commits. They change only with the head."""
    head = desk.head.hash
    if desk.counted is None or desk.counted[0] != head:
        desk.counted = head, metrics.read(desk.store.memo(COMMITS))
    return desk.counted[1]


def told_each(done: Iterable[tuple[TransactionReview, Rules]]) -> Iterator[dict[str, object]]:
    """Yield what the message of each commit tells of its transaction."""
    marks: Mapping[str, Decimal] | None = None
    written: dict[str, str] = {}
    for review, rules in done:
        if review.marks is not marks:  # in a batch, they are mostly the same again
            marks = review.marks
            written = {pair: trimmed(price) for pair, price in marks.items()}
        figures = [(name, getattr(review, name)) for name in _FIGURES]
        yield {
            "id": review.id,
            "entries": [entry.id for entry in review.entries],
            "key": rules.key,
            "correlation_id": rules.correlation_id or review.id,
            "against": rules.against,
            **{name: None if told is None else trimmed(told) for name, told in figures},
            "marks": written,
        }


def announce(desk: Desk, review: TransactionReview, rules: Rules) -> bool:
    """Write down that a commit is about to come, in a transaction of its own.

    It is, where the portfolio still stands at the version that was judged; tell whether it does.

    The death of this process does not undo that. That of the machine may, unless the rules ask to
    wait for the disk; but never where the commit itself has landed, which comes after it.
    """
    coming = Announced(review.id, review.version, review.at, rules.key)
    text = msgspec.json.encode(coming).decode()
    if not rules.announced:
        return desk.store.announce(OPEN + review.id, text, review.version)
    is_current = desk.store.head().version == review.version
    if is_current:
        desk.store.save_memos({OPEN + review.id: text})
    return is_current


def announced(desk: Desk) -> list[Announced]:
    """Return the commits that were announced and have neither come nor been taken back."""
    return [_ANNOUNCED.decode(text) for text in desk.store.memos(OPEN).values()]


def withdraw(desk: Desk, names: Iterable[str]) -> None:
    """Take announcements away."""
    desk.store.save_memos(dict.fromkeys(OPEN + name for name in names), is_lasting=False)


def count_apart(desk: Desk, counts: Counts) -> None:
    """Add what no entry stands for to the figures, under the lock.

    A store that refuses gets it another time.
    """
    desk.uncounted = desk.uncounted.plus(counts)
    if desk.halted is not None:
        return
    with suppress(StoreError):
        with desk.store.grouped():
            known = metrics.read(desk.store.memo(DISCARDS))
            desk.store.save_memos({DISCARDS: metrics.text(known.plus(desk.uncounted))})
        desk.uncounted = metrics.NONE


def settle(desk: Desk) -> None:
    """Keep what this process has counted and no commit has taken along."""
    if desk.uncounted != metrics.NONE:
        count_apart(desk, metrics.NONE)


def counted(desk: Desk) -> Counts:
    """Return all figures: those that are kept, and those of this process that are not yet."""
    store = desk.store
    known = metrics.read(store.memo(COMMITS)).plus(metrics.read(store.memo(DISCARDS)))
    return known.plus(desk.uncounted)
