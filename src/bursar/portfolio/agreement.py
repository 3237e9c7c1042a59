"""Agreement: the last statement of each account, and whether the book still says the same.

Statement, alarm and certificate are kept, so whether a venue agrees is known after a restart and
without a network. A statement is compared with the book as it was at the statement's instant, so
what has happened since is no difference. `compared` is enough to raise an alarm and costs little;
`reconciled` accounts for every row and needs the whole journal.

Errors: `StoreCorrupt` for what was changed after it was kept.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.errors import BadChoice, BreakNotFound, StaleVersion
from bursar.events.outgoing import DriftState
from bursar.exact import ZERO, money
from bursar.ledger import instant
from bursar.ledger.book import POOL
from bursar.ledger.entries import Fill, MarginFill, Movement, MovementKind, Transfer
from bursar.ledger.names import canonical
from bursar.ledger.past import book_until
from bursar.ledger.timeline import Timeline
from bursar.portfolio.events import saying
from bursar.portfolio.kept import of_head
from bursar.portfolio.log import LOG
from bursar.reconcile import (
    Alarm,
    Certificate,
    Comparison,
    Leveraged,
    Limits,
    Ours,
    Proposal,
    Reconciliation,
    Signal,
    Statement,
    certify,
    compare,
    heard,
    ours_of,
    reconcile,
)
from bursar.reconcile import alarm as alarms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.ledger.facts import Fact
    from bursar.portfolio.portfolio import Portfolio

_STATEMENT: Final = "statement "
_ALARM: Final = "alarm "
_CERTIFICATE: Final = "certificate "
_BEGUN: Final = "begun "
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_STATEMENTS: Final = msgspec.json.Decoder(Statement)
_CERTIFICATES: Final = msgspec.json.Decoder(Certificate)


def latest(portfolio: Portfolio, account: str) -> int:
    """Return the instant of an account's last fact; 0 where there is none. O(facts after it)."""
    for at, *_, name in reversed(portfolio.desk.timeline.order):
        fact = portfolio.desk.timeline.facts[name]
        there = fact.to_account if isinstance(fact, Transfer) else fact.account
        if account in {fact.account, there} or fact.account == POOL:
            return at
    return 0


def remember(
    portfolio: Portfolio,
    statement: Statement,
    known: int | None = None,
    leveraged: Sequence[Leveraged] | None = None,
) -> None:
    """Keep a statement in the place of the account's last one.

    What the book had of the account when the venue was asked, up to `known` (else: has by now),
    had happened when it spoke, whatever our clock says; of another account, which may reach ahead
    of now, it says nothing. Where nobody asked what is `leveraged`, what was last told of that
    stays, and is of now where the book still has the same.
    """
    happened = latest(portfolio, statement.account) if known is None else known
    kept = msgspec.structs.replace(statement, as_of=max(statement.as_of, happened))
    before = last_statement(portfolio, statement.account)
    if leveraged is not None:
        kept = msgspec.structs.replace(kept, leveraged=tuple(leveraged), leveraged_at=kept.as_of)
    elif before is not None:
        is_same = not is_leverage_due(portfolio, statement.account)
        at = kept.as_of if is_same and before.leveraged_at is not None else before.leveraged_at
        kept = msgspec.structs.replace(kept, leveraged=before.leveraged, leveraged_at=at)
    text = _ENCODER.encode(kept).decode()
    portfolio.desk.store.save_memos({f"{_STATEMENT}{statement.account}": text})
    portfolio.told_version += 1


def without_rows(portfolio: Portfolio, account: str) -> list[Movement]:
    """Return a row for each holding that no row of a venue's own ledger has ever told of, at the
    first statement beside such rows.

    The venue no longer tells how it came. The row moves nothing and states the balance, from which
    an opening follows, marked as assumed. What a later statement is the first to name was not there
    before; its rows are late, or there are none, and either way it differs. Where a venue states no
    balances, nothing follows.
    """
    statement, timeline = last_statement(portfolio, account), portfolio.desk.timeline
    known = {canonical(asset) for asset in timeline.firsts.assets(account)}
    if statement is None or not known or portfolio.desk.store.memo(f"{_BEGUN}{account}"):
        return []
    book = timeline.book
    places = {*book.holdings, *book.balances}  # where lots are pooled, holdings are everybody's
    held = {canonical(asset) for place, asset in places if place == account}
    return [
        Movement(
            id=f"{account}:stated:{each.code}",
            executed_at=statement.as_of,
            account=account,
            kind=MovementKind.ADJUSTMENT,
            asset=each.asset,
            amount=ZERO,
            balance=each.total,
            code=each.code,
            pocket=each.pocket,
            note="the venue states it, and no row of its ledger tells how it came",
        )
        for each in statement.holdings
        if each.total > 0 and canonical(each.asset) not in known | held
    ]


def begin(portfolio: Portfolio, account: str) -> None:
    """Remember that what lay in an account without any row has been opened, once there are rows."""
    name, store = f"{_BEGUN}{account}", portfolio.desk.store
    if portfolio.desk.timeline.firsts.assets(account) and not store.memo(name):
        store.save_memos({name: instant.show(portfolio.desk.clock.now())})


def last_statement(portfolio: Portfolio, account: str) -> Statement | None:
    """Return the last statement of an account, if there is one."""
    text = statement_text(portfolio, account)
    return None if text is None else _STATEMENTS.decode(text)


def statement_text(portfolio: Portfolio, account: str) -> str | None:
    """Return the last statement of an account as it is kept: the same text, the same statement."""
    return portfolio.desk.store.memo(f"{_STATEMENT}{account}")


def open_pairs(portfolio: Portfolio, account: str) -> list[str]:
    """Return the pairs of an account that fills have ever moved on leverage, by name."""
    return sorted(pair for place, pair in portfolio.book().margins if place == account)


@money
def is_leverage_due(portfolio: Portfolio, account: str) -> bool:
    """Tell whether the venue is to be asked what is leveraged though nothing new has happened:
    what it last said is not what the book has, or it never said anything of what there is.
    """
    statement = last_statement(portfolio, account)
    if statement is None or statement.leveraged_at is None:
        return statement is None or bool(open_pairs(portfolio, account))
    margins = portfolio.book().margins
    stated = {each.pair: each.quantity for each in statement.leveraged}
    return any(
        margin.quantity != stated.get(pair, margin.quantity)
        for (place, pair), margin in margins.items()
        if place == account
    ) or any(quantity and (account, pair) not in margins for pair, quantity in stated.items())


def last_certificate(portfolio: Portfolio, account: str) -> Certificate | None:
    """Return the last certificate of an account, if there is one."""
    text = portfolio.desk.store.memo(f"{_CERTIFICATE}{account}")
    return None if text is None else _CERTIFICATES.decode(text)


def stated(portfolio: Portfolio) -> list[str]:
    """Return the accounts of which a statement is kept, by name."""
    memos = portfolio.desk.store.memos(_STATEMENT)
    return sorted(name.removeprefix(_STATEMENT) for name in memos)


@money
def reserved(portfolio: Portfolio) -> dict[tuple[str, str], Decimal]:
    """Return what open orders hold by account and asset, as the last statements tell it."""
    held: dict[tuple[str, str], Decimal] = {}
    for account in stated(portfolio):
        statement = last_statement(portfolio, account)
        for each in () if statement is None else statement.holdings:
            if each.reserved:
                held[account, each.asset] = held.get((account, each.asset), ZERO) + each.reserved
    return held


def compared(portfolio: Portfolio, account: str, limits: Limits) -> Comparison:
    """Compare an account with its last statement. O(keys + facts since the statement)."""
    statement, book = _comparable(portfolio, account), portfolio.book()
    if statement is not None:
        timeline = _reaching(portfolio, statement.as_of)
        if timeline.order and timeline.order[-1][0] > statement.as_of:
            book = book_until(timeline, statement.as_of)
    return compare(
        statement,
        Ours(account=account, book=book),
        marks=portfolio.marks(),
        limits=limits,
        options=portfolio.options,
    )


def reconciled(
    portfolio: Portfolio, account: str, limits: Limits, *, is_whole: bool = False
) -> Reconciliation:
    """Account for every difference between an account and its last statement. O(rows).

    With `is_whole` somebody says that the account's rows reach back to its first day. It is worked
    out once while book and statement stand; where something differs, once while the marks stand,
    since they say what that is worth.
    """
    asked = account, statement_text(portfolio, account), limits, is_whole
    known = of_head(portfolio).agreed
    told, found = known.get(asked, (None, None))
    if found is None or not (found.is_clean or told == portfolio.told_version):
        found = _reconciled(portfolio, account, limits, is_whole=is_whole)
        known[asked] = portfolio.told_version, found
    return found


def _reconciled(
    portfolio: Portfolio, account: str, limits: Limits, *, is_whole: bool
) -> Reconciliation:
    statement = _comparable(portfolio, account)
    as_of = portfolio.desk.clock.now() if statement is None else statement.as_of
    seq = portfolio.desk.head.seq
    ours = ours_of(portfolio.timeline, account, as_of, is_whole=is_whole, seq=seq)
    marks, options = portfolio.marks(), portfolio.options
    return reconcile(statement, ours, marks=marks, limits=limits, options=options)


def certified(portfolio: Portfolio, found: Reconciliation) -> Certificate:
    """Keep the certificate of a reconciliation, and return it."""
    account = found.comparison.account
    made = certify(found, portfolio.digest())
    text = _ENCODER.encode(made).decode()
    portfolio.desk.store.save_memos({f"{_CERTIFICATE}{account}": text})
    return made


def sound(portfolio: Portfolio, found: Comparison) -> Signal:
    """Take in a comparison: tell what there is to tell, and remember what was told."""
    if not _heard(portfolio, found)[1]:
        return Signal.NONE
    with portfolio.writer.alone():  # else two processes would tell the same
        signal, kept = _heard(portfolio, found)
        portfolio.desk.store.save_memos(kept)
    if signal in {Signal.FLAGGED, Signal.NOTIFY}:
        told = {asset: str(difference) for asset, difference in _off(found).items()}
        LOG.warning("PORTFOLIO_DRIFT", account=found.account, signal=signal.value, assets=told)
    return signal


def _heard(portfolio: Portfolio, found: Comparison) -> tuple[Signal, saying.Memos]:
    """Return what there is to tell, and the memos by which it is told and remembered."""
    store, now, name = portfolio.desk.store, portfolio.desk.clock.now(), f"{_ALARM}{found.account}"
    text = store.memo(name)
    before = Alarm() if text is None else alarms.decode(text)
    after, signal = heard(before, found, now=now)
    kept: saying.Memos = {name: alarms.encode(after)} if after != before else {}
    if signal is not Signal.NONE:
        state = DriftState(
            account=found.account,
            signal=signal.value,
            assets=_off(found) if found.drift else {},
            timestamp=instant.show(now),
        )
        kept |= saying.memo_of(store, "portfolio.drift", state, at=now)
    return signal, kept


def _off(found: Comparison) -> dict[str, Decimal]:
    off = {line.asset: line.difference for line in found.assets if line.is_out}
    return off | {line.pair: line.difference for line in found.positions if line.is_out}


def alarms_told(portfolio: Portfolio) -> dict[str, Alarm]:
    """Return how the alarm of each account stands, of those whose statement was ever compared."""
    kept = portfolio.desk.store.memos(_ALARM)
    return {name.removeprefix(_ALARM): alarms.decode(text) for name, text in kept.items()}


def accept(portfolio: Portfolio, found: Reconciliation, which: int | str) -> Proposal:
    """Enter the proposal of a break, by its number or its id. `reverse` takes it back.

    Raises:
        BadChoice, BreakNotFound: as `chosen`.
        StaleVersion: another writer was first, and may have closed it; look again.
    """
    proposal = chosen([found], which)
    desk = portfolio.writer
    try:
        desk.submit(proposal.entries)
    except StaleVersion:
        desk.catch_up()
        raise
    return proposal


def chosen(found: Sequence[Reconciliation], which: int | str) -> Proposal:
    """Return what closes a break: by its number among these, the first being 1, or by its id, which
    stays the same whatever else opens and closes.

    Raises:
        BadChoice: there is no break of that number.
        BreakNotFound: there is none of that id now, or nothing is proposed for it.
    """
    proposals = [proposal for each in found for proposal in each.proposals]
    if isinstance(which, str):
        for each in proposals:
            if each.break_id == which:
                return each
        account = ", ".join(each.comparison.account for each in found)
        raise BreakNotFound(
            f"nothing is proposed for a break {which!r} of {account}; it may be closed already",
            account=account,
        )
    if not 0 < which <= len(proposals):
        there = f"1 to {len(proposals)}" if proposals else "none"
        raise BadChoice(f"there is no break number {which}; there are {there}", value=which)
    return proposals[which - 1]


def _comparable(portfolio: Portfolio, account: str) -> Statement | None:
    """Return the last statement of an account, without what it says of leverage where a position
    was moved between then and the statement. O(facts since).
    """
    statement = last_statement(portfolio, account)
    if statement is None or statement.leveraged_at in {None, statement.as_of}:
        return statement
    timeline = _reaching(portfolio, statement.leveraged_at)
    for at, *_, name in reversed(timeline.order):
        if at <= statement.leveraged_at:
            break
        fact = timeline.facts[name]
        if at <= statement.as_of and fact.account == account and _moves_position(fact):
            return msgspec.structs.replace(statement, leveraged=(), leveraged_at=None)
    return statement


def _moves_position(fact: Fact) -> bool:
    return isinstance(fact, MarginFill) or (isinstance(fact, Fill) and fact.delivers)


def _reaching(portfolio: Portfolio, at: int) -> Timeline:
    here = portfolio.desk.timeline
    return portfolio.timeline if here.is_behind(at) else here
