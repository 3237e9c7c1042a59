"""Writing: what each POST does, in the keeper's thread, under an idempotency key.

A request that changes something says a key of its own in `Idempotency-Key`. The same request under
the same key is done once and answered again (200 instead of 201, `repeated` is true); another one
under it is refused (409). With `preview=true` nothing is written and no key is needed.

A transaction that does not hold is no error of the protocol: it is answered with 422, `valid` false
and the reason, and nothing is written.

Errors: those of the verbs; `BadChoice` for a key that is missing or none.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from bursar.desk import Desk
from bursar.desk.transactions import State, TransactionReview
from bursar.desk.transactions.keeping import KEY
from bursar.desk.transactions.prices import marks_of
from bursar.errors import BadChoice, KeyReused
from bursar.ledger.golden import write_line
from bursar.portfolio import agreement, hand, transaction_file, weights_file
from bursar.portfolio.document import document
from bursar.portfolio.once import MEMO, Done, once
from bursar.portfolio.portfolio import Portfolio
from bursar.portfolio.service import PortfolioService
from bursar.portfolio.transaction_file import ToldTransaction

_KEY: Final = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
DONE, MADE, REFUSED = 200, 201, 422


class ToldEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A deed entered by hand, in the words of `bursar add`: docs/CORRECTIONS.md."""

    verb: str
    quantity: Decimal
    what: str
    price: Decimal | None = None
    amount: Decimal | None = None
    fee: tuple[str, ...] = ()
    worth: Decimal | None = None
    cost: Decimal | None = None
    time: str | None = None
    account: str | None = None
    to: str | None = None
    strategy: str | None = None
    regime: str | None = None
    note: str | None = None


class ToldPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one unit of an asset was worth at a time; by default in base currency."""

    asset: str
    time: str
    price: Decimal
    quote: str | None = None


class ToldTag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who did a trade, and in which state of the market."""

    id: str
    strategy: str | None = None
    regime: str | None = None


class ToldLink(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A withdrawal and a deposit that are the two ends of one transfer."""

    one: str
    other: str


class ToldReversal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be taken back; with `time`, a flow stood until then."""

    id: str
    time: str | None = None
    note: str | None = None


class ToldAcceptance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A break of `breaks` whose proposal is to be entered: its account and its id."""

    account: str
    id: str


class Corrected(msgspec.Struct, frozen=True):
    """What a correction came to: the id it stands under, and the portfolio's version after it.

    One that was repeated may have been reversed since; then `taken_back_by` is the reversal's id.
    """

    id: str
    written: bool
    repeated: bool
    version: int
    remarks: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    restated: tuple[str, ...] = ()
    taken_back_by: str | None = None


class Judged(msgspec.Struct, frozen=True):
    """What a transaction comes to at its marks, and whether it was written.

    One whose key was answered before may have been reversed since; then `taken_back_by` is the
    reversal's id.
    """

    id: str
    written: bool
    repeated: bool
    valid: bool
    reason: str | None
    detail: str
    version: int
    cash: Decimal | None
    positions: Decimal | None
    total: Decimal | None
    previous_equity: Decimal | None
    delta: Decimal | None
    epsilon: Decimal | None
    realized: Decimal | None
    claimed: Decimal | None
    claim_difference: Decimal | None
    entries: tuple[str, ...]
    marks: Mapping[str, Decimal]
    taken_back_by: str | None


class Asked(msgspec.Struct, frozen=True):
    """A request to write: its route, its body, its key, and whether it is only to be looked at."""

    route: str
    body: bytes
    key: str | None
    is_preview: bool


class Answered(msgspec.Struct, frozen=True):
    """An answer and its status."""

    status: int
    body: msgspec.Struct


_Make = Callable[[Desk], hand.Correction]


def entry(service: PortfolioService, asked: Asked) -> Answered:
    """Enter a deed."""
    told = document(asked.body, ToldEntry, "entry")
    details: hand.Details = {
        "price": told.price,
        "amount": told.amount,
        "fee": told.fee,
        "worth": told.worth,
        "cost": told.cost,
        "time": told.time,
        "account": told.account,
        "to": told.to,
        "strategy": told.strategy,
        "regime": told.regime,
        "note": told.note,
        "again": True,  # the key says which deeds are one
    }
    return _correct(
        service.portfolio,
        asked,
        lambda desk: hand.entered(desk, told.verb, told.quantity, told.what, details),
    )


def price(service: PortfolioService, asked: Asked) -> Answered:
    """Record a price."""
    told = document(asked.body, ToldPrice, "price")
    return _correct(
        service.portfolio,
        asked,
        lambda desk: hand.priced(desk, told.asset, told.time, told.price, told.quote),
    )


def tag(service: PortfolioService, asked: Asked) -> Answered:
    """Tag a trade."""
    told = document(asked.body, ToldTag, "tag")
    return _correct(
        service.portfolio,
        asked,
        lambda desk: hand.tagged(desk, told.id, strategy=told.strategy, regime=told.regime),
    )


def link(service: PortfolioService, asked: Asked) -> Answered:
    """Link two flows."""
    told = document(asked.body, ToldLink, "link")
    return _correct(service.portfolio, asked, lambda desk: hand.linked(desk, told.one, told.other))


def reversal(service: PortfolioService, asked: Asked) -> Answered:
    """Take something back."""
    told = document(asked.body, ToldReversal, "reversal")
    return _correct(
        service.portfolio,
        asked,
        lambda desk: hand.reversed_(desk, told.id, time=told.time, note=told.note),
    )


def transaction(service: PortfolioService, asked: Asked) -> Answered:
    """Stage a transaction, judge it at its marks, and commit it if it holds."""
    told, portfolio = transaction_file.read_text(asked.body), service.portfolio
    if not asked.is_preview:
        told = _keyed(told, asked)
        _require_free(portfolio, MEMO, told.idempotency_key)
    base, now = portfolio.terms.base, portfolio.desk.clock.now()
    marks = marks_of(told.mark_prices, base, now)
    if asked.is_preview:
        with transaction_file.begun(portfolio, told) as staged:
            transaction_file.stage(told, staged)
            seen = staged.review(marks)
            staged.drop()
        return Answered(DONE, _judged(seen, portfolio, is_written=False, is_repeat=False))
    made = transaction_file.committed(portfolio, told, marks)
    found, is_written = made.review_made, made.state is State.COMMITTED
    assert found is not None, "what was committed or discarded was judged"
    is_new = is_written and not made.is_repeat
    answer = _judged(found, portfolio, is_written=is_new, is_repeat=made.is_repeat)
    return Answered(MADE if is_new else DONE if is_written else REFUSED, answer)


def acceptance(service: PortfolioService, asked: Asked) -> Answered:
    """Enter what closes a break. `reversals` takes it back."""
    told, portfolio = document(asked.body, ToldAcceptance, "acceptance"), service.portfolio

    def made(_: Desk) -> hand.Correction:
        found = agreement.reconciled(portfolio, told.account, service.rules.limits)
        entries = agreement.chosen([found], told.id).entries
        return hand.Correction(entries[0].id, entries)

    return _correct(portfolio, asked, made)


def plan(service: PortfolioService, asked: Asked) -> Answered:
    """Work out what to trade to reach target weights. Nothing is written."""
    told = weights_file.read_json(asked.body)
    return Answered(DONE, service.portfolio.plan(told.allocation, policy=told.policy))


def require_key(key: str | None) -> str:
    """Read an idempotency key.

    Raises:
        BadChoice: there is none, or it is none.
    """
    if key is None:
        raise BadChoice(
            "the header Idempotency-Key is missing: a name of your own for this very request",
            field="Idempotency-Key",
        )
    if _KEY.fullmatch(key) is None:
        raise BadChoice(
            "Idempotency-Key: 1 to 100 letters, digits, - _ and .", field="Idempotency-Key"
        )
    return key


def _keyed(told: ToldTransaction, asked: Asked) -> ToldTransaction:
    key = told.idempotency_key if asked.key is None else require_key(asked.key)
    if told.idempotency_key not in {None, key}:
        raise KeyReused("the document and Idempotency-Key say different keys", key=key)
    return msgspec.structs.replace(told, idempotency_key=require_key(key))


def _correct(portfolio: Portfolio, asked: Asked, make: _Make) -> Answered:
    if asked.is_preview:
        desk = portfolio.corrector
        desk.catch_up()
        correction = make(desk)
        seen = hand.preview(desk, hand.stage(desk, correction))
        answer = Corrected(
            id=correction.id,
            written=False,
            repeated=correction.is_known,
            version=desk.head.version,
            remarks=correction.remarks,
            statements=seen.statements,
            restated=seen.review.restated,
        )
        return Answered(DONE, answer)
    said, key = asked.route.encode() + b"\n" + asked.body, require_key(asked.key)
    _require_free(portfolio, KEY, key)
    done: Done = once(portfolio, key, said, make)
    answer = Corrected(
        id=done.id,
        written=not done.is_repeat,
        repeated=done.is_repeat,
        version=done.version,
        remarks=done.remarks,
        taken_back_by=done.taken_back_by,
    )
    return Answered(DONE if done.is_repeat else MADE, answer)


def _require_free(portfolio: Portfolio, kind: str, key: str | None) -> None:
    """Refuse a key that stands for another kind of request: each keeps its keys under a name."""
    if portfolio.desk.store.memo(f"{kind}{key}") is not None:
        raise KeyReused(f"the key {key} stands for another request", key=key)


def _judged(
    seen: TransactionReview, portfolio: Portfolio, *, is_written: bool, is_repeat: bool
) -> Judged:
    return Judged(
        id=seen.id,
        written=is_written,
        repeated=is_repeat,
        valid=seen.is_valid,
        reason=None if seen.reason is None else seen.reason.value,
        detail=seen.detail,
        version=portfolio.desk.head.version,
        cash=seen.cash,
        positions=seen.positions,
        total=seen.total,
        previous_equity=seen.previous_equity,
        delta=seen.delta,
        epsilon=seen.epsilon,
        realized=seen.realized,
        claimed=seen.claimed,
        claim_difference=seen.claim_difference,
        entries=tuple(write_line(each) for each in seen.entries),
        marks=seen.marks,
        taken_back_by=seen.taken_back_by,
    )
