"""`bursar price`, `bursar tag`, `bursar link`: what is said of facts by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bursar.cli.correcting import correct
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from bursar.portfolio import Portfolio
    from bursar.portfolio.hand import Correction

Yes = Annotated[bool, Parameter(name=["--yes", "-y"])]


def price(  # noqa: PLR0913 (the words of a line)
    asset: str,
    time: str,
    value: str,
    quote: str | None = None,
    *,
    yes: Yes = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Record what one unit of an asset was worth; facts of the next 24 hours may rest on it.

    Args:
        asset: The asset.
        time: When, UTC: 2024-01-05T10:00:00Z, a day, or now.
        value: What one unit was worth.
        quote: In what; by default in base currency.
        yes: Write it without asking.

    """

    def made(portfolio: Portfolio) -> Correction:
        from bursar.portfolio import hand

        return hand.priced(portfolio.corrector, asset, time, value, quote)

    return correct(session, made, is_yes=yes)


def tag(
    id: str,  # noqa: A002 (the word of all commands)
    *,
    strategy: str | None = None,
    regime: str | None = None,
    yes: Yes = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Say which strategy did a trade, and in which regime. The latest word counts.

    Args:
        id: The trade: its whole id, or the end of it.
        strategy: Who did it.
        regime: The state of the market then.
        yes: Write it without asking.

    """

    def made(portfolio: Portfolio) -> Correction:
        from bursar.portfolio import hand

        return hand.tagged(portfolio.corrector, id, strategy=strategy, regime=regime)

    return correct(session, made, is_yes=yes)


def link(
    one: str,
    other: str,
    *,
    yes: Yes = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Make a withdrawal and a deposit one transfer; what did not arrive is its fee.

    Args:
        one: One of the two: its whole id, or the end of it.
        other: The other one.
        yes: Write it without asking.

    """

    def made(portfolio: Portfolio) -> Correction:
        from bursar.portfolio import hand

        return hand.linked(portfolio.corrector, one, other)

    return correct(session, made, is_yes=yes)
