"""Exact decimals: the one place where numbers are parsed, rounded, divided, split and shown.

The idea: money is `Decimal`, every operation on it happens inside a context that traps, and so
nothing rounds unless a function of this module is asked to, by name.

Invariants
- A number that came through `parse` is finite, ASCII, with at most 20 integer and 18 fractional
  digits.
- `MONEY_DIGITS` holds the product of the widest legal cost and the widest legal quantity.
- A division is followed by one rounding. The quotient is carried to `MONEY_DIGITS` places, which
  is so far past the 18th decimal that rounding it again cannot differ from rounding the true
  quotient: two numbers n/d and a halfway point differ by at least 1/(2 * d * 10**18), and d has
  under 60 digits.
- A caller's own decimal context is never changed.

Errors: `NotExact` (a float, a non-number, inexact result), `OutOfBounds` (too many digits).
"""

import inspect
import re
from collections.abc import Callable, Sequence
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    getcontext,
    localcontext,
)
from enum import Enum
from functools import wraps
from typing import Final, NoReturn, ParamSpec, TypeVar

import msgspec

from bursar.errors import NotExact, OutOfBounds

INTEGER_DIGITS: Final = 20
FRACTION_DIGITS: Final = 18
MONEY_DIGITS: Final = 150
LARGEST: Final = 10 ** (MONEY_DIGITS - 10)
"""No statistic is as large: of what is, nine places could not be kept."""

ZERO: Final = Decimal(0)
ONE: Final = Decimal(1)
HUNDRED: Final = Decimal(100)
ATOM: Final = Decimal(1).scaleb(-FRACTION_DIGITS)

_TRAPS: Final = [Inexact, FloatOperation, InvalidOperation, DivisionByZero, Overflow]
_MONEY: Final = Context(prec=MONEY_DIGITS, rounding=ROUND_HALF_EVEN, traps=_TRAPS)
_ROUNDING: Final = Context(
    prec=MONEY_DIGITS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, Overflow]
)
# Bound once: every sale of a history comes through `share`.
_multiply, _divide, _quantize = _MONEY.multiply, _ROUNDING.divide, _ROUNDING.quantize
_LENGTH_MAX: Final = 1 + INTEGER_DIGITS + 1 + FRACTION_DIGITS
_PLAIN: Final = re.compile(r"-?([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_BOUNDED: Final = re.compile(
    rf"-?[0-9]{{1,{INTEGER_DIGITS}}}(?:\.[0-9]{{1,{FRACTION_DIGITS}}})?", re.ASCII
)
_ALL_BOUNDED: Final = re.compile(rf"{_BOUNDED.pattern}(?:\n{_BOUNDED.pattern})*", re.ASCII)
_SCIENTIFIC: Final = re.compile(
    r"([+-]?)([0-9]{1,38})(?:\.([0-9]{0,38}))?(?:[eE]([+-]?[0-9]{1,3}))?", re.ASCII
)
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_P = ParamSpec("_P")
_R = TypeVar("_R")


class Rounding(Enum):
    """How a number is brought to a step: the name says the rule."""

    HALF_EVEN = ROUND_HALF_EVEN
    HALF_UP = ROUND_HALF_UP
    DOWN = ROUND_DOWN
    UP = ROUND_UP
    FLOOR = ROUND_FLOOR
    CEILING = ROUND_CEILING


class Precision(msgspec.Struct, frozen=True):
    """The decimals an instrument is quoted and traded in, as its venue states them."""

    price_decimals: int
    volume_decimals: int
    cost_decimals: int
    lot_step: Decimal = ZERO

    def price(self, value: Decimal) -> Decimal:
        """Return a price at the instrument's price decimals, half-even."""
        return quantise(value, _step(self.price_decimals), Rounding.HALF_EVEN)

    def cost(self, value: Decimal) -> Decimal:
        """Return an amount of quote currency at the instrument's cost decimals, half-even."""
        return quantise(value, _step(self.cost_decimals), Rounding.HALF_EVEN)

    def volume(self, value: Decimal) -> Decimal:
        """Return a quantity that can be traded: cut toward zero to the lot step or the decimals."""
        return quantise(value, self.lot_step or _step(self.volume_decimals), Rounding.DOWN)


def money(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Run `function` inside the trapping money context and leave the caller's context as it was.

    A generator would leave the context before its body runs, so one is refused.
    """
    if any(
        suspends(function)
        for suspends in (
            inspect.isgeneratorfunction,
            inspect.iscoroutinefunction,
            inspect.isasyncgenfunction,
        )
    ):
        raise TypeError(
            f"{function.__qualname__} suspends: the money context must not cross a yield"
        )

    @wraps(function)
    def inside(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        now = getcontext()
        if now.prec == MONEY_DIGITS and now.traps == _MONEY.traps:
            return function(*args, **kwargs)
        with localcontext(_MONEY):
            return function(*args, **kwargs)

    return inside


def parse(text: str, *, field: str = "number") -> Decimal:
    """Read a plain decimal number such as `-12.50`.

    Digits are kept as written (`1.2300` stays `1.2300`); minus zero becomes zero. The length is
    looked at first, so a megabyte of digits costs nothing.

    Raises:
        OutOfBounds: over 20 integer or 18 fractional digits.
        NotExact: anything that is not a plain ASCII decimal (an exponent, a separator, NaN, a
        blank).
    """
    if _BOUNDED.fullmatch(text) is None:
        _refuse(text, field)
    value = Decimal(text)
    return value or value.copy_abs()


def parse_long(text: str) -> Decimal:
    """Read a plain number of our own making, such as a sum of products, however long it is.

    Raises:
        NotExact: as `parse`.
    """
    if _PLAIN.fullmatch(text) is None:
        raise NotExact(f"{text!r:.80} is not a plain decimal number", value=text)
    return Decimal(text)


def parse_all(texts: Sequence[str]) -> list[Decimal] | None:
    """Read many plain numbers as `parse` does each; `None` if one of them is anything else."""
    joined = "\n".join(texts)
    is_each = joined.count("\n") == len(texts) - 1 and _ALL_BOUNDED.fullmatch(joined)
    if texts and not is_each:
        return None
    return [value or value.copy_abs() for value in map(Decimal, texts)]


def _refuse(text: str, field: str) -> NoReturn:
    """Say what is wrong with a number."""
    if len(text) > _LENGTH_MAX:
        raise OutOfBounds(
            f"{field}: {len(text)} characters; at most 20 integer and 18 fractional digits",
            field=field,
        )
    match = _PLAIN.fullmatch(text)
    if match is None:
        raise NotExact(f"{field}: {text!r} is not a plain decimal number", field=field, value=text)
    raise OutOfBounds(
        f"{field}: {text} has over 20 integer or 18 fractional digits", field=field, value=text
    )


def parse_venue(text: str, *, field: str = "number") -> Decimal:
    """Read a number as venues write them: like `parse`, but an exponent is allowed and expanded.

    `3.605E-05` gives `0.00003605`. Bounds hold for the expanded number.

    Raises:
        NotExact, OutOfBounds: as `parse`.
    """
    if "e" not in text and "E" not in text:  # the ordinary case
        return parse(text, field=field)
    match = _SCIENTIFIC.fullmatch(text) if len(text) <= 2 * _LENGTH_MAX else None
    if match is None:
        return parse(text, field=field)
    value = Decimal(text)
    if abs(value.adjusted()) > INTEGER_DIGITS + FRACTION_DIGITS:
        raise OutOfBounds(f"{field}: {text} is out of range", field=field, value=text)
    return parse(format(value, "f"), field=field)


def parse_whole(text: str, *, field: str = "number") -> int:
    """Read a whole number such as `-12`, of at most 18 digits.

    Raises:
        NotExact: anything else.
    """
    if _WHOLE.fullmatch(text) is None:
        raise NotExact(
            f"{field}: {text!r:.80} is not a whole number such as 10", field=field, value=text
        )
    return int(text)


def number(value: object, *, field: str = "number", strict_numbers: bool = False) -> Decimal:
    """Take a number at a door that outsiders call: Decimal, int, text, or a float by its shortest
    text.

    `0.02` becomes exactly 0.02. Nothing behind the door sees a float.

    Raises:
        NotExact: not a number, not finite, or a float with `strict_numbers`.
        OutOfBounds: as `parse`.
    """
    if isinstance(value, str):
        return parse(value, field=field)
    if isinstance(value, float):
        if strict_numbers:
            raise NotExact(f"{field}: a float is refused, pass a Decimal or text", field=field)
        return parse_venue(float.__repr__(value), field=field)
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > INTEGER_DIGITS + FRACTION_DIGITS:
            raise NotExact(f"{field}: {value} is not a finite number in range", field=field)
        return parse(format(value, "f"), field=field)
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= 10**INTEGER_DIGITS:
            raise OutOfBounds(f"{field}: an integer of over 20 digits", field=field)
        return parse(str(value), field=field)
    raise NotExact(f"{field}: {type(value).__name__} is not a number", field=field)


def round18(value: Decimal) -> Decimal:
    """Round half-even to 18 decimals: the one rounding of a derived base-currency value."""
    text = str(value)  # a third of what it takes to ask for the exponent
    dot = text.find(".")
    if (dot < 0 or len(text) - dot <= 1 + FRACTION_DIGITS) and "E" not in text:
        return value
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and exponent >= -FRACTION_DIGITS:
        return value
    return _quantize(value, ATOM)


def negated(value: Decimal) -> Decimal:
    """Return −value with every digit, in whatever context the caller is."""
    return _MONEY.minus(value)


def unsigned(value: Decimal) -> Decimal:
    """Return |value| with every digit, in whatever context the caller is."""
    return _MONEY.abs(value)


def product18(left: Decimal, right: Decimal) -> Decimal:
    """Multiply, then round half-even to 18 decimals."""
    return round18(_MONEY.multiply(left, right))


def ratio18(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return value × part ÷ whole, rounded once, half-even, to 18 decimals (whole ≠ 0)."""
    return _ROUNDING.quantize(_ROUNDING.divide(_MONEY.multiply(value, part), whole), ATOM)


def percent18(part: Decimal, whole: Decimal) -> Decimal:
    """Return `part` as percent of `whole`, rounded once, half-even, to 18 decimals (whole ≠ 0)."""
    return ratio18(HUNDRED, part, whole)


def quotient18(value: Decimal, whole: Decimal) -> Decimal:
    """Return value ÷ whole, rounded once, half-even, to 18 decimals (whole ≠ 0)."""
    return _quantize(_divide(value, whole), ATOM)


def share(cost: Decimal, taken: Decimal, held: Decimal) -> Decimal:
    """Return the cost that leaves when `taken` of `held` units leave: min(round18(…), cost).

    All of the units take all of the cost, so the parts of a lot always add up to the lot. `cost` ≥
    0, 0 < `taken` ≤ `held`.
    """
    if taken == held:
        return cost
    part = _quantize(_divide(_multiply(cost, taken), held), ATOM)
    if part < cost:
        return part
    return cost


def divide(total: Decimal, by: Decimal, *, places: int) -> tuple[Decimal, Decimal]:
    """Divide toward zero to `places` decimals: quotient × by + remainder = total."""
    quotient = _cut(_ROUNDING.divide(total, by), _step(places), ROUND_DOWN)
    return quotient, _MONEY.subtract(total, _MONEY.multiply(quotient, by))


def quantise(value: Decimal, step: Decimal, rule: Rounding) -> Decimal:
    """Bring `value` to a multiple of `step` (> 0) by the named rule.

    The count of steps is found from the exact remainder, so a value that is a multiple stays
    itself.
    """
    if step <= 0:
        raise OutOfBounds(f"step {step} is not positive", field="step")
    steps = _ROUNDING.divide(value, step)
    count = _cut(steps, ONE, rule.value)
    return _MONEY.multiply(count, step)


def truncate(value: Decimal, step: Decimal) -> Decimal:
    """Cut `value` toward zero to a multiple of `step` (> 0), by its exact remainder."""
    return _MONEY.subtract(value, _MONEY.remainder(value, step))


def whole(value: Decimal, unit: Decimal) -> Decimal:
    """Return how many whole units (≠ 0) fit into a value, toward zero."""
    return _MONEY.divide_int(value, unit)


@money
def split(total: Decimal, weights: Sequence[Decimal], *, places: int) -> tuple[Decimal, ...]:
    """Split `total` (≥ 0) by weights (≥ 0, not all zero) so that the parts sum to it exactly.

    Largest-remainder method: each part is cut to `places`, then one atom at a time goes to the
    largest remainder (ties to the earlier). What is finer than `places` in the total goes with the
    largest remainder of all.
    """
    whole = sum(weights, ZERO)
    if not weights or whole <= 0 or min(weights) < 0:
        raise OutOfBounds("split needs weights ≥ 0 that are not all zero", field="weights")
    atom = _step(places)
    raw = (_ROUNDING.divide(total * weight, whole) for weight in weights)
    parts = [_cut(part, atom, ROUND_DOWN) for part in raw]
    left = total - sum(parts, ZERO)
    order = sorted(range(len(parts)), key=lambda i: (parts[i] * whole - total * weights[i], i))
    whole_atoms = int(left // atom)
    for i in order[:whole_atoms]:
        parts[i] += atom
    parts[order[0]] += left - whole_atoms * atom
    return tuple(parts)


def statistic(value: float) -> Decimal:
    """Bring a statistic into a decision: finite, half-even, 9 places. The only door for floats."""
    text = Decimal(float.__repr__(value))
    if not text.is_finite():
        raise NotExact(f"statistic: {value} is not finite", field="statistic")
    if abs(value) >= LARGEST:
        raise NotExact(f"statistic: {value} is too large", field="statistic")
    return _cut(text, _step(9), ROUND_HALF_EVEN)


def plain(value: Decimal) -> str:
    """Write a number in plain notation with every digit kept, never an exponent."""
    text = str(value)
    return format(value, "f") if "E" in text else text


def trimmed(value: Decimal) -> str:
    """Write a number in plain notation without trailing zeros: one text for one value."""
    text = str(value)
    if "E" in text:
        text = format(value, "f")
    if text[-1] != "0":  # as most are
        return text
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def show(value: Decimal, *, places: int | None = None, grouped: bool = True) -> str:
    """Write a number for a reader: rounded half-even to `places`, thousands grouped."""
    if places is not None:
        value = _cut(value, _step(places), ROUND_HALF_EVEN)
    if not value:
        value = value.copy_abs()
    return format(value, ",f" if grouped else "f")


def _step(places: int) -> Decimal:
    return ONE.scaleb(-places, _MONEY)


def _cut(value: Decimal, step: Decimal, rule: str) -> Decimal:
    return value.quantize(step, rounding=rule, context=_ROUNDING)
