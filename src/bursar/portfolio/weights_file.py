"""Target weights from a file: YAML, JSON or CSV.

    SPY: 0.6                       target_weights: {SPY: 0.6, QQQ: 0.4}
    QQQ: 0.4                       constraints: {reserve_weight: 0.02, band: 0.01}
                                   policy: {rounding: unit, min_trade_amount: 25}

On the left only weights, on the right all that may be said; JSON is the same in its own spelling,
and CSV has the columns `symbol` and `weight`. Every number is read digit by digit. A name that is
not known is refused, and so is one that comes twice.

Errors: `Malformed` for what is no such file, naming it, and the line where one is wrong; `NotExact`
and `OutOfBounds` for what is no plain number, naming file, line and field; `UnknownFormat` for
another ending.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import yaml

from bursar.errors import InputError, Malformed, UnknownFormat
from bursar.exact import numbers_told, parse_venue
from bursar.ledger import expected
from bursar.plan import Constraints, SizingPolicy, StrategyAllocation
from bursar.portfolio.document import once

BYTES_MAX: Final = 4 << 20
_WEIGHTS: Final = "target_weights"
_ITEM: Final = re.compile(r"\[.*?\]")
_TEXTS: Final = frozenset({"correlation_id", "rounding"})
_Place = tuple[str, ...]
_Where = Callable[[_Place], tuple[str, int | None]]


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a file may say."""

    target_weights: Mapping[str, Decimal]
    portfolio_value: Decimal | None = None
    correlation_id: str = ""
    constraints: Constraints = Constraints()
    attribution: Mapping[str, Mapping[str, Decimal]] = {}
    policy: SizingPolicy = SizingPolicy()

    @property
    def allocation(self) -> StrategyAllocation:
        """The weights, as a strategy's."""
        return StrategyAllocation(
            self.target_weights,
            self.portfolio_value,
            self.correlation_id,
            self.constraints,
            self.attribution,
        )


def read(path: Path) -> Wanted:
    """Read a file of target weights."""
    reader = {".yaml": _yaml, ".yml": _yaml, ".json": _json, ".csv": _csv}.get(path.suffix.lower())
    if reader is None:
        raise UnknownFormat(f"{path.name}: target weights are .yaml, .json or .csv", file=path.name)
    with path.open("rb") as stream:
        content = stream.read(BYTES_MAX + 1)
    if len(content) > BYTES_MAX:
        raise Malformed(f"{path.name}: over {BYTES_MAX} bytes", file=path.name)
    try:
        text = content.decode("utf-8-sig")
        return _wanted(reader(text), partial(_where, path.name, text))
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise _malformed(path.name, error) from None


def read_json(content: bytes, name: str = "weights") -> Wanted:
    """Read target weights that came as a JSON document."""
    try:
        text = content.decode()
        return _wanted(_json(text), partial(_where, name, text))
    except (ValueError, RecursionError) as error:
        raise _malformed(name, error) from None


def _malformed(name: str, error: Exception) -> Malformed:
    """Say what is wrong; the errors of msgspec and json are ValueErrors."""
    said = "nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
    return Malformed(f"{name}: {said}", file=name)


def _wanted(told: object, where: _Where) -> Wanted:
    if not isinstance(told, Mapping) or not told:
        raise ValueError("an object of symbols and weights is expected")
    whole = told if _WEIGHTS in told else {_WEIGHTS: told}
    weights = whole[_WEIGHTS]
    for symbol, weight in weights.items() if isinstance(weights, Mapping) else ():
        _require_weight(symbol, weight, told, where)
    _require_plain(told, where)
    try:
        return msgspec.convert(whole, Wanted, strict=False)
    except msgspec.ValidationError as error:
        said, _, field = expected.told(error, Wanted).partition(" - at `$.")
        place = tuple(_ITEM.sub("", field.rstrip("`")).split("."))
        raise _at(where(place), f"{field.rstrip('`')}: {said}" if field else said) from None


def _at(place: tuple[str, int | None], said: str) -> Malformed:
    """Say what is wrong with its file, and its line where that was found."""
    file, line = place
    there = file if line is None else f"{file}, line {line}"
    return Malformed(f"{there}: {said}", file=file, line=line)


def _require_weight(symbol: str, weight: object, told: Mapping[str, object], where: _Where) -> None:
    """Name the symbol whose weight is none, or the section that was taken for one."""
    if isinstance(weight, Mapping) and _WEIGHTS not in told:
        said = f"{symbol}: is no section; weights stand under {_WEIGHTS}, or alone"
        raise _at(where((symbol,)), said)
    try:
        msgspec.convert(weight, Decimal, strict=False)
    except msgspec.ValidationError:
        place = (_WEIGHTS, symbol) if _WEIGHTS in told else (symbol,)
        raise _at(where(place), f"{symbol}: {weight!r} is no weight such as 0.5") from None


def _require_plain(told: object, where: _Where) -> None:
    """Refuse text that is a number to Python and to nobody else: `0_5`, digits of other scripts.

    Lists hold symbols alone.

    Raises:
        NotExact, OutOfBounds: naming file, line and field.
    """
    for place, text in numbers_told(told):
        if place[-1] in _TEXTS or place[-1].startswith("["):
            continue
        file, line = where(place)
        field = ".".join(place)
        said = file if line is None else f"{file}, line {line}"
        try:
            parse_venue(text, field=f"{said}: {field}")
        except InputError as error:
            raise type(error)(error.message, file=file, line=line, field=field) from None


def _where(name: str, text: str, place: _Place) -> tuple[str, int | None]:
    """Return the file, and the line of a place in it as far as that can be found."""
    if name.lower().endswith(".csv"):
        reader = csv.reader(text.splitlines())
        lines = {row[0].strip(): reader.line_num for row in reader if row}
        return name, lines.get(place[-1])
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)  # which reads JSON, too
    except (yaml.YAMLError, RecursionError):
        return name, None
    line = None
    for step in place:
        pairs = node.value if isinstance(node, yaml.MappingNode) else ()
        for key, value in pairs:
            if key.value == step:
                node, line = value, key.start_mark.line + 1
                break
    return name, line


def _json(text: str) -> object:
    return json.loads(
        text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=once
    )


def _yaml(text: str) -> object:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    return None if node is None else _told(node)


def _told(node: yaml.Node) -> object:
    """Take what is written as text: no number passes through a float, `NO` is a symbol."""
    if isinstance(node, yaml.MappingNode):
        return once([(str(_told(key)), _told(value)) for key, value in node.value])
    if isinstance(node, yaml.SequenceNode):
        return [_told(each) for each in node.value]
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _csv(text: str) -> object:
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    if not rows or [cell.lower() for cell in rows[0]] != ["symbol", "weight"]:
        raise ValueError("line 1: the columns are symbol,weight")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != 2:  # noqa: PLR2004 (a symbol and a weight)
            raise ValueError(f"row {number}: {len(row)} cells, 2 are expected")
    return once([(row[0], row[1]) for row in rows[1:]])
