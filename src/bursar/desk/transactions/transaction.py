"""One transaction: deltas are staged, the final state is judged, and all of it is written or none.

A block that ends without a commit has changed nothing; an exception rolls back and goes on its way.
A transaction begun inside another, on the same desk, is a savepoint of it: its commit hands its
deltas to the outer one, and they land with the outermost. `nested` is not compared with an equity;
one that is begun with a previous equity of its own is.

The version is that at which the outermost block began. Whoever comes second gets `StaleVersion`.

Errors: `StaleVersion`, `KeyReused`, `TransactionOver`, number errors and `BadChoice` for what is
staged, and every `StoreError`. What is merely not acceptable is no error: `commit` returns False.
"""

# long: the contract's class, whole; what it is made of stands in modules beside it
from asyncio import Future
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from functools import partial
from types import TracebackType
from typing import Final, Self

import msgspec

from bursar.desk import metrics
from bursar.desk.desk import Desk
from bursar.desk.transactions import judging, keeping, log, nesting
from bursar.desk.transactions.drafts import Reader
from bursar.desk.transactions.prices import Prices
from bursar.desk.transactions.rules import (
    Against,
    Number,
    Reason,
    Rules,
    State,
    TransactionReview,
    require_fitting,
)
from bursar.desk.transactions.running import Accepted, Running, Verdict, running_of
from bursar.desk.transactions.staging import (
    Draft,
    StagedCash,
    StagedLotBook,
    StagedLotEdit,
    StagedPosition,
    StagedRealizedPnl,
    appended,
    joined,
)
from bursar.desk.transactions.waiting import aside
from bursar.desk.transactions.writing import Writing, require_version
from bursar.errors import (
    BadChoice,
    BrokenInvariant,
    BursarError,
    InputError,
    OutcomeUnknown,
    OutOfBounds,
    StoreError,
    TransactionOver,
)
from bursar.exact import money
from bursar.ports import Head

DEPTH_MAX: Final = 16

Later = list[Callable[[], None]]
"""What is to be told once it is durable, where that is not at once."""


class PortfolioTransaction:
    """A transaction of one portfolio. Use it in a `with` or an `async with` block."""

    def __init__(
        self,
        desk: Desk,
        rules: Rules,
        *,
        outer: "PortfolioTransaction | None" = None,
        later: Later | None = None,
        running: Running | None = None,
    ) -> None:
        self.rules = rules
        self.state = State.NEW
        self.version = -1
        self.is_repeat = False
        self.desk = desk
        self.outer = outer
        self.later = later
        self.running = running
        self._made: TransactionReview | None = None
        self._accepted: Accepted | None = None
        self._done: tuple[Draft, ...] = ()
        self._own: list[Draft] = []
        self._seen: keeping.Foreseen | None = None
        self._waits = False
        self._writing: Writing | None = None
        self._verdict: Verdict | None = None

    def __repr__(self) -> str:
        return f"PortfolioTransaction({self.state.value}, version={self.version})"

    def __enter__(self) -> Self:
        if self.state is not State.NEW:
            raise TransactionOver("the transaction was begun already")
        self.outer = self.outer or nesting.innermost(self.desk)
        if self.outer is None:
            nesting.require_batch(self.desk, self.running)
            if self.running is None:
                self._seen = keeping.caught_up(self.desk, self.rules, self._seen)
            self.version = (self.running or self.desk.head).version
        else:
            self.outer.require_open()
            require_fitting(self.rules, self.outer.rules)
            self.version = self.outer.version
            self.running, self.later = self.outer.running, self.outer.later
        if self.depth > DEPTH_MAX:
            raise OutOfBounds(f"over {DEPTH_MAX} transactions inside each other", depth=self.depth)
        self.state = State.OPEN
        nesting.enter(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        nesting.leave(self)
        if self.state is State.OPEN:
            self._discard(Reason.ROLLED_BACK if kind is None else Reason.EXCEPTION)

    async def __aenter__(self) -> Self:
        """Begin it; what has to be read is read in the writer's thread.

        One of a batch waits in memory, as in `with`: the batch has the store.
        """
        if self.running is None and (self.outer or nesting.innermost(self.desk)) is None:
            self._seen = await aside(self.desk, partial(keeping.foresee, self.desk, self.rules))
            self._waits = True
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it: what was committed is written now, in the writer's thread.

        Where the block ends by an exception, it is not. One that is cancelled meanwhile ends when
        it is known what has become of it.
        """
        writing, self._writing = self._writing, None
        if writing is None or kind is not None:
            self.state = State.OPEN if self.state is State.COMMITTING else self.state
            self.__exit__(kind, error, trace)
            return
        nesting.leave(self)
        await aside(self.desk, writing.send, then=partial(self._sent, writing))

    @property
    def review_made(self) -> TransactionReview | None:
        """The verdict, once there is one."""
        if self._accepted is not None and self.running is not None:
            return self.running.settled(self._accepted)
        return self._made

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """What is staged so far, in the entries that it would make."""
        if len(self._own) > 1:
            self._own = [joined(self._own)]
        return appended(self._done, self._own)

    @property
    def depth(self) -> int:
        """How many transactions deep this one is; the outermost is 1."""
        return 1 + len(self.outers)

    @property
    def outers(self) -> "tuple[PortfolioTransaction, ...]":
        """Those that it is inside of, the nearest first."""
        return () if self.outer is None else (self.outer, *self.outer.outers)

    @property
    def reason(self) -> str | None:
        """Why it was discarded; `None` unless it was."""
        made = self._made
        return None if made is None or made.reason is None else made.reason.value

    @property
    def staged_cash(self) -> StagedCash:
        """The staged change of cash, and the fees."""
        return joined(self.drafts).cash

    @property
    def staged_positions(self) -> tuple[StagedPosition, ...]:
        """The staged changes of positions, in order."""
        return joined(self.drafts).positions

    @property
    def staged_lotbook(self) -> StagedLotBook:
        """The staged edits of lots."""
        return joined(self.drafts).lotbook

    @property
    def staged_realized_pnl(self) -> StagedRealizedPnl:
        """The staged claim of realised PnL."""
        return joined(self.drafts).realized

    def stage_cash_delta(self, delta: Number, fees: Number = 0, *, declared: bool = False) -> None:
        """Stage a change of cash, and fees paid besides. `declared`: a deposit or a withdrawal."""
        self._stage(self._reader().cash(delta, fees, declared=declared))

    def stage_position_delta(
        self,
        symbol: str,
        quantity_delta: Number,
        entry_price: Number | None = None,
        current_price: Number | None = None,
        strategy: str | None = None,
    ) -> None:
        """Stage a change of a position. It counts at the entry price, else at the current price,
        else at the commit's mark.
        """
        prices = entry_price, current_price
        self._stage(self._reader().position(symbol, quantity_delta, prices, strategy))

    def stage_lot_add(
        self,
        symbol: str,
        quantity: Number,
        *,
        cost: Number | None = None,
        price: Number | None = None,
        lot_id: str | None = None,
    ) -> None:
        """Stage a lot of its own, at a total cost, or at a price per unit, in base currency."""
        self._stage(self._reader().lot_add(symbol, lot_id, quantity, cost=cost, price=price))

    def stage_lot_remove(self, symbol: str, lot_id: str) -> None:
        """Stage that a lot goes, all of it."""
        self._stage(self._reader().lot(StagedLotEdit("remove", symbol, lot_id)))

    def stage_lot_update(
        self,
        symbol: str,
        lot_id: str,
        *,
        quantity: Number | None = None,
        cost: Number | None = None,
    ) -> None:
        """Stage what a lot is to hold and to have cost in total; what is left out stays."""
        self._stage(self._reader().lot_update(symbol, lot_id, quantity, cost))

    def stage_realized_pnl_delta(self, delta: Number) -> None:
        """Stage a claim: realised PnL before fees. It is kept beside what the lots say."""
        self._stage(self._reader().claim(delta))

    def nested(self) -> "PortfolioTransaction":
        """Return a savepoint inside this transaction, by its rules and not compared by itself."""
        self.require_open()
        rules = msgspec.structs.replace(self.rules, previous=None, epsilon=None, key=None)
        return PortfolioTransaction(self.desk, rules, outer=self)

    def review(self, mark_prices: Prices) -> TransactionReview:
        """Say what `commit` would do. Nothing is written.

        Raises:
            KeyReused: its idempotency key stands for another transaction.
        """
        self.require_open()
        known = self._answered()
        if known is None and self.running is not None:
            self.running.flush()
        return known or self._judged(mark_prices)[0].review

    def commit(self, mark_prices: Prices | None = None) -> bool:
        """Judge the final state at these marks and write it: True, or False with a `reason`.

        Only a savepoint may go without marks.

        Raises:
            TransactionOver: it has ended.
            StaleVersion: another writer was first; nothing is written.
            KeyReused: its idempotency key stands for another transaction.
            OutcomeUnknown: ask `recover` whether it has landed.
        """
        self.require_open()
        if self.outer is not None and (mark_prices is None or self.rules.previous is None):
            return self._handed()
        if mark_prices is None:
            raise BadChoice("commit needs the marks to judge by", field="mark_prices")
        began = self.desk.clock.now()
        try:
            return self._commit(mark_prices)
        except InputError:
            raise
        except (BursarError, BrokenInvariant) as error:
            self._fail(error)
            raise
        finally:
            took = self.desk.clock.now() - began
            if self.running is None:
                self._count(metrics.took(took))
            else:
                self.running.took.append(took)

    def drop(self) -> None:
        """End it as one that was only looked at: nothing is told or counted."""
        self.require_open()
        self.state = State.DISCARDED

    def rollback(self) -> None:
        """Drop all that is staged."""
        self.require_open()
        self._discard(Reason.ROLLED_BACK)

    def _commit(self, mark_prices: Prices) -> bool:
        known = self._answered()
        if known is not None:
            self._made, self.state, self.is_repeat = known, State.COMMITTED, True
            self._count(metrics.Counts(repeats=1))
            return True
        running = self.running
        if running is not None:
            is_good = None if self.outer is not None else self._run(running, mark_prices)
            if is_good is not None:
                return is_good
            running.flush()
        if self.later is None and self.version != self.desk.head.version:
            require_version(self.desk, self.version)
        judged, verdict = self._judged(mark_prices)
        self._made = judged.review
        is_written = judged.staged is not None and judged.review.reason is None
        if self.later is None and not self._waits and not is_written:
            require_version(self.desk, self.version)  # else the write itself looks
        if judged.review.reason is not None:
            self._discard(judged.review.reason)
            return False
        if self.outer is not None:
            return self._handed()
        self._write(judged, verdict)
        return True

    @money
    def _run(self, running: Running, mark_prices: Prices) -> bool | None:
        """Judge it by what the batch has come to, and let it wait there; `None`: that cannot."""
        drafts = self.drafts
        verdict = running.judge(drafts, running.prices.read(mark_prices, self.rules), self.rules)
        if verdict is None:
            return None
        review = self._made = verdict.review
        if review.reason is not None:
            self._discard(review.reason)
            return False
        self._accepted = running.accept(verdict, self.rules, drafts)
        self.state = State.COMMITTED
        self._tell(review, running.version)
        return True

    def _tell(self, review: TransactionReview, version: int) -> None:
        tell = partial(log.tell_commit, review, correlation_id=self._correlation, version=version)
        if self.later is None:
            tell()
        elif log.is_heard():
            self.later.append(tell)

    def _answered(self) -> TransactionReview | None:
        """Return what was answered under the same key before, if anything was."""
        if self.outer is not None or self.rules.key is None:
            return None
        body = judging.digest(self.drafts, self.rules)
        if self.running is not None:
            return self.running.answered(self.rules, body)
        known = None if self._seen is None else self._seen.answer
        return None if known is None else keeping.same_answer(self.desk, known, self.rules, body)

    def _write(self, judged: judging.Judged, verdict: Verdict | None) -> None:
        """Have it written: at once, or where a loop is not to wait, when the block ends."""
        writing = Writing(self.desk, judged, self.rules, self.drafts)
        self._verdict = verdict
        if self._waits:
            self._writing, self.state = writing, State.COMMITTING
            return
        try:
            self._landed(writing, writing.send())
        except (BursarError, BrokenInvariant):
            raise
        except BaseException:
            if self.state is not State.COMMITTED:
                self._interrupted(writing)
            raise

    def _interrupted(self, writing: Writing) -> None:
        """Find out what has become of it where something has broken in on the writing."""
        self.state, self.desk.unresolved[writing.review.id] = State.UNKNOWN, self.version
        with suppress(StoreError):
            head = writing.found()
            del self.desk.unresolved[writing.review.id]
            if head is None:
                self._discard(Reason.EXCEPTION)
            else:
                self._landed(writing, head)

    def _sent(self, writing: Writing, sent: Future[Head | None]) -> None:
        """Take note of what has become of it in the writer's thread."""
        failed = sent.exception()
        if failed is None:
            self._landed(writing, sent.result())
        elif isinstance(failed, BursarError | BrokenInvariant):
            self._fail(failed)
        else:
            self._interrupted(writing)

    def _landed(self, writing: Writing, head: Head | None) -> None:
        """Take note that it has been written."""
        version = writing.land(head)
        self.state = State.COMMITTED
        if self.running is not None:
            self.running.rebase()
        elif self._verdict is not None:
            running_of(self.desk).go_on(self.rules.account, self._verdict)
        self._tell(writing.review, version)

    @money
    def _judged(self, mark_prices: Prices) -> tuple[judging.Judged, Verdict | None]:
        """Judge what is staged: by sums where they can tell, else over the desk."""
        running, drafts = self.running or running_of(self.desk), self.whole()
        marks = running.prices.read(mark_prices, self.rules)
        verdict: Verdict | None = None
        if self.running is None:
            running.begin(self._previous())
            verdict = running.judge(drafts, marks, self.rules)
        if verdict is None:
            return judging.judge(self.desk, drafts, marks, self.rules), None
        return running.alone(verdict), verdict

    def _previous(self) -> Decimal | None:
        """Return what the last transaction came to, where that counts."""
        if self.rules.previous is not None or self.rules.against is Against.REMARKED:
            return None
        return keeping.equity(self.desk) if self._seen is None else self._seen.equity

    def whole(self) -> tuple[Draft, ...]:
        """Return what the outer ones have staged so far, and this one."""
        before = () if self.outer is None else self.outer.whole()
        return appended(before, self.drafts)

    def hand_over(self, drafts: tuple[Draft, ...]) -> None:
        """Take over what an inner transaction has committed."""
        self.require_open()
        self._done, self._own = appended(self.drafts, drafts), []

    def require_open(self) -> None:
        """Refuse what comes before the beginning or after the end.

        Raises:
            TransactionOver: naming where it stands.
        """
        if self.state is State.NEW:
            raise TransactionOver("the transaction has not begun; use it in a `with` block")
        if self.state is not State.OPEN:
            raise TransactionOver(f"the transaction has ended: {self.state.value}")
        nesting.require_innermost(self)

    def _handed(self) -> bool:
        assert self.outer is not None, "the outermost has nobody to hand over to"
        nesting.leave(self)
        self.outer.hand_over(self.drafts)
        self.state = State.COMMITTED
        return True

    def _discard(self, reason: Reason) -> None:
        """End it without an effect, and say so."""
        self.state = State.DISCARDED
        made, is_told = self._made, bool(self.drafts)
        if made is None or made.reason is not reason:
            made = judging.unjudged(
                self.desk, self.drafts, self.rules, reason, version=self.version
            )
            self._made = made
            if not is_told:
                return
        if self.outer is None:
            counts = metrics.discarded(reason.value, made.delta, made.epsilon)
            if self.running is not None:
                self.running.apart.append(counts)
            elif self._waits:
                self._count(counts)
            else:
                keeping.count_apart(self.desk, counts)
        log.tell_discard(reason.value, made, correlation_id=self._correlation, depth=self.depth)

    def _fail(self, error: BursarError | BrokenInvariant) -> None:
        """End it because of an error, which goes on its way."""
        is_unknown = isinstance(error, OutcomeUnknown)
        self.state = State.UNKNOWN if is_unknown else State.DISCARDED
        if is_unknown and self._made is not None:
            self.desk.unresolved[self._made.id] = self.version
        self._count(metrics.Counts(failures={error.code: 1}))
        log.tell_discard(error.code, self._made, correlation_id=self._correlation)

    def _count(self, counts: metrics.Counts) -> None:
        self.desk.uncounted = self.desk.uncounted.plus(counts)

    @property
    def _correlation(self) -> str | None:
        made = self._made
        return self.rules.correlation_id or (None if made is None else made.id)

    def _stage(self, draft: Draft) -> None:
        self.require_open()
        self._own.append(draft)

    def _reader(self) -> Reader:
        book = self.desk.timeline.book
        return Reader(book.cash, book.terms.base, strict_numbers=self.rules.strict_numbers)
