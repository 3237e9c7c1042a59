"""Terms: what is fixed about a portfolio and decides how its facts fold.

Base currency is fixed when the portfolio is created. The rest may be changed, which refolds and
never edits a fact.

Errors: `BadChoice` for a rule, scope or currency outside its set.
"""

import re
from enum import Enum
from typing import Final

import msgspec

from bursar.errors import BadChoice
from bursar.ledger.names import names_of


class Method(Enum):
    """Which lots a disposal takes its cost from."""

    WAC = "wac"
    FIFO = "fifo"
    LIFO = "lifo"
    HIFO = "hifo"
    SPECIFIC = "specific"


class Scope(Enum):
    """Whether lots belong to one account or to the portfolio as a whole."""

    ACCOUNT = "account"
    POOLED = "pooled"


class FactSource(Enum):
    """Who may state facts of an account; `venue` histories may begin late and get an opening."""

    VENUE = "venue"
    EVENTS = "events"
    MANUAL = "manual"


_NAME: Final = re.compile(r"[A-Z0-9.]{1,16}")
_NUMBER: Final = re.compile(r"[0-9.]+(E[0-9]+)?|S?NAN[0-9]*|INF(INITY)?")
DEFAULT_PEGS: Final = {"USD": ("USDT", "USDC"), "EUR": ("EURC",)}


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is special about one account."""

    name: str
    source: FactSource = FactSource.VENUE
    may_short: bool = False


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """Base currency, pegs (assets that count as base currency, 1:1), cost rule and scope."""

    base: str = "USD"
    pegs: tuple[str, ...] | None = None
    method: Method = Method.WAC
    scope: Scope = Scope.ACCOUNT
    accounts: tuple[Account, ...] = ()
    strict: bool = False

    def __post_init__(self) -> None:
        """Refuse a name that no money has, such as a number: all would be unknown for ever."""
        for name in (self.base, *(self.pegs or ())):
            if _NAME.fullmatch(name) is None or _NUMBER.fullmatch(name) is not None:
                raise BadChoice(
                    f"{name!r} is no currency; up to 16 of A-Z, 0-9 and dots, such as EUR",
                    value=name,
                )

    @property
    def cash(self) -> frozenset[str]:
        """Base currency and its pegs, under every name: what is held at face value."""
        pegs = DEFAULT_PEGS.get(self.base, ()) if self.pegs is None else self.pegs
        return frozenset().union(*map(names_of, (self.base, *pegs)))

    def account(self, name: str) -> Account:
        """Return what is special about an account; an unnamed one is an ordinary venue account.

        Accounts of the venue `manual` are kept by hand, those of `events` by events, unless the
        terms say otherwise.
        """
        return next((a for a in self.accounts if a.name == name), Account(name, _source(name)))


def _source(account: str) -> FactSource:
    venue = account.partition(":")[0]
    return next((each for each in FactSource if each.value == venue), FactSource.VENUE)


def method(name: str) -> Method:
    """Return the cost rule of that name."""
    try:
        return Method(name)
    except ValueError:
        known = ", ".join(m.value for m in Method)
        raise BadChoice(f"{name!r} is no cost rule; one of {known}", value=name) from None
