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
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import yaml

from bursar.errors import Malformed, UnknownFormat
from bursar.ledger.told import Place, Where, once, record, values
from bursar.plan import Constraints, SizingPolicy, StrategyAllocation

BYTES_MAX: Final = 4 << 20
_WEIGHTS: Final = "target_weights"


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
    reader = {".yaml": _yaml, ".yml": _yaml, ".json": values, ".csv": _csv}.get(path.suffix.lower())
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
        return _wanted(values(text), partial(_where, name, text))
    except (ValueError, RecursionError) as error:
        raise _malformed(name, error) from None


def _malformed(name: str, error: Exception) -> Malformed:
    """Say what is wrong; the errors of msgspec and json are ValueErrors."""
    said = "nested too deep" if isinstance(error, RecursionError) else " ".join(str(error).split())
    return Malformed(f"{name}: {said}", file=name)


def _wanted(told: object, where: Where) -> Wanted:
    if not isinstance(told, dict) or not told:
        raise ValueError("an object of symbols and weights is expected")
    if _WEIGHTS in told:
        return record(told, Wanted, where, strict=False)
    for name, each in told.items():
        if isinstance(each, dict):
            file, line = where((name,))
            there = file if line is None else f"{file}, line {line}"
            said = f"{name}: is no section; weights stand under {_WEIGHTS}, or alone"
            raise Malformed(f"{there}: {said}", file=file, line=line)
    return Wanted(target_weights=record(told, dict[str, Decimal], where))


def _where(name: str, text: str, place: Place) -> tuple[str, int | None]:
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
