"""By which rules a transaction is judged, and what the judgement is.

The rule as written: |staged total − previous equity| ≤ ε, ε = max(1.00, 0.0001 × previous equity);
where the base currency has other decimals than a dollar, a hundred of its smallest part for 1.00.
Under `remarked` the previous equity is what is held now at the commit's own marks, and declared
deposits and withdrawals are taken out, so that only unexplained change counts.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import Final, TypedDict

import msgspec

from bursar.errors import BadChoice
from bursar.exact import money, number, plain
from bursar.ledger.currencies import trifle
from bursar.ledger.entries import StagedChange

Number = Decimal | int | str | float
"""A number at the door; a float counts by its shortest text."""

EPSILON_SHARE: Final = Decimal("0.0001")
ACCOUNT: Final = "manual:main"
_ACCOUNT: Final = re.compile(r"[a-z0-9_-]{1,32}:[A-Za-z0-9_.-]{1,64}", re.ASCII)
LABEL_MAX: Final = 512
_FLAGS: Final = {"strict", "strict_numbers", "announced"}
_LABELS: Final = {"account", "idempotency_key", "correlation_id"}
_KEY: Final = re.compile(r"[!-~]{1,128}", re.ASCII)


class Against(Enum):
    """With what the staged total is compared."""

    PREVIOUS = "previous"
    REMARKED = "remarked"


class State(Enum):
    """Where a transaction is in its life."""

    NEW = "new"
    OPEN = "open"
    COMMITTING = "committing"
    COMMITTED = "committed"
    DISCARDED = "discarded"
    UNKNOWN = "unknown"


class Reason(Enum):
    """Why a transaction was discarded."""

    VALIDATION_FAILED = "validation_failed"
    MISSING_MARK = "missing_mark"
    OVERSOLD = "oversold"
    LOTS_MISMATCH = "lots_mismatch"
    UNKNOWN_LOT = "unknown_lot"
    CLAIM_DIFFERS = "claim_differs"
    ROLLED_BACK = "rolled_back"
    EXCEPTION = "exception"


class Options(TypedDict, total=False):
    """What may be said of a transaction besides its previous equity.

    `validation_epsilon` overrides ε; `against` is `previous` or `remarked`. `account` is where the
    deltas go. `idempotency_key` makes a second try harmless. With `strict` a claim of realised PnL
    must be right; with `strict_numbers` a float is refused. `announced` writes down beforehand that
    a commit is coming, so that `recover` can tell of one that a crash has cut off.
    """

    validation_epsilon: Number | None
    against: str
    account: str
    idempotency_key: str | None
    correlation_id: str | None
    strict: bool
    strict_numbers: bool
    announced: bool


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """The same, read. Without a previous equity, an inner transaction is not compared."""

    previous: Decimal | None = None
    epsilon: Decimal | None = None
    against: Against = Against.PREVIOUS
    account: str = ACCOUNT
    key: str | None = None
    correlation_id: str | None = None
    strict: bool = False
    strict_numbers: bool = False
    announced: bool = False


def rules_of(previous: Number | None, options: Options) -> Rules:
    """Read the rules of a transaction.

    Raises:
        InputError: naming what says nothing.
    """
    _require_known(options)
    strict = options.get("strict_numbers", False)
    read = {"previous": previous, "epsilon": options.get("validation_epsilon")}
    numbers = {
        field: None if value is None else number(value, field=field, strict_numbers=strict)
        for field, value in read.items()
    }
    allowed, key = numbers["epsilon"], options.get("idempotency_key")
    if allowed is not None and allowed < 0:
        raise BadChoice(f"epsilon: {plain(allowed)} is below zero", field="validation_epsilon")
    if key is not None and _KEY.fullmatch(key) is None:
        raise BadChoice(f"key: {key!r} has blanks or is too long", field="idempotency_key")
    account = options.get("account", ACCOUNT)
    if _ACCOUNT.fullmatch(account) is None:
        raise BadChoice(f"{account!r} is no account; write venue:name", account=account)
    return Rules(
        previous=numbers["previous"],
        epsilon=allowed,
        against=_against(options.get("against", Against.PREVIOUS.value)),
        account=account,
        key=key,
        correlation_id=options.get("correlation_id"),
        strict=options.get("strict", False),
        strict_numbers=strict,
        announced=options.get("announced", False),
    )


def require_label(value: object, field: str) -> None:
    """Refuse a name that could not be stored, or shown on a line."""
    if value is None:
        return
    if not isinstance(value, str) or len(value) > LABEL_MAX or not value.isprintable():
        said = f"at most {LABEL_MAX} characters that can be printed"
        raise BadChoice(f"{field}: {value!r:.80} is no text of {said}", field=field)


def _require_known(options: Options) -> None:
    """Refuse an option that there is not, and one of another kind: a slip would change the rule."""
    for name, value in options.items():
        if name not in Options.__annotations__:
            known = ", ".join(Options.__annotations__)
            raise BadChoice(f"{name} is no option of a transaction; there are {known}", field=name)
        if name in _FLAGS and not isinstance(value, bool):
            raise BadChoice(f"{name}: {value!r} is neither True nor False", field=name)
        if name in _LABELS:
            require_label(value, name)
    if options.get("account", ACCOUNT) is None:
        raise BadChoice("account: None is no account; leave it out", field="account")


def require_fitting(rules: Rules, outer: Rules) -> None:
    """Refuse to a savepoint what only the outermost can have."""
    if rules.account != outer.account:
        raise BadChoice(
            f"inside a transaction of {outer.account}, not of {rules.account}",
            account=rules.account,
        )
    if rules.key is not None:
        raise BadChoice("a savepoint has no key; give it to the outermost", field="key")


def _against(name: str) -> Against:
    try:
        return Against(name)
    except ValueError:
        known = " or ".join(each.value for each in Against)
        raise BadChoice(f"against: {name!r} is neither {known}", field="against") from None


@money
def epsilon(previous: Decimal, base: str = "USD") -> Decimal:
    """Return what an equity may differ by: max(1.00, 0.0001 × previous equity).

    1.00 is meant of dollars: of another base currency it is as little (`currencies.trifle`).
    """
    return max(trifle(base), EPSILON_SHARE * previous)


class TransactionReview(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What committing would do, or has done.

    `total` = `cash` + `positions` at the marks; `delta` is its distance from `previous_equity`.
    What cannot be known is `None`. `realized` is what the lots say, before fees; beside it stands
    what was claimed. `entries` are what would be recorded. `reason` is `None` for a good one. Where
    its key was answered before and that was reversed since, `taken_back_by` is the reversal's id.
    """

    id: str
    version: int
    at: int
    reason: Reason | None = None
    detail: str = ""
    cash: Decimal | None = None
    positions: Decimal | None = None
    total: Decimal | None = None
    previous_equity: Decimal | None = None
    delta: Decimal | None = None
    epsilon: Decimal | None = None
    realized: Decimal | None = None
    claimed: Decimal | None = None
    entries: tuple[StagedChange, ...] = ()
    marks: Mapping[str, Decimal] = MappingProxyType({})
    taken_back_by: str | None = None

    @property
    def is_valid(self) -> bool:
        """Tell whether it may be committed."""
        return self.reason is None

    @property
    @money
    def claim_difference(self) -> Decimal | None:
        """What was claimed less what the lots say, where both are known."""
        if self.claimed is None or self.realized is None:
            return None
        return self.claimed - self.realized
