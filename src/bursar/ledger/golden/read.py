"""Reading lines into entries and terms."""

from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec

from bursar.errors import BadChoice, BursarError, Malformed
from bursar.exact import product18
from bursar.ledger import instant
from bursar.ledger.entries import (
    AnyEntry,
    CashFlow,
    Conversion,
    Fee,
    Fill,
    Flag,
    FlowKind,
    Leg,
    Link,
    MarginFill,
    Movement,
    MovementKind,
    Price,
    Rate,
    Rename,
    Reversal,
    Side,
    SleeveTransfer,
    Source,
    Split,
    StagedChange,
    StagedLine,
    StagedLot,
    Tag,
    Transfer,
)
from bursar.ledger.golden.words import Words, split_words
from bursar.ledger.terms import Account, FactSource, Method, Scope, Terms

FOREIGN: Final = "foreign-transfer"  # the flow of that kind; `transfer` is the owner's own
OUTWARD: Final = frozenset({FlowKind.WITHDRAWAL, FlowKind.FEE})
Options = dict[str, list[str]]


def read(lines: Iterable[str]) -> Iterator[AnyEntry]:
    """Read the statements of a text; what stands after options (a verdict) is left out.

    Raises:
        Malformed: names the first line that is not of the language.
    """
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text and text[0] not in "#@=" and text.split()[0] not in {"begin", "commit"}:
            yield read_line(text, number)


def read_line(line: str, number: int = 1) -> AnyEntry:
    """Read one statement."""
    words = Words(split_words(line), number)
    try:
        return _statement(words)
    except Malformed:
        raise
    except (BursarError, ValueError) as error:
        raise Malformed(f"line {number}: {error}", line=number) from None


def read_terms(lines: Iterable[str]) -> Terms:
    """Read the `@` lines of a text.

    Raises:
        Malformed: names the line and what was expected.
    """
    terms = Terms()
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if text.startswith("@"):
            words = Words(split_words(text[1:]), number)
            try:
                terms = _term(terms, words)
            except BadChoice as error:
                raise Malformed(f"line {number}: {error.message}", line=number) from None
            if words.peek() is not None:
                raise words.wrong(words.take(""), "the end of the line")
    return terms


def _term(terms: Terms, words: Words) -> Terms:
    name = words.take("a term")
    replace = msgspec.structs.replace
    match name:
        case "base":
            return replace(terms, base=words.take("a currency"))
        case "pegs":
            pegs = []
            while words.peek() is not None:
                pegs.append(words.take("a peg"))
            return replace(terms, pegs=tuple(pegs))
        case "method":
            return replace(terms, method=words.one_of(Method))
        case "scope":
            return replace(terms, scope=words.one_of(Scope))
        case "strict":
            return replace(terms, strict=True)
        case "account":
            return replace(terms, accounts=(*terms.accounts, _account(words)))
        case _:
            raise words.wrong(name, "base, pegs, method, scope, strict or account")


def _account(words: Words) -> Account:
    name = words.take("an account name")
    source = words.one_of(FactSource)
    return Account(name, source, words.skip("short"))


def _statement(words: Words) -> AnyEntry:
    at = instant.parse(words.take("a time"), field=f"line {words.number}")
    verb = words.take("a verb")
    fields = _body(verb, words)
    name = words.take("#id")
    if not name.startswith("#") or len(name) == 1:
        raise words.wrong(name, "#id")
    name = words.unquoted(name[1:])
    options = _options(words)
    common: dict[str, object] = {
        "id": name,
        "executed_at": at,
        "account": options.pop("account", [name.rpartition(":")[0] or "main"])[-1],
    }
    common.update(_common(options, words))
    return _with_options(fields, common, options, words)


Made = tuple[type[AnyEntry], dict[str, object]]


def _body(verb: str, words: Words) -> Made:
    if verb in _VERBS:
        return _VERBS[verb](words)
    if verb in {"buy", "sell"}:
        return _fill(Side(verb), words)
    if verb == FOREIGN:
        return _flow(FlowKind.TRANSFER, words)
    if verb == FlowKind.BASIS_ADJUSTMENT.value:
        raise words.wrong(verb, "a `staged` change of lots, as it moves nothing, or `adjustment`")
    if verb in {kind.value for kind in FlowKind}:
        return _flow(FlowKind(verb), words)
    raise words.wrong(verb, "a verb such as buy, sell, deposit, transfer")


def _fill(side: Side, words: Words) -> Made:
    fields: dict[str, object] = {"side": side, "quantity": words.number_of("a quantity")}
    fields["base"] = words.take("an asset")
    _amounts(fields, words)
    return Fill, fields


def _amounts(fields: dict[str, object], words: Words) -> None:
    """Read `@ price QUOTE` or `for amount QUOTE`, or both."""
    price = words.number_of("a price") if words.skip("@") else None
    if price is not None:
        fields["price"] = price
        fields["quote"] = words.take("a quote asset")
    if words.skip("for"):
        fields["amount"] = words.number_or_unknown("an amount")
        fields["quote"] = words.take("a quote asset")
    elif price is not None and isinstance(fields["quantity"], Decimal):
        fields["amount"] = product18(fields["quantity"], price)
    else:
        raise words.wrong(words.peek() or "nothing", "`@ price` or `for amount`")
    if words.skip("settles"):
        fields["delivers"] = True
    fields["fees"] = _fees(words)


def _flow(kind: FlowKind, words: Words) -> Made:
    amount = words.number_of("an amount")
    fields: dict[str, object] = {
        "kind": kind,
        "amount": amount.copy_negate() if kind in OUTWARD and amount else amount,
        "asset": words.take("an asset"),
        "fees": _fees(words),
    }
    return CashFlow, fields


def _margin(words: Words) -> Made:
    fields: dict[str, object] = {}
    if words.peek() in {"buy", "sell"}:
        fields["side"] = Side(words.take("buy or sell"))
        fields["quantity"] = words.number_or_unknown("a quantity")
    fields["base"] = words.take("an asset")
    if words.skip("@"):
        fields["price"] = words.number_of("a price")
    fields["quote"] = words.take("a quote asset")
    if words.skip("closes"):
        fields["closes"] = True
    if words.skip("settled"):
        fields["settled"] = words.number_of("a settled amount")
    fields["fees"] = _fees(words)
    return MarginFill, fields


def _row(words: Words) -> Made:
    fields: dict[str, object] = {"kind": words.one_of(MovementKind)}
    fields["amount"] = words.number_of("an amount")
    fields["asset"] = words.take("an asset")
    if words.skip("fee"):
        fields["fee"] = words.number_of("a fee")
    if words.skip("balance"):
        fields["balance"] = words.number_of("a balance")
    return Movement, fields


def _transfer(words: Words) -> Made:
    fields: dict[str, object] = {"quantity": words.number_of("a quantity")}
    fields["asset"] = words.take("an asset")
    words.need("to")
    fields["to_account"] = words.take("an account")
    if words.skip("as"):
        fields["to_asset"] = words.take("an asset")
    fields["fees"] = _fees(words)
    fields["to_fees"] = _fees(words, "to-fee")
    return Transfer, fields


def _sleeve(words: Words) -> Made:
    fields: dict[str, object] = {"amount": words.number_of("an amount")}
    if words.peek() not in {"from", "to", None}:
        fields["asset"] = words.take("an asset")
    words.need("from")
    fields["from_strategy"] = words.take("a strategy")
    words.need("to")
    fields["to_strategy"] = words.take("a strategy")
    return SleeveTransfer, fields


def _conversion(words: Words) -> Made:
    given = _legs(words)
    words.need("into")
    return Conversion, {"given": given, "taken": _legs(words), "fees": _fees(words)}


def _legs(words: Words) -> tuple[Leg, ...]:
    legs = []
    while True:
        quantity = words.number_of("a quantity")
        asset = words.take("an asset")
        value = words.number_of("a value") if words.skip("worth") else None
        legs.append(Leg(asset, quantity, value))
        if not words.skip("+"):
            return tuple(legs)


def _rename(words: Words) -> Made:
    """Read `[QUANTITY] ASSET to ASSET`."""
    is_counted = words.peek(1) != "to" and words.peek(2) == "to"
    quantity = words.number_of("a quantity") if is_counted else None
    asset = words.take("an asset")
    words.need("to")
    return Rename, {"quantity": quantity, "asset": asset, "to_asset": words.take("an asset")}


def _split(words: Words) -> Made:
    asset = words.take("an asset")
    numerator = words.number_of("new units")
    words.need("for")
    return Split, {
        "asset": asset,
        "numerator": numerator,
        "denominator": words.number_of("old units"),
    }


def _staged(words: Words) -> Made:
    fields: dict[str, object] = {}
    if words.skip("cash"):
        fields["cash"] = words.number_of("a cash delta")
    if words.skip("fees"):
        fields["fees"] = words.number_of("fees")
    if words.skip("claim"):
        fields["claimed_realized"] = words.number_of("a claimed PnL")
    lines: list[StagedLine] = []
    lots: list[StagedLot] = []
    while words.peek() in {"position", "lot"}:
        if words.skip("position"):
            lines.append(_staged_line(words))
        else:
            words.need("lot")
            lots.append(_staged_lot(words))
    return StagedChange, {**fields, "lines": tuple(lines), "lots": tuple(lots)}


def _staged_line(words: Words) -> StagedLine:
    quantity = words.number_of("a quantity delta")
    asset = words.take("an asset")
    words.need("@")
    price = words.number_of("a price")
    return StagedLine(
        asset, quantity, price, words.take("a strategy") if words.skip("by") else None
    )


def _staged_lot(words: Words) -> StagedLot:
    action, asset = words.take("add, remove or update"), words.take("an asset")
    name = words.take("a lot id")
    quantity = words.number_of("a quantity")
    words.need("cost")
    return StagedLot(action, asset, name, quantity, words.number_of("a cost"))


def _link(words: Words) -> Made:
    withdrawal = words.take("a withdrawal id")
    words.need("to")
    return Link, {"withdrawal": withdrawal, "deposit": words.take("a deposit id")}


def _price(words: Words) -> Made:
    asset, value = words.take("an asset"), words.number_of("a price")
    return Price, {"asset": asset, "value": value, "quote": words.take("a quote asset")}


def _fees(words: Words, name: str = "fee") -> tuple[Fee, ...]:
    fees = []
    while words.skip(name):
        amount, asset = words.number_of("a fee"), words.take("the fee's asset")
        fees.append(Fee(asset, amount, words.number_of("a value") if words.skip("worth") else None))
    return tuple(fees)


_VERBS: Final[dict[str, Callable[[Words], Made]]] = {
    "margin": _margin,
    "row": _row,
    "transfer": _transfer,
    "sleeve": _sleeve,
    "convert": _conversion,
    "rename": _rename,
    "split": _split,
    "staged": _staged,
    "link": _link,
    "price": _price,
    "tag": lambda words: (Tag, {"target": words.take("a fact id")}),
    "reverse": lambda words: (Reversal, {"target": words.take("a fact id")}),
    "void": lambda words: (Reversal, {"target": words.take("a fact id"), "void": True}),
}


def _options(words: Words) -> Options:
    options: Options = {}
    while (word := words.peek()) is not None and _is_option(word):
        name, _, value = word.partition("=")
        options.setdefault(name, []).append(words.unquoted(value))
        words.place += 1
    return options


def _is_option(word: str) -> bool:
    name, found, _ = word.partition("=")
    return bool(found) and name.replace("_", "").isalpha()


def _common(options: Options, words: Words) -> dict[str, object]:
    fields: dict[str, object] = {}
    if "source" in options:
        name = options.pop("source")[-1]
        if name.upper() not in Source.__members__:
            known = ", ".join(each.name.lower() for each in Source)
            raise words.wrong(f"source={name}", f"one of {known}")
        fields["source"] = Source[name.upper()]
    if "sequence" in options:
        text = options.pop("sequence")[-1]
        if not (text.isdecimal() and text.isascii()):
            raise words.wrong(f"sequence={text}", "a whole number")
        fields["sequence"] = int(text)
    if "rows" in options:
        fields["rows"] = tuple(options.pop("rows"))
    if "flag" in options:
        fields["flags"] = tuple(words.member(flag, Flag) for flag in options.pop("flag"))
    for name in ("group", "note"):
        if name in options:
            fields[name] = options.pop(name)[-1]
    return fields


_TEXTS: Final = frozenset(
    {
        "pair",
        "strategy",
        "regime",
        "order_id",
        "pocket",
        "to_pocket",
        "code",
        "label",
        "worth_asset",
    }
)
_NUMBERS: Final = frozenset({"value", "basis", "leverage", "quote_rate", "worth"})


def _with_options(
    made: Made, common: dict[str, object], options: Options, words: Words
) -> AnyEntry:
    kind, fields = made
    fields = {**common, **fields}
    allowed = set(kind.__struct_fields__)
    for name, texts in options.items():
        field = {"rate": "rates", "lot": "lots"}.get(name, name)
        if field not in allowed:
            raise words.wrong(f"{name}=", "an option of this verb")
        if name in _TEXTS:
            fields[name] = texts[-1]
        elif name in _NUMBERS:
            fields[name] = words.exact(texts[-1], f"a number for {name}")
        elif name == "rate":
            fields["rates"] = tuple(_rate(each, words) for each in texts)
        elif name == "lot" and kind is Fill:
            fields["lots"] = tuple(texts)
        else:
            raise words.wrong(f"{name}=", "an option of this verb")
    value = fields.get("value")
    if fields.get("kind") in OUTWARD and isinstance(value, Decimal) and value:
        fields["value"] = value.copy_negate()
    return msgspec.convert(fields, kind)


def _rate(text: str, words: Words) -> Rate:
    parts = _parts(text)
    if len(parts) != len(Rate.__struct_fields__):
        raise words.wrong(f"rate={text}", "asset|quote|value|source|time")
    asset, quote_asset, value, source, at = parts
    try:
        moment = instant.parse(at) if at else 0
    except Malformed:
        raise words.wrong(f"rate={text}", "a UTC time at its end") from None
    return Rate(asset, quote_asset, words.exact(value, "a rate"), source, moment)


def _parts(text: str) -> list[str]:
    """Split at bars; a backslash takes the character after it as it is."""
    parts, escaped = [""], False
    for char in text:
        if not escaped and char in "\\|":
            escaped = char == "\\"
            parts += [""] if char == "|" else []
        else:
            parts[-1] += char
            escaped = False
    return parts
