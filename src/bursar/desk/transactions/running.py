"""Transactions one after another, judged in memory and written together.

What a transaction changes in cash and quantities is known without folding it, and so is what the
book comes to at a commit's marks (`sums`). `judge` says so, `accept` goes on from there, `flush`
folds and writes all that was accepted in one commit, in which each is a version of its own, with
its row and its message, as if it had been committed alone.

What the sums cannot tell (edits of lots, a strict claim, a sale of more than is there, an account
whose history begins late, a mark that is missing, a clock that goes back) has no answer here: it
goes the long way over the desk.

Invariants
- Every verdict, entry, row and message is what one commit after another would have given.
- What the fold comes to is what the sums came to, or nothing is written.

Errors: of `flush`, those of `Desk.commit`; what has been accepted is then still waiting.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.desk import metrics
from bursar.desk.desk import Beside, Desk, Staged
from bursar.desk.streaming import unswept
from bursar.desk.transactions import judging, keeping
from bursar.desk.transactions.prices import PriceReader
from bursar.desk.transactions.rules import Against, Reason, Rules, TransactionReview, epsilon
from bursar.desk.transactions.staging import Draft, StagedPosition, symbol_of
from bursar.desk.transactions.sums import Come, Sums
from bursar.errors import BrokenInvariant, KeyReused
from bursar.exact import ZERO, money
from bursar.ledger import journal
from bursar.ledger.entries import StagedChange, StagedLine
from bursar.ledger.journal import Outcome, Record
from bursar.ledger.state import HoldingKey
from bursar.value.convert import Missing, convert
from bursar.value.marks import Marks

WAITING_MAX: Final = 10_000
"""How many accepted transactions wait at most before they are folded."""


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """What is said of a transaction, and what it would change."""

    review: TransactionReview
    moves: Mapping[str, Decimal]
    come: Come


class Accepted:
    """A transaction that waits to be written; until then its review does not say what its sales
    realised.
    """

    __slots__ = ("body", "review", "row", "rules")

    def __init__(
        self, review: TransactionReview, rules: Rules, body: str, row: Record | None
    ) -> None:
        self.review = review
        self.rules = rules
        self.body = body
        self.row = row


class Running:
    """Where the transactions of a batch have come to, before they are written."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.prices = PriceReader(desk)
        self.is_over = False
        self.took: list[int] = []
        self.apart: list[metrics.Counts] = []
        self._waiting: list[Accepted] = []
        self._answers: dict[str, keeping.Answer] = {}
        self.rebase()

    def rebase(self) -> None:
        """Go on from where the desk is. Nothing may be waiting."""
        self._previous = keeping.equity(self.desk)
        self._begin()

    def _begin(self) -> None:
        self._sums = Sums(self.desk.timeline.book)
        self._are_plain: dict[str, bool] = {}
        self._stand()

    def _stand(self) -> None:
        self._head = head = self.desk.head
        self.version, self._seq, self._hash = head.version, head.seq, head.hash
        self._last = judging.last_moment(self.desk)

    def begin(self, previous: Decimal | None) -> None:
        """Take up where the desk is, for a transaction that is committed alone."""
        self._previous = previous
        if self._head is not self.desk.head or self._sums.book is not self.desk.timeline.book:
            self._begin()

    @money
    def alone(self, verdict: Verdict) -> judging.Judged:
        """Return a verdict with what is to be committed, and what that realises."""
        review = verdict.review
        if review.reason is not None or not review.entries:
            return judging.Judged(review)
        staged = self.desk.stage(review.entries)
        self._require_moved(staged, self._sums.places(review.entries[0].account, verdict.moves))
        (realized,) = _realized(staged).values()
        if review.realized is None:
            realized += review.entries[0].fees
            review = msgspec.structs.replace(review, realized=realized)
        return judging.Judged(review, staged)

    @money
    def go_on(self, account: str, verdict: Verdict) -> None:
        """Go on after a transaction that was committed alone, if the book has it and no more."""
        is_next = self.desk.head.version == self.version + bool(verdict.review.entries)
        if is_next and self._sums.book is self.desk.timeline.book:
            self._sums.go(account, verdict.moves, verdict.come)
            self._sums.moved.clear()
            self._stand()

    def judge(self, drafts: tuple[Draft, ...], marks: Marks, rules: Rules) -> Verdict | None:
        """Judge a transaction, inside the money context; `None` where only the desk can."""
        if len(self._waiting) >= WAITING_MAX:  # not when it is accepted: that is not to fail
            self.flush()
        if self._head is not self.desk.head:  # what waited was written, and something after it
            self.rebase()
        draft = drafts[0] if drafts else Draft()
        at = self.desk.clock.now()
        if at <= self._last:
            at = self._last + 1 if self._last <= at + judging.SKEW else -1
        if len(drafts) > 1 or draft.lots or rules.strict or at < 0 or not self._is_plain(rules):
            return None
        lines = self._lines(draft.positions, marks, rules)
        if lines is None:
            return None
        moves = self._moves(draft, lines)
        before, come = self._sums.now(marks), self._sums.after(rules.account, moves, marks)
        if before is None or come is None:
            return None
        previous, delta, allowed = self._compared(draft, before, come, rules)
        realized = self._realized(lines)
        if delta > allowed and realized is None:
            return None
        name = judging.name_at(self._hash, drafts, rules)
        review = TransactionReview(
            id=name,
            version=self.version,
            at=at,
            reason=Reason.VALIDATION_FAILED if delta > allowed else None,
            cash=come.cash,
            positions=come.total - come.cash,
            total=come.total,
            previous_equity=previous,
            delta=delta,
            epsilon=allowed,
            realized=realized,
            claimed=draft.realized.delta,
            entries=() if draft.is_idle else (_entry(name, at, draft, lines, rules),),
            marks=come.used,
        )
        return Verdict(review, moves, come)

    def accept(self, verdict: Verdict, rules: Rules, drafts: tuple[Draft, ...]) -> Accepted:
        """Take a good transaction for done, inside the money context."""
        review = verdict.review
        body = "" if rules.key is None else judging.digest(drafts, rules)
        row = None
        if review.entries:
            (entry,) = review.entries
            told = [(journal.key(entry), Outcome.RECORDED, entry)]
            now = self.desk.clock.now()
            (row,) = journal.chain(told, head=self._hash, seq=self._seq, at=now)
            self.version, self._seq, self._hash = self.version + 1, row.seq, row.hash
            self._last = entry.executed_at
            self._sums.go(rules.account, verdict.moves, verdict.come)
        self._previous = review.total
        made = Accepted(review, rules, body, row)
        self._waiting.append(made)
        if rules.key is not None:
            self._answers[rules.key] = keeping.Answer(body, review)
        return made

    def answered(self, rules: Rules, body: str) -> TransactionReview | None:
        """Return what was answered to this body under its key before, if it was.

        Raises:
            KeyReused: the key stands for another body.
        """
        known = self._answers.get(rules.key or "")
        if known is not None:
            return keeping.same_answer(self.desk, known, rules, body)
        return keeping.answered(self.desk, rules, body)

    def settled(self, accepted: Accepted) -> TransactionReview:
        """Return a review with what its sales realised, which only the fold can say."""
        if accepted.review.realized is None and not self.is_over:
            self.flush()
        return accepted.review

    @property
    def is_written(self) -> bool:
        """Tell whether the desk is where the last of them has brought it."""
        return not self._waiting and self._head is self.desk.head

    @unswept()
    def flush(self) -> None:
        """Fold and write what was accepted since the last time."""
        done, self._waiting = self._waiting, []  # what is staged meanwhile is this
        if not done:
            return
        try:
            self._flush(done)
        except BaseException:
            self._waiting = done
            raise
        self._answers = {}
        self.rebase()

    def _flush(self, done: list[Accepted]) -> None:
        rows = [(each.row, each) for each in done if each.row is not None]
        staged = self._staged(rows)
        memos: dict[str, str | None] = {}
        for last in done if self._answers else done[-1:]:
            memos |= keeping.memos(last.review, last.rules, last.body)
        if staged is None:
            self.desk.store.save_memos(memos)
        else:
            told = keeping.told_each((each.review, each.rules) for _, each in rows)
            parts = zip((row for row, _ in rows), told, strict=True)
            each = tuple((row, {"transaction": part}) for row, part in parts)
            counts = _counts(done for _, done in rows)
            keeping.commit_all(self.desk, staged, Beside(memos, each=each), counts)
        self.apart.append(_counts(each for each in done if each.row is None))

    def _staged(self, rows: list[tuple[Record, Accepted]]) -> Staged | None:
        """Fold the entries there are, and complete their reviews."""
        if not rows:
            return None
        staged = self.desk.stage(entry for _, each in rows for entry in each.review.entries)
        self._require_same(staged, [row.key for row, _ in rows])
        _say_realized([each for _, each in rows if each.review.realized is None], staged)
        return staged

    def close(self) -> None:
        """Write what is left, and the figures of what made no entry."""
        self.flush()
        self.is_over = True
        apart = metrics.added(self.apart)
        if apart != metrics.NONE:
            keeping.count_apart(self.desk, apart)

    def _is_plain(self, rules: Rules) -> bool:
        """Tell whether the sums say all that there is to say of an account."""
        if not self._sums.is_plain:
            return False
        known = self._are_plain.get(rules.account)
        if known is None:
            timeline = self.desk.timeline
            opens, shorts = timeline.opens(rules.account), timeline.book.shorts
            known = self._are_plain[rules.account] = not opens and rules.account not in shorts
        return known and (rules.key is None or self._is_new(judging.keyed(rules)))

    def _is_new(self, name: str) -> bool:
        """Tell whether nothing is known under the id of a transaction that has a key."""
        timeline = self.desk.timeline
        if name in timeline.homes or any(name == e.review.id for e in self._waiting):
            return False
        return timeline.is_whole or not self.desk.store.recall([name], [])

    def _lines(
        self, positions: Iterable[StagedPosition], marks: Marks, rules: Rules
    ) -> tuple[StagedLine, ...] | None:
        """Price deltas per unit in base currency; `None` where a price is missing."""
        lines = []
        for told in positions:
            if not told.quantity_delta:
                continue
            symbol, price = symbol_of(told.symbol), told.price
            asset = self._sums.asset(symbol.asset, rules.account)
            of = asset if price is None else symbol.quote or self._sums.book.terms.base
            path = self._sums.path(of, marks)
            if isinstance(path, Missing):
                return None
            worth = path.rate if price is None else convert(price, path)
            lines.append(StagedLine(asset, told.quantity_delta, worth, told.strategy))
        return tuple(lines)

    def _moves(self, draft: Draft, lines: Iterable[StagedLine]) -> dict[str, Decimal]:
        """Return by how much each quantity changes, cash included."""
        moves: dict[str, Decimal] = {}
        for line in lines:
            moves[line.asset] = moves.get(line.asset, ZERO) + line.quantity
        base = self._sums.book.terms.base
        moves[base] = moves.get(base, ZERO) + draft.cash.delta - draft.cash.fees
        return moves

    def _realized(self, lines: Iterable[StagedLine]) -> Decimal | None:
        """Return that nothing is realised where coins only come; else the fold has to say."""
        cash = self._sums.book.cash
        return ZERO if all(x.quantity > 0 and x.asset not in cash for x in lines) else None

    def _compared(
        self, draft: Draft, before: Come, come: Come, rules: Rules
    ) -> tuple[Decimal, Decimal, Decimal]:
        """Return with what the total is compared, how far it is off, and how far it may be."""
        declared = ZERO
        if rules.against is Against.REMARKED:
            previous, declared = before.total, draft.cash.declared
        elif rules.previous is not None:
            previous = rules.previous
        else:
            previous = before.total if self._previous is None else self._previous
        base = self.desk.timeline.terms.base
        allowed = epsilon(previous, base) if rules.epsilon is None else rules.epsilon
        return previous, abs(come.total - previous - declared), allowed

    def _require_same(self, staged: Staged, keys: list[str]) -> None:
        """Refuse to write what is not what the verdicts were given on."""
        plan = staged.plan
        if [ruled.key for ruled in plan.ruled] != keys:
            raise KeyReused("a transaction of the batch stands in the journal already")
        self._require_moved(staged, self._sums.moved)

    @money
    def _require_moved(self, staged: Staged, judged: Mapping[HoldingKey, Decimal]) -> None:
        plan, before = staged.plan, self.desk.timeline.book
        for (place, asset), moved in judged.items():
            came = plan.book.held(place, asset).quantity - before.held(place, asset).quantity
            if came != moved or not plan.course.is_append:
                raise BrokenInvariant(f"{place}: {asset} moves by {came}, judged was {moved}")


def running_of(desk: Desk) -> Running:
    """Return what a desk's single transactions go on from."""
    known = desk.running
    if not isinstance(known, Running):
        known = desk.running = Running(desk)
    return known


def _entry(
    name: str, at: int, draft: Draft, lines: tuple[StagedLine, ...], rules: Rules
) -> StagedChange:
    return StagedChange(
        id=name,
        executed_at=at,
        account=rules.account,
        cash=draft.cash.delta,
        fees=draft.cash.fees,
        lines=lines,
        claimed_realized=draft.realized.delta,
    )


@money
def _say_realized(rows: list[Accepted], staged: Staged) -> None:
    """Complete reviews by what the fold has realised."""
    if not rows:
        return
    made = _realized(staged)
    for each in rows:
        (entry,) = each.review.entries
        realized = made[entry.id] + entry.fees
        each.review = msgspec.structs.replace(each.review, realized=realized)


def _realized(staged: Staged) -> dict[str, Decimal]:
    """Return what each staged change realises, its fees taken off."""
    return {
        fact.id: sum((line.realized for line in lines), ZERO) for fact, lines in staged.plan.lines
    }


def _counts(done: Iterable[Accepted]) -> metrics.Counts:
    return metrics.committed_all([(e.review.delta, e.review.epsilon) for e in done])
