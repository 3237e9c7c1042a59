"""Deeds entered by hand: flows, trades, and transfers between the user's own accounts."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from bursar.desk import Desk
from bursar.errors import BadChoice
from bursar.exact import money, number, product18
from bursar.ledger.entries import (
    CAPITAL,
    INCOME,
    AnyEntry,
    CashFlow,
    Fill,
    FlowKind,
    Side,
    Transfer,
)
from bursar.portfolio.hand.words import (
    NOW,
    Correction,
    Details,
    Number,
    account_of,
    amount_of,
    asset_of,
    at,
    doubts,
    fees_of,
    label_of,
    named,
    worth_of,
)

_OUT: Final = frozenset({FlowKind.WITHDRAWAL, FlowKind.FEE})
_SIGNED: Final = INCOME | {FlowKind.ADJUSTMENT}
_FLOWS: Final = {kind.value: kind for kind in (FlowKind.DEPOSIT, FlowKind.WITHDRAWAL, FlowKind.FEE)}
_FLOWS.update({kind.value: kind for kind in FlowKind if kind in _SIGNED})
_SIDES: Final = {side.value: side for side in Side}
TRANSFER: Final = "transfer"
VERBS: Final = (*_SIDES, *_FLOWS, TRANSFER)


@money
def entered(desk: Desk, verb: str, quantity: Number, what: str, details: Details) -> Correction:
    """Read a deed: `deposit 1000 EUR`, `buy 0.5 XBT/EUR` with its price, `transfer 1 XBT`.

    Quantities have no sign: the verb says which way. Only income and an adjustment may be below
    zero, when it is taken back.

    Raises:
        InputError: naming the word that says nothing.
        KeyReused: an id that stands for something else.
    """
    if verb not in VERBS:
        raise BadChoice(f"{verb!r} is nothing to enter; one of {', '.join(VERBS)}", verb=verb)
    for name in details:
        if name not in Details.__annotations__:
            known = ", ".join(Details.__annotations__)
            raise BadChoice(f"{name} is no detail of a deed; there are {known}", field=name)
    _require_fitting(verb, details)
    entry: AnyEntry
    if verb in _SIDES:
        entry = _trade(desk, _SIDES[verb], quantity, what, details)
        assets: Iterable[str] = (entry.base, entry.quote)
    elif verb == TRANSFER:
        entry = _transfer(desk, quantity, what, details)
        assets = (entry.asset,)
    else:
        entry = _flow(desk, _FLOWS[verb], quantity, what, details)
        assets = (entry.asset,)
    is_now = details.get("time") in (None, NOW)
    return named(desk, entry, details, is_now=is_now, remarks=doubts(desk, entry, assets))


_INSTEAD: Final = {
    FlowKind.DEPOSIT: "what leaves is a withdrawal",
    FlowKind.WITHDRAWAL: "what comes is a deposit",
    FlowKind.FEE: "a fee that is paid back is a rebate",
}
_ONLY: Final[dict[str, frozenset[str]]] = {
    "price": frozenset(_SIDES),
    "amount": frozenset(_SIDES),
    "regime": frozenset(_SIDES),
    "strategy": frozenset({*_SIDES, *_FLOWS}),
    "to": frozenset({TRANSFER}),
    "cost": frozenset(kind.value for kind in CAPITAL if kind not in _OUT),
    "worth": frozenset({*_SIDES, *_FLOWS}),
    "fee": frozenset(VERBS) - {FlowKind.FEE.value},
}


def _require_fitting(verb: str, details: Details) -> None:
    """Refuse what cannot be said of a deed, rather than leave it out."""
    for field, verbs in _ONLY.items():
        if details.get(field) not in (None, (), "") and verb not in verbs:
            fitting = ", ".join(each for each in VERBS if each in verbs)
            raise BadChoice(f"{field} says nothing of a {verb}; only of {fitting}", field=field)


def _common(desk: Desk, details: Details) -> tuple[str, int]:
    return account_of(details.get("account")), at(desk, details.get("time"))


def _flow(desk: Desk, kind: FlowKind, quantity: Number, what: str, details: Details) -> CashFlow:
    account, when = _common(desk, details)
    asset = asset_of(desk.timeline, account, what)
    amount = _signed(kind, quantity)
    worth = _in_base(desk, details.get("worth"), "worth", asset)
    cost = _in_base(desk, details.get("cost"), "cost", asset)
    if cost is not None and amount < 0:
        raise BadChoice("cost says nothing of what goes out", field="cost")
    return CashFlow(
        id="",
        executed_at=when,
        account=account,
        kind=kind,
        asset=asset,
        amount=amount,
        fees=fees_of(desk.timeline, account, details.get("fee") or (), asset),
        strategy=label_of(details.get("strategy"), "strategy"),
        note=details.get("note"),
        value=None if worth is None else worth.copy_sign(amount),
        basis=cost,
    )


def _signed(kind: FlowKind, quantity: Number) -> Decimal:
    """Read a quantity and give it the sign of its kind."""
    if kind not in _SIGNED:
        amount = amount_of(quantity, "quantity", instead=_INSTEAD[kind])
        return -amount if kind in _OUT else amount
    amount = number(quantity, field="quantity")
    if not amount:
        raise BadChoice("quantity: 0 moves nothing", field="quantity")
    return amount


def _in_base(desk: Desk, said: Number | None, field: str, *assets: str) -> Decimal | None:
    """Read a worth or a cost in base currency, which money has at face."""
    money_ = [asset for asset in assets if asset in desk.timeline.terms.cash]
    if said is not None and money_:
        raise BadChoice(f"{field}: {money_[0]} counts at face", field=field)
    return worth_of(said, field)


def _trade(desk: Desk, side: Side, quantity: Number, what: str, details: Details) -> Fill:
    account, when = _common(desk, details)
    base, quote = (asset_of(desk.timeline, account, each) for each in _pair(what))
    units = amount_of(quantity, "quantity")
    price = worth_of(details.get("price"), "price")
    amount = worth_of(details.get("amount"), "amount")
    if amount is None and price is None:
        said = "a trade needs its price or its amount: @ 40000, or for 20000"
        raise BadChoice(said, field="price")
    if amount is None and price is not None:
        amount = product18(units, price)
    return Fill(
        id="",
        executed_at=when,
        account=account,
        base=base,
        quote=quote,
        side=side,
        quantity=units,
        amount=amount,
        price=price,
        fees=fees_of(desk.timeline, account, details.get("fee") or (), quote),
        strategy=label_of(details.get("strategy"), "strategy"),
        regime=label_of(details.get("regime"), "regime"),
        note=details.get("note"),
        value=_in_base(desk, details.get("worth"), "worth", base, quote),
    )


def _pair(what: str) -> tuple[str, str]:
    base, slash, quote = what.replace("-", "/").partition("/")
    if not (base and slash and quote):
        raise BadChoice(f"{what!r} is no pair; write it as XBT/EUR", pair=what)
    if base.upper() == quote.upper():
        raise BadChoice(f"{what!r} has one asset on both sides", pair=what)
    return base, quote


def _transfer(desk: Desk, quantity: Number, what: str, details: Details) -> Transfer:
    account, when = _common(desk, details)
    asset, to = asset_of(desk.timeline, account, what), details.get("to")
    if to is None or account_of(to) == account:
        raise BadChoice(f"a transfer leads from {account} to another account: --to", field="to")
    there = asset_of(desk.timeline, account_of(to), asset)
    return Transfer(
        id="",
        executed_at=when,
        account=account,
        asset=asset,
        quantity=amount_of(quantity, "quantity"),
        to_account=account_of(to),
        to_asset=None if there == asset else there,
        fees=fees_of(desk.timeline, account, details.get("fee") or (), asset),
        note=details.get("note"),
    )
