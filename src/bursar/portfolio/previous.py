"""What a transaction is compared with: all that is owned, whatever the view shows.

`equity.value` is of the view. Where that leaves something out, the two differ by its worth, and
each transaction would be discarded for it. So the equity itself may be given, which knows both; and
the figure of the view is refused by name, rather than compared with another thing.

Errors: `Doubtful`, `BadChoice`.
"""

from collections.abc import Callable
from decimal import Decimal

from bursar.desk.transactions import Number
from bursar.errors import BadChoice, Doubtful
from bursar.exact import plain
from bursar.portfolio.answers import Equity
from bursar.value.equity import Valuation, named
from bursar.value.worth import Options

Previous = Number | Equity | None


def stated(previous: Previous) -> Number | None:
    """Return what a transaction is to be compared with.

    Raises:
        Doubtful: of an equity nobody knows what all of it is worth.
    """
    if not isinstance(previous, Equity):
        return previous
    if lacking := previous.valuation.lacking:
        raise Doubtful(f"previous_equity is not known without {', '.join(lacking)}")
    return previous.valuation.owned


def require_owned(said: Decimal | None, options: Options, valued: Callable[[], Valuation]) -> None:
    """Refuse the figure of a view that leaves out what is worth something.

    Raises:
        BadChoice: it is that, and not what is owned.
    """
    if said is None or not (options.exclude_assets or options.include_assets):
        return
    seen = valued()
    if said == seen.equity != seen.owned:
        hidden = ", ".join(map(named, seen.left_out))
        raise BadChoice(
            f"previous_equity: {plain(said)} is what is shown, without {hidden}; a transaction"
            " weighs all that is owned: give equity() itself, or leave it out",
            field="previous_equity",
        )
