"""External activity: manual trades and capital flows of which nobody was told yet.

What a sync finds waits in a memo that lands with it, until somebody tells it. So it outlives a sync
that dies, and of several that follow one account the first that comes to it tells all, once.

Errors: what the store raises.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec

from bursar.events.outgoing import ExternalActivity
from bursar.exact import ZERO, money, percent18
from bursar.ledger import instant
from bursar.ledger.course import Course
from bursar.ledger.entries import CAPITAL, MANUAL, CashFlow, Fill
from bursar.ledger.facts import Fact
from bursar.ledger.fold.booking import tag_of
from bursar.portfolio.events import saying
from bursar.portfolio.log import LOG
from bursar.portfolio.portfolio import Portfolio
from bursar.ports import PortfolioStore

Untold = dict[str, Decimal]
"""What each fact was first worth, in base currency."""

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Untold)


def further(store: PortfolioStore, account: str, course: Course) -> saying.Memos:
    """Return the memo of what nobody will have been told of once that has landed, if it changes.
    Whoever keeps it reads and keeps `alone`.

    What was worth something before, and was told then, is not told again when that changes.
    """
    before = _untold(store, account)
    gone = {fact.id: _worth(fact) for fact in course.removed}
    kept = {name: worth for name, worth in before.items() if name not in gone}
    told = {name for name, worth in gone.items() if worth and name not in before}
    worths = {fact.id: _worth(fact) for fact in course.added if fact.id not in told}
    after = kept | {name: worth for name, worth in worths.items() if worth}
    return {} if after == before else {_name(account): _ENCODER.encode(after).decode()}


@money
def tell(
    portfolio: Portfolio, account: str, equity: Callable[[], Decimal], *, above: Decimal
) -> Decimal | None:
    """Return what nobody was told of yet, as percent of equity, and tell it if that is `above`.

    It may be of another sync, which has died or has yet to tell.
    """
    store = portfolio.desk.store
    if not _untold(store, account):
        return None
    whole = equity()
    with portfolio.writer.alone():  # else two of them would tell the same
        moved = sum(_untold(store, account).values(), ZERO)
        share = percent18(moved, whole) if moved and whole > 0 else None
        memos = saying.Memos({_name(account): None})
        if share is not None and share > above:
            now = portfolio.desk.clock.now()
            told = ExternalActivity(
                account=account, percent=share, worth=moved, timestamp=instant.show(now)
            )
            memos |= saying.memo_of(store, "portfolio.external_activity", told, at=now)
        store.save_memos(memos)
    if share is not None and share > above:
        LOG.warning("EXTERNAL_ACTIVITY", percent=str(share), worth=str(moved))
    return share


def _untold(store: PortfolioStore, account: str) -> Untold:
    return _DECODER.decode(store.memo(_name(account)) or "{}")


def _name(account: str) -> str:
    return f"untold {account}"


def _worth(fact: Fact) -> Decimal:
    """Return the worth of a manual trade or of a capital flow, as far as it is known."""
    if isinstance(fact, Fill) and tag_of(fact.strategy) == MANUAL:
        return abs(fact.value or ZERO)
    if isinstance(fact, CashFlow) and fact.kind in CAPITAL:
        return abs(fact.value or ZERO)
    return ZERO
