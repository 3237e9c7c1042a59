"""One transaction: deltas are staged, the final state is judged, and all of it is written or none.

A block that ends without a commit has changed nothing; an exception rolls back and goes on its way.
A transaction begun inside another, on the same desk, is a savepoint of it: its commit hands its
deltas to the outer one, and they land with the outermost. `nested` is not compared with an equity;
one that is begun with a previous equity of its own is.

The version is that at which the outermost block began. Whoever comes second gets `StaleVersion`.

Errors: `StaleVersion`, `KeyReused`, `TransactionOver`, number errors and `BadChoice` for what is
staged, and every `StoreError`. What is merely not acceptable is no error: `commit` returns False.
"""

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from decimal import Decimal
from enum import Enum
from functools import partial
from types import TracebackType
from typing import Final, Self

import msgspec

from bursar.desk import metrics
from bursar.desk.desk import Desk
from bursar.desk.transactions import judging, keeping, log
from bursar.desk.transactions.rules import Number, Reason, Rules, TransactionReview
from bursar.desk.transactions.staging import (
    Draft,
    StagedCash,
    StagedLotBook,
    StagedLotEdit,
    StagedPosition,
    StagedRealizedPnl,
    appended,
    joined,
    require_not_negative,
    symbol_of,
)
from bursar.errors import (
    BadChoice,
    BrokenInvariant,
    BursarError,
    InputError,
    KeyReused,
    OutcomeUnknown,
    OutOfBounds,
    StaleVersion,
    TransactionOver,
)
from bursar.exact import ZERO, number, product18
from bursar.ledger import journal
from bursar.value.marks import FEE_CREDITS, Marks, fee_credit, given

DEPTH_MAX: Final = 16
Prices = Marks | Mapping[str, object]

Later = list[Callable[[], None]]
"""What is to be told once it is durable, where that is not at once."""

_OPEN: ContextVar["PortfolioTransaction | None"] = ContextVar("open transaction", default=None)


class State(Enum):
    """Where a transaction is in its life."""

    NEW = "new"
    OPEN = "open"
    COMMITTED = "committed"
    DISCARDED = "discarded"
    UNKNOWN = "unknown"


class PortfolioTransaction:
    """A transaction of one portfolio. Use it in a `with` or an `async with` block."""

    def __init__(
        self,
        desk: Desk,
        rules: Rules,
        *,
        outer: "PortfolioTransaction | None" = None,
        later: Later | None = None,
    ) -> None:
        self.rules = rules
        self.state = State.NEW
        self.review_made: TransactionReview | None = None
        self.version = -1
        self.is_repeat = False
        self.desk = desk
        self.outer = outer
        self._later = later
        self._done: tuple[Draft, ...] = ()
        self._own = Draft()
        self._token: Token[PortfolioTransaction | None] | None = None

    def __repr__(self) -> str:
        return f"PortfolioTransaction({self.state.value}, version={self.version})"

    def __enter__(self) -> Self:
        if self.state is not State.NEW:
            raise TransactionOver("the transaction was begun already")
        inside = _OPEN.get()
        if self.outer is None and inside is not None and inside.desk is self.desk:
            self.outer = inside
        if self.outer is None:
            if self._later is None:
                self.desk.catch_up()
            self.version = self.desk.head.version
        else:
            self.outer.require_open()
            self._require_fitting(self.outer.rules)
            self.version = self.outer.version
        if self.depth > DEPTH_MAX:
            raise OutOfBounds(f"over {DEPTH_MAX} transactions inside each other", depth=self.depth)
        self._token = _OPEN.set(self)
        self.state = State.OPEN
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()
        if self.state is State.OPEN:
            self._discard(Reason.ROLLED_BACK if kind is None else Reason.EXCEPTION)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, trace)

    @property
    def drafts(self) -> tuple[Draft, ...]:
        """What is staged so far, in the entries that it would make."""
        return appended(self._done, (self._own,))

    @property
    def depth(self) -> int:
        """How many transactions deep this one is; the outermost is 1."""
        return 1 if self.outer is None else self.outer.depth + 1

    @property
    def reason(self) -> str | None:
        """Why it was discarded; `None` unless it was."""
        made = self.review_made
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
        change, paid = self._number(delta, "delta"), self._number(fees, "fees")
        require_not_negative(paid, "fees")
        flow = change if declared else ZERO
        self._stage(Draft(cash=StagedCash(change, paid, flow)))

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
        asset = symbol_of(symbol).asset
        if asset == self.desk.timeline.terms.base:
            raise BadChoice(f"{asset} is cash; stage it with stage_cash_delta", symbol=symbol)
        line = StagedPosition(
            symbol,
            self._number(quantity_delta, "quantity_delta"),
            self._price(entry_price, "entry_price"),
            self._price(current_price, "current_price"),
            strategy,
        )
        self._stage(Draft(positions=(line,)))

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
        units = self._number(quantity, "quantity")
        if units <= 0 or (cost is None) is (price is None):
            raise BadChoice("a lot has a quantity above zero, and a cost or a price", symbol=symbol)
        total = self._price(cost, "cost")
        if total is None:
            total = product18(units, self._price(price, "price") or ZERO)
        self._stage_lot(StagedLotEdit("add", symbol, lot_id, units, total))

    def stage_lot_remove(self, symbol: str, lot_id: str) -> None:
        """Stage that a lot goes, all of it."""
        self._stage_lot(StagedLotEdit("remove", symbol, lot_id))

    def stage_lot_update(
        self,
        symbol: str,
        lot_id: str,
        *,
        quantity: Number | None = None,
        cost: Number | None = None,
    ) -> None:
        """Stage what a lot is to hold and to have cost in total; what is left out stays."""
        units = self._price(quantity, "quantity")
        if units is not None and not units:
            raise BadChoice("a lot of nothing; stage_lot_remove takes it away", symbol=symbol)
        self._stage_lot(StagedLotEdit("update", symbol, lot_id, units, self._price(cost, "cost")))

    def stage_realized_pnl_delta(self, delta: Number) -> None:
        """Stage a claim: realised PnL before fees. It is kept beside what the lots say."""
        claim = StagedRealizedPnl(self._number(delta, "delta"))
        self._stage(Draft(realized=claim))

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
        return self._answered() or self._judged(mark_prices).review

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
            self._count(metrics.took(self.desk.clock.now() - began))

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
            self.review_made, self.state, self.is_repeat = known, State.COMMITTED, True
            self._count(metrics.Counts(repeats=1))
            return True
        if self._later is None:  # else nobody else can write
            self._require_current()
        judged = self._judged(mark_prices)
        self.review_made = judged.review
        if judged.review.reason is not None:
            self._discard(judged.review.reason)
            return False
        if self.outer is not None:
            return self._handed()
        self._write(judged)
        return True

    def _answered(self) -> TransactionReview | None:
        """Return what was answered under the same key before, if anything was."""
        if self.outer is not None or self.rules.key is None:
            return None
        return keeping.answered(self.desk, self.rules, judging.digest(self.drafts, self.rules))

    def _write(self, judged: judging.Judged) -> None:
        desk, review, rules = self.desk, judged.review, self.rules
        body = judging.digest(self.drafts, rules)
        if judged.staged is None:
            with desk.store.grouped():
                self._require_current()
                desk.store.save_memos(keeping.memos(review, rules, body))
            keeping.count_apart(desk, metrics.committed(review.delta, review.epsilon))
        else:
            if any(ruled.key != journal.key(ruled.entry) for ruled in judged.staged.plan.ruled):
                raise KeyReused(f"{review.id} stands in the journal already", key=rules.key)
            if rules.announced:
                keeping.announce(desk, review, rules)
            before = desk.head.hash
            desk.commit(judged.staged, keeping.beside(desk, review, rules, body))
            keeping.landed(desk, review, before)
        self.state = State.COMMITTED
        version = desk.head.version
        tell = partial(log.tell_commit, review, correlation_id=self._correlation, version=version)
        if self._later is None:
            tell()
        else:
            self._later.append(tell)

    def _judged(self, mark_prices: Prices) -> judging.Judged:
        marks = mark_prices
        if not isinstance(marks, Marks):
            base, now = self.desk.timeline.terms.base, self.desk.clock.now()
            marks = marks_of(marks, base, now, strict_numbers=self.rules.strict_numbers)
        return judging.judge(self.desk, self.whole(), marks, self.rules)

    def whole(self) -> tuple[Draft, ...]:
        """Return what the outer ones have staged so far, and this one."""
        before = () if self.outer is None else self.outer.whole()
        return appended(before, self.drafts)

    def hand_over(self, drafts: tuple[Draft, ...]) -> None:
        """Take over what an inner transaction has committed."""
        self.require_open()
        self._done, self._own = appended(self.drafts, drafts), Draft()

    def require_open(self) -> None:
        """Refuse what comes before the beginning or after the end.

        Raises:
            TransactionOver: naming where it stands.
        """
        if self.state is State.NEW:
            raise TransactionOver("the transaction has not begun; use it in a `with` block")
        if self.state is not State.OPEN:
            raise TransactionOver(f"the transaction has ended: {self.state.value}")
        if _OPEN.get() is not self:
            raise TransactionOver("another transaction is open inside this one")

    def _handed(self) -> bool:
        assert self.outer is not None, "the outermost has nobody to hand over to"
        self._leave()
        self.outer.hand_over(self.drafts)
        self.state = State.COMMITTED
        return True

    def _require_current(self) -> None:
        now = self.desk.store.head().version
        if now != self.version:
            raise StaleVersion(
                f"begun at version {self.version}, the portfolio is at {now}; begin again",
                expected=self.version,
                actual=now,
            )

    def _require_fitting(self, outer: Rules) -> None:
        """Refuse to a savepoint what only the outermost can have."""
        if self.rules.account != outer.account:
            raise BadChoice(
                f"inside a transaction of {outer.account}, not of {self.rules.account}",
                account=self.rules.account,
            )
        if self.rules.key is not None:
            raise BadChoice("a savepoint has no key; give it to the outermost", field="key")

    def _leave(self) -> None:
        """Let the outer transaction be the open one again."""
        if self._token is not None:
            _OPEN.reset(self._token)
            self._token = None

    def _discard(self, reason: Reason) -> None:
        """End it without an effect, and say so."""
        self.state = State.DISCARDED
        made, is_told = self.review_made, bool(self.drafts)
        if made is None or made.reason is not reason:
            made = TransactionReview(
                id=judging.name_of(self.desk, self.drafts, self.rules),
                version=self.version,
                at=self.desk.clock.now(),
                reason=reason,
                epsilon=judging.epsilon_of(self.rules),
            )
            self.review_made = made
            if not is_told:
                return
        if self.outer is None:
            counts = metrics.discarded(reason.value, made.delta, made.epsilon)
            keeping.count_apart(self.desk, counts)
        log.tell_discard(reason.value, made, correlation_id=self._correlation, depth=self.depth)

    def _fail(self, error: BursarError | BrokenInvariant) -> None:
        """End it because of an error, which goes on its way."""
        is_unknown = isinstance(error, OutcomeUnknown)
        self.state = State.UNKNOWN if is_unknown else State.DISCARDED
        if is_unknown and self.review_made is not None:
            self.desk.unresolved[self.review_made.id] = self.version
        self._count(metrics.Counts(failures={error.code: 1}))
        log.tell_discard(error.code, self.review_made, correlation_id=self._correlation)

    def _count(self, counts: metrics.Counts) -> None:
        self.desk.uncounted = self.desk.uncounted.plus(counts)

    @property
    def _correlation(self) -> str | None:
        made = self.review_made
        return self.rules.correlation_id or (None if made is None else made.id)

    def _stage(self, draft: Draft) -> None:
        self.require_open()
        self._own = joined((self._own, draft))

    def _stage_lot(self, edit: StagedLotEdit) -> None:
        asset = symbol_of(edit.symbol).asset
        if asset in self.desk.timeline.terms.cash:
            raise BadChoice(f"{asset} is cash, which has no lots", symbol=edit.symbol)
        self._stage(Draft(lots=(edit,)))

    def _number(self, value: Number, field: str) -> Decimal:
        return number(value, field=field, strict_numbers=self.rules.strict_numbers)

    def _price(self, value: Number | None, field: str) -> Decimal | None:
        read = None if value is None else self._number(value, field)
        require_not_negative(read, field)
        return read


def marks_of(
    prices: Mapping[str, object], base: str, now: int, *, strict_numbers: bool = False
) -> Marks:
    """Take a commit's prices: `{"BTC/USDT": 51000}`. Without a quote they are in base currency."""
    slashed = {name.replace("-", "/"): price for name, price in prices.items()}
    marks = given(slashed, base, at=now, strict_numbers=strict_numbers)
    return marks.plus(fee_credit(each, base, at=now) for each in FEE_CREDITS)
