"""Notes entered by hand: the price of an asset, who did a trade, two ends of one transfer."""

from typing import Final

import msgspec

from bursar.desk import Desk
from bursar.errors import BadChoice
from bursar.exact import money, number, plain, unsigned
from bursar.ledger import instant
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Fill,
    Link,
    MarginFill,
    Price,
    Source,
    Tag,
)
from bursar.ledger.facts import Fact
from bursar.ledger.names import canonical
from bursar.ledger.notes import linked as joined
from bursar.ledger.timeline import Timeline
from bursar.portfolio.hand.words import (
    NOW,
    Correction,
    Number,
    Time,
    asset_of,
    at,
    doubts,
    found,
    fresh_id,
    label_of,
)

PRICES: Final = "hand:prices"


@money
def priced(
    desk: Desk, asset: str, time: Time, value: Number, quote: str | None = None
) -> Correction:
    """State what one unit of an asset was worth, by default in base currency.

    It goes before the price that a file gives for the same instant.

    Raises:
        BadChoice: another price of that asset and instant stands; it is to be taken back first.
    """
    timeline, worth = desk.timeline, number(value, field="price")
    if worth < 0:
        raise BadChoice(f"price: {plain(worth)} is below zero", field="price")
    entry = Price(
        id="",
        executed_at=at(desk, time),
        account=PRICES,
        asset=asset_of(timeline, PRICES, asset),
        quote=asset_of(timeline, PRICES, quote or timeline.terms.base),
        value=worth,
    )
    prices = timeline.notes.prices
    is_idle = entry.asset in prices.cash and (entry.quote in prices.cash or not worth)
    if is_idle or canonical(entry.asset) == canonical(entry.quote):
        raise BadChoice(f"a price of {entry.asset} in {entry.quote} says nothing", field="quote")
    for known in prices.told(prices.of(entry), entry.executed_at):
        if (canonical(known.quote), known.value) == (canonical(entry.quote), entry.value):
            return Correction(known.id, (known,), is_known=True)
        raise BadChoice(
            f"{known.asset} is {plain(known.value)} {known.quote} at that instant already, says"
            f" {known.id}; reverse that first",
            id=known.id,
        )
    remarks = [each for each in doubts(desk, entry, (entry.asset,)) if PRICES not in each]
    name = fresh_id(timeline, entry)
    made = msgspec.structs.replace(entry, id=name)
    return Correction(name, (made,), remarks=tuple(remarks))


def tagged(
    desk: Desk, text: str, *, strategy: str | None = None, regime: str | None = None
) -> Correction:
    """Say who did a trade, and in which regime. It goes before whatever was said earlier.

    Raises:
        EntryNotFound: no such entry.
        BadChoice: it is no trade, or nothing is said of it.
    """
    name = found(desk.timeline, text)
    fact = desk.timeline.facts.get(name)
    if not isinstance(fact, Fill | MarginFill):
        raise BadChoice(f"{name} is no trade{_gone(desk.timeline, name)}", id=name)
    strategy, regime = label_of(strategy, "strategy"), label_of(regime, "regime")
    if not (strategy or regime):
        raise BadChoice("a tag says a strategy, a regime, or both", id=name)
    if all(said in (None, had) for said, had in ((strategy, fact.strategy), (regime, fact.regime))):
        tags = desk.timeline.notes.tags(name)
        known: tuple[AnyEntry, ...] = tuple(tags[:1])
        said_by = known[0].id if known else name
        return Correction(said_by, known, is_known=True, remarks=(f"{name} says so already",))
    tag = Tag(
        id="",
        executed_at=at(desk, NOW),
        account=fact.account,
        source=Source.LEDGER,
        target=name,
        strategy=strategy,
        regime=regime,
    )
    made = msgspec.structs.replace(tag, id=fresh_id(desk.timeline, tag))
    return Correction(made.id, (made,))


@money
def linked(desk: Desk, one: str, other: str) -> Correction:
    """Say that a withdrawal and a deposit, in either order, are two ends of one transfer.

    What left and did not arrive is the fee.

    Raises:
        EntryNotFound: no such entry.
        BadChoice: the two do not fit, or one of them is linked already.
    """
    timeline = desk.timeline
    names = [found(timeline, text) for text in (one, other)]
    link = timeline.notes.link(names[0])
    if link is not None and {link.withdrawal, link.deposit} == set(names):
        return Correction(link.id, (link,), is_known=True)
    for name in names:
        held = timeline.notes.link(name)
        if held is not None:
            raise BadChoice(f"{name} is an end of {held.id}; reverse that first", id=held.id)
    flows = [_flow(timeline, name) for name in names]
    out, back = sorted(flows, key=lambda flow: flow.amount)
    made = Link(
        id="",
        executed_at=at(desk, NOW),
        account=out.account,
        withdrawal=out.id,
        deposit=back.id,
    )
    made = msgspec.structs.replace(made, id=fresh_id(timeline, made))
    if joined(made, out, back) is None:
        raise BadChoice(
            f"{_told(out)} and {_told(back)} are not two ends of one transfer: what leaves must be"
            " at least what arrives, of one asset"
        )
    return Correction(made.id, (made,))


def _flow(timeline: Timeline, name: str) -> CashFlow:
    fact: Fact | None = timeline.facts.get(name)
    if isinstance(fact, CashFlow):
        if fact.reversed_by is not None:
            raise BadChoice(f"{name} was taken back by {fact.reversed_by}", id=name)
        return fact
    raise BadChoice(f"{name} is no deposit or withdrawal{_gone(timeline, name)}", id=name)


def _gone(timeline: Timeline, name: str) -> str:
    if timeline.notes.reversal(name) is not None:
        return ": it was taken back"
    rows = [fact.id for fact in timeline.facts.values() if name in fact.rows]
    return f": it is a part of {rows[0]}" if rows and rows[0] != name else ""


def _told(flow: CashFlow) -> str:
    when = instant.show(flow.executed_at)
    return f"{flow.kind.value} {plain(unsigned(flow.amount))} {flow.asset} of {when}"
