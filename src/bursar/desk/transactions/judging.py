"""Judging what is staged: its entries, the book they would make, that book at the marks, the rule.

Only the final state is judged. Nothing is written and nothing changes here.

Rules
- Total = cash + Σ quantity × mark. Realised PnL is inside cash already and is not added again.
- A delta counts at its entry price, else its current price, else the commit's mark; a price in
  another currency is converted at the commit's marks. What is held and has no mark discards.
- The lots that are staged of a symbol add up to its staged position.
- What an account does not have cannot leave it, and no opening is assumed to make up for it.

Errors: `StoreError`, where the journal has to be read.
"""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Final

import msgspec

from bursar.desk.covering import require_covered
from bursar.desk.desk import Desk, Staged
from bursar.desk.transactions import keeping
from bursar.desk.transactions.rules import Against, Reason, Rules, TransactionReview, epsilon
from bursar.desk.transactions.staging import (
    Draft,
    StagedLotEdit,
    StagedPosition,
    joined,
    symbol_of,
)
from bursar.errors import Oversold
from bursar.exact import ZERO, money, trimmed
from bursar.ledger import audit, instant
from bursar.ledger.book import Book
from bursar.ledger.entries import StagedChange, StagedLine, StagedLot
from bursar.ledger.fold import apply
from bursar.ledger.lots.base import Lot, resized, units
from bursar.ledger.names import known_as
from bursar.value.convert import Missing, convert, find_path
from bursar.value.equity import Valuation, value_book
from bursar.value.marks import Marks

SKEW: Final = 5 * instant.SECOND
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")


class Judged(msgspec.Struct, frozen=True):
    """The judgement, and the staged change where there is something to write."""

    review: TransactionReview
    staged: Staged | None = None


class _Refused(Exception):
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@money
def judge(desk: Desk, drafts: tuple[Draft, ...], marks: Marks, rules: Rules) -> Judged:
    """Judge drafts, in their order, at the commit's marks."""
    review = TransactionReview(
        id=name_of(desk, drafts, rules),
        version=desk.head.version,
        at=_moment(desk),
        epsilon=epsilon_of(desk, rules),
        claimed=joined(drafts).realized.delta,
    )
    staged: Staged | None = None
    try:
        entries = tuple(_entries(desk, drafts, marks, rules, review))
        review = msgspec.structs.replace(review, entries=entries)
        staged = _staged(desk, entries)
        book = desk.timeline.book if staged is None else staged.plan.book
        review = _measured(desk, book, marks, review)
        review = _compared(desk, joined(drafts), marks, rules, review)
    except _Refused as refused:
        reason, detail = refused.reason, refused.detail
        last = last_moment(desk)
        if reason is Reason.OVERSOLD and review.at < last:
            detail += f"; it is dated before the last fact, of {instant.show(last)}: see the clock"
        return Judged(msgspec.structs.replace(review, reason=reason, detail=detail))
    return Judged(_ruled(review, rules), staged)


def unjudged(
    desk: Desk, drafts: tuple[Draft, ...], rules: Rules, reason: Reason, *, version: int
) -> TransactionReview:
    """Return what can be said of a transaction that ended before it was judged."""
    return TransactionReview(
        id=name_of(desk, drafts, rules),
        version=version,
        at=desk.clock.now(),
        reason=reason,
        epsilon=epsilon_of(desk, rules),
    )


def name_of(desk: Desk, drafts: tuple[Draft, ...], rules: Rules) -> str:
    """Return the id of a transaction: by its key, or by what it says and what it says it of."""
    return name_at(desk.head.hash, drafts, rules)


def name_at(head: str, drafts: tuple[Draft, ...], rules: Rules) -> str:
    """Return the same for a journal that ends with the row of that hash."""
    if rules.key is not None:
        return keyed(rules)
    return f"{rules.account}:tx-{digest(drafts, rules, head)[:16]}"


def keyed(rules: Rules) -> str:
    """Return the id of a transaction that has a key."""
    return f"{rules.account}:tx-{rules.key}"


def epsilon_of(desk: Desk, rules: Rules) -> Decimal | None:
    """Return the ε of these rules, as far as it is known before anything is measured."""
    if rules.epsilon is not None or rules.previous is None or rules.against is Against.REMARKED:
        return rules.epsilon
    return epsilon(rules.previous, desk.timeline.terms.base)


def digest(drafts: tuple[Draft, ...], rules: Rules, beside: str = "") -> str:
    """Return a hash of what is staged and where it goes."""
    said = _ENCODER.encode([drafts, rules.account])
    return sha256(said + beside.encode()).hexdigest()


def _moment(desk: Desk) -> int:
    """Return now, or just after the last fact where clocks differ: what follows is later."""
    now, last = desk.clock.now(), last_moment(desk)
    return last + 1 if now <= last <= now + SKEW else now


def last_moment(desk: Desk) -> int:
    """Return when the last fact happened."""
    timeline = desk.timeline
    start = 0 if timeline.start is None else timeline.start.time
    return timeline.order[-1][0] if timeline.order else start


def _entries(
    desk: Desk, drafts: tuple[Draft, ...], marks: Marks, rules: Rules, review: TransactionReview
) -> Iterator[StagedChange]:
    """Make an entry of each draft; where lots are edited, on the lots that are there by then."""
    told = [draft for draft in drafts if not draft.is_idle]
    book = desk.timeline.book.fork() if any(draft.lots for draft in told) else None
    for number, draft in enumerate(told):
        lines = [line for line in draft.positions if line.quantity_delta]
        name = f"{review.id}/{number + 1}" if number else review.id
        entry = StagedChange(
            id=name,
            executed_at=review.at,
            account=rules.account,
            sequence=number,
            cash=draft.cash.delta,
            fees=draft.cash.fees,
            lines=tuple(_line(desk, line, marks, rules) for line in lines),
            claimed_realized=draft.realized.delta,
        )
        if book is not None:
            entry = msgspec.structs.replace(entry, lots=_edits(book, draft, entry))
            _fold(book, entry)
        yield entry


def _fold(book: Book, entry: StagedChange) -> None:
    try:
        apply(book, entry)
    except Oversold as error:
        raise _Refused(Reason.OVERSOLD, error.message) from None


def _line(desk: Desk, line: StagedPosition, marks: Marks, rules: Rules) -> StagedLine:
    """Price a delta per unit in base currency."""
    symbol, terms = symbol_of(line.symbol), desk.timeline.terms
    asset = _asset(desk, symbol.asset, rules)
    of = asset if line.price is None else symbol.quote or terms.base
    path = find_path(of, terms.base, marks=marks, cash=terms.cash)
    if isinstance(path, Missing):
        raise _Refused(Reason.MISSING_MARK, str(path))
    price = path.rate if line.price is None else convert(line.price, path)
    return StagedLine(asset, line.quantity_delta, price, line.strategy)


def _asset(desk: Desk, name: str, rules: Rules) -> str:
    return known_as(name, rules.account, desk.timeline.book.spellings)


def _edits(book: Book, draft: Draft, entry: StagedChange) -> tuple[StagedLot, ...]:
    """Return the edits of lots, refused if they do not add up to the staged position."""
    places: dict[str, dict[str, Lot]] = {}
    edits = []
    for number, told in enumerate(draft.lots):
        asset = known_as(symbol_of(told.symbol).asset, entry.account, book.spellings)
        if asset not in places:
            places[asset] = {lot.id: lot for lot in book.lots(entry.account, asset)}
        name = told.lot_id or f"{entry.id}/lot-{number + 1}"
        edits.append(_edited(places[asset], told, asset, name))
    for asset, lots in places.items():
        moved = units(lots.values()) - units(book.lots(entry.account, asset))
        staged = sum((line.quantity for line in entry.lines if line.asset == asset), ZERO)
        if moved != staged:
            said = f"lots change by {trimmed(moved)}, the position by {trimmed(staged)}"
            raise _Refused(Reason.LOTS_MISMATCH, f"{asset}: {said}")
    return tuple(edits)


def _edited(lots: dict[str, Lot], told: StagedLotEdit, asset: str, name: str) -> StagedLot:
    """Make an edit so among the lots that are there, and return it with what it leaves."""
    known = lots.pop(name, None)
    if (known is None) is not (told.action == "add"):
        said = "is not there" if known is None else "is there already"
        raise _Refused(Reason.UNKNOWN_LOT, f"{asset}: lot {name} {said}")
    if told.action == "remove":
        return StagedLot("remove", asset, name)
    there = known or Lot(name, 0, ZERO, ZERO)
    quantity = there.quantity if told.quantity is None else told.quantity
    cost = there.cost if told.cost is None else told.cost
    lots[name] = resized(there, quantity, cost)
    return StagedLot(told.action, asset, name, quantity, cost)


def _staged(desk: Desk, entries: tuple[StagedChange, ...]) -> Staged | None:
    if not entries:
        return None
    try:
        staged = desk.stage(entries)
        require_covered(desk.timeline, staged.plan)
        _require_owned(desk, staged.plan.book, entries)
    except Oversold as error:
        raise _Refused(Reason.OVERSOLD, error.message) from None
    return staged


def _require_owned(desk: Desk, book: Book, entries: tuple[StagedChange, ...]) -> None:
    """Refuse a sale that leaves an account owing what it may not sell short."""
    before = desk.timeline.book
    for entry in entries:
        for line in entry.lines:
            owed, was = (
                units(each.held(entry.account, line.asset).owed) for each in (book, before)
            )
            if owed > was and entry.account not in book.shorts:
                raise Oversold(f"{entry.account} lacks {trimmed(owed - was)} {line.asset}")


def _measured(desk: Desk, book: Book, marks: Marks, review: TransactionReview) -> TransactionReview:
    """Add what the book comes to at the marks."""
    valuation = _valued(desk, book, marks)
    realized = ZERO
    if review.entries:
        before, after = audit.totals(desk.timeline.book), audit.totals(book)
        fees = sum((entry.fees for entry in review.entries), ZERO)
        realized = after.realized - before.realized + fees
    used = {m.pair: m.price for a in valuation.assets if a.path for m in a.path.marks}
    return msgspec.structs.replace(
        review,
        cash=valuation.cash,
        positions=valuation.equity - valuation.cash,
        total=valuation.equity,
        realized=realized,
        marks=dict(sorted(used.items())),
    )


def _valued(desk: Desk, book: Book, marks: Marks) -> Valuation:
    valuation = value_book(book, marks, now=desk.clock.now())
    if valuation.unvalued:
        raise _Refused(Reason.MISSING_MARK, ", ".join(map(str, valuation.unvalued)))
    return valuation


def _compared(
    desk: Desk, draft: Draft, marks: Marks, rules: Rules, review: TransactionReview
) -> TransactionReview:
    """Add with what the total is compared, and how far it is from that."""
    assert review.total is not None, "the book was measured"
    declared = ZERO
    if rules.against is Against.REMARKED:
        previous = _valued(desk, desk.timeline.book, marks).equity
        declared = draft.cash.declared
    else:
        previous = _previous(desk, marks) if rules.previous is None else rules.previous
    return msgspec.structs.replace(
        review,
        previous_equity=previous,
        delta=abs(review.total - previous - declared),
        epsilon=epsilon(previous, desk.timeline.terms.base)
        if rules.epsilon is None
        else rules.epsilon,
    )


def _previous(desk: Desk, marks: Marks) -> Decimal:
    """Return what the last transaction came to, or else what the book does at the marks."""
    known = keeping.equity(desk)
    return _valued(desk, desk.timeline.book, marks).equity if known is None else known


def _ruled(review: TransactionReview, rules: Rules) -> TransactionReview:
    """Give the verdict on what is known by now."""
    assert review.delta is not None, "the total was compared"
    assert review.epsilon is not None, "the total was compared"
    replace = msgspec.structs.replace
    if rules.strict and review.claim_difference:
        detail = f"claimed {review.claimed}, the lots say {review.realized}"
        return replace(review, reason=Reason.CLAIM_DIFFERS, detail=detail)
    if review.delta > review.epsilon:
        return replace(review, reason=Reason.VALIDATION_FAILED)
    return review
