"""Writing entries and terms as lines."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from functools import cache
from typing import Final, assert_never

from bursar.exact import plain, product18
from bursar.ledger import instant
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    FlowKind,
    Leg,
    Link,
    MarginFill,
    Movement,
    Price,
    Rate,
    Rename,
    Reversal,
    SleeveTransfer,
    Source,
    Split,
    StagedChange,
    Tag,
    Transfer,
)
from bursar.ledger.golden.read import FOREIGN, OUTWARD
from bursar.ledger.golden.words import quote
from bursar.ledger.terms import Method, Scope, Terms

_TEXTS: Final = (
    "pair",
    "order_id",
    "strategy",
    "regime",
    "pocket",
    "to_pocket",
    "code",
    "label",
    "worth_asset",
)
_NUMBERS: Final = ("leverage", "value", "basis", "quote_rate", "worth")


def write(terms: Terms, entries: Iterable[AnyEntry]) -> Iterator[str]:
    """Write a whole text: terms, then one line a statement."""
    yield from write_terms(terms)
    for entry in entries:
        yield write_line(entry)


def write_terms(terms: Terms) -> Iterator[str]:
    """Write the `@` lines."""
    yield f"@ base {quote(terms.base)}"
    if terms.pegs is not None:
        yield " ".join(("@ pegs", *(quote(peg) for peg in terms.pegs)))
    if terms.method is not Method.WAC:
        yield f"@ method {terms.method.value}"
    if terms.scope is not Scope.ACCOUNT:
        yield f"@ scope {terms.scope.value}"
    if terms.strict:
        yield "@ strict"
    for account in terms.accounts:
        short = " short" if account.may_short else ""
        yield f"@ account {quote(account.name)} {account.source.value}{short}"


def write_line(entry: AnyEntry) -> str:
    """Write one statement, every field of it."""
    words = [instant.show(entry.executed_at), *_body(entry), "#" + quote(entry.id)]
    return "  ".join((*words, *_options(entry)))


def _body(entry: AnyEntry) -> Sequence[str]:  # noqa: C901, PLR0911, PLR0912 (one case a kind)
    match entry:
        case Fill():
            return _fill(entry)
        case CashFlow():
            amount = f"{_signed(entry, entry.amount)} {quote(entry.asset)}"
            verb = FOREIGN if entry.kind is FlowKind.TRANSFER else entry.kind.value
            return [verb, amount, *_fees(entry.fees)]
        case Movement():
            return _row(entry)
        case MarginFill():
            return _margin(entry)
        case Transfer():
            moved = f"{plain(entry.quantity)} {quote(entry.asset)} to {quote(entry.to_account)}"
            called = [] if entry.to_asset is None else ["as", quote(entry.to_asset)]
            return ["transfer", moved, *called, *_fees(entry.fees), *_fees(entry.to_fees, "to-fee")]
        case SleeveTransfer():
            way = f"from {quote(entry.from_strategy)} to {quote(entry.to_strategy)}"
            return ["sleeve", plain(entry.amount), *_named_before(entry.asset), way]
        case Conversion():
            exchange = f"{_legs(entry.given)} into {_legs(entry.taken)}"
            return ["convert", exchange, *_fees(entry.fees)]
        case Rename():
            counted = [] if entry.quantity is None else [plain(entry.quantity)]
            return ["rename", *counted, *_named_before(entry.asset), "to", quote(entry.to_asset)]
        case Split():
            units = f"{plain(entry.numerator)} for {plain(entry.denominator)}"
            return ["split", quote(entry.asset), units]
        case StagedChange():
            return _staged(entry)
        case Link():
            return ["link", f"{quote(entry.withdrawal)} to {quote(entry.deposit)}"]
        case Price():
            return ["price", f"{quote(entry.asset)} {plain(entry.value)} {quote(entry.quote)}"]
        case Tag():
            return ["tag", quote(entry.target)]
        case Reversal():
            return ["void" if entry.void else "reverse", quote(entry.target)]
        case _:  # pragma: no cover
            assert_never(entry)


def _fill(fill: Fill) -> list[str]:
    words = [fill.side.value, f"{plain(fill.quantity)} {quote(fill.base)}"]
    if fill.price is not None:
        words.append(f"@ {plain(fill.price)} {quote(fill.quote)}")
    implied = None if fill.price is None else product18(fill.quantity, fill.price)
    if not _same(fill.amount, implied):
        amount = "?" if fill.amount is None else plain(fill.amount)
        words.append(f"for {amount} {quote(fill.quote)}")
    if fill.delivers:
        words.append("settles")
    return [*words, *_fees(fill.fees)]


def _same(amount: Decimal | None, implied: Decimal | None) -> bool:
    if amount is None or implied is None:
        return False
    return plain(amount) == plain(implied)


def _signed(flow: AnyEntry, number: Decimal) -> str:
    """Write a number of a flow from the side that its verb takes: a withdrawal of 5 is 5."""
    outward = isinstance(flow, CashFlow) and flow.kind in OUTWARD
    return plain(number.copy_negate() if outward and number else number)


def _row(row: Movement) -> list[str]:
    words = ["row", row.kind.value, f"{plain(row.amount)} {quote(row.asset)}"]
    if row.fee:
        words.append(f"fee {plain(row.fee)}")
    if row.balance is not None:
        words.append(f"balance {plain(row.balance)}")
    return words


def _margin(fill: MarginFill) -> list[str]:
    words = ["margin"]
    if fill.side is not None:
        words += [fill.side.value, "?" if fill.quantity is None else plain(fill.quantity)]
    words.append(quote(fill.base))
    if fill.price is not None:
        words.append(f"@ {plain(fill.price)}")
    words.append(quote(fill.quote))
    if fill.closes:
        words.append("closes")
    if fill.settled is not None:
        words.append(f"settled {plain(fill.settled)}")
    return [*words, *_fees(fill.fees)]


def _staged(change: StagedChange) -> list[str]:
    words = ["staged"]
    if change.cash:
        words.append(f"cash {plain(change.cash)}")
    if change.fees:
        words.append(f"fees {plain(change.fees)}")
    if change.claimed_realized is not None:
        words.append(f"claim {plain(change.claimed_realized)}")
    for line in change.lines:
        by = f" by {quote(line.strategy)}" if line.strategy is not None else ""
        moved = f"{plain(line.quantity)} {quote(line.asset)} @ {plain(line.price)}"
        words.append(f"position {moved}{by}")
    for lot in change.lots:
        units = f"{plain(lot.quantity)} cost {plain(lot.cost)}"
        words.append(f"lot {lot.action} {quote(lot.asset)} {quote(lot.lot)} {units}")
    return words


def _named_before(asset: str | None) -> list[str]:
    """Write an asset, where one is told, that is not taken for the word which comes after it."""
    if asset is None:
        return []
    return [f'"{asset}"' if asset in {"from", "to"} else quote(asset)]


def _legs(legs: Sequence[Leg]) -> str:
    return " + ".join(
        f"{plain(leg.quantity)} {quote(leg.asset)}{_worth(leg.value)}" for leg in legs
    )


def _fees(fees: Sequence[Fee], name: str = "fee") -> list[str]:
    return [f"{name} {plain(fee.amount)} {quote(fee.asset)}{_worth(fee.value)}" for fee in fees]


def _worth(value: Decimal | None) -> str:
    return "" if value is None else f" worth {plain(value)}"


def _options(entry: AnyEntry) -> Iterator[str]:
    if entry.account != (entry.id.rpartition(":")[0] or "main"):
        yield f"account={quote(entry.account)}"
    if entry.source is not Source.CLAIM:
        yield f"source={entry.source.name.lower()}"
    if entry.sequence:
        yield f"sequence={entry.sequence}"
    if entry.group is not None:
        yield f"group={quote(entry.group)}"
    yield from _named(entry)
    yield from (f"flag={flag.value}" for flag in entry.flags)
    yield from (f"rows={quote(row)}" for row in entry.rows)
    if isinstance(entry, Fill):
        yield from (f"lot={quote(lot)}" for lot in entry.lots)
    yield from (f"rate={quote(_rate(rate))}" for rate in getattr(entry, "rates", ()))
    if entry.note is not None:
        yield f"note={quote(entry.note)}"


def _named(entry: AnyEntry) -> Iterator[str]:
    """Write the fields that are options of the same name."""
    texts, numbers = _fields(type(entry))
    for name in texts:
        text = getattr(entry, name)
        if text is not None:
            yield f"{name}={quote(text)}"
    for name in numbers:
        number = getattr(entry, name)
        if number is not None:
            own = isinstance(entry, CashFlow) and name == "value"
            yield f"{name}={_signed(entry, number) if own else plain(number)}"


@cache
def _fields(kind: type[AnyEntry]) -> tuple[Sequence[str], Sequence[str]]:
    """Return which of the fields that are options a kind of statement has: texts, and numbers."""
    own = frozenset(kind.__struct_fields__)
    numbers = () if kind is Price else _NUMBERS
    return [name for name in _TEXTS if name in own], [name for name in numbers if name in own]


def _rate(rate: Rate) -> str:
    at = instant.show(rate.at) if rate.at else ""
    parts = (rate.asset, rate.quote, plain(rate.value), rate.source, at)
    return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)
