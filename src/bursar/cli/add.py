"""`bursar add`: money and trades entered by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from bursar.cli.correcting import correct
from bursar.cli.session import HIDDEN, Session

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bursar.portfolio import Portfolio
    from bursar.portfolio.hand import Correction, Details


def add(  # noqa: PLR0913 (what may be said of a deed)
    *words: str,
    fee: Annotated[tuple[str, ...], Parameter(allow_leading_hyphen=True)] = (),
    worth: str | None = None,
    cost: str | None = None,
    time: str = "now",
    account: str | None = None,
    to: str | None = None,
    strategy: str | None = None,
    regime: str | None = None,
    note: str | None = None,
    id: str | None = None,  # noqa: A002 (the option's name)
    again: bool = False,
    yes: Annotated[bool, Parameter(name=["--yes", "-y"])] = False,
    session: Annotated[Session, HIDDEN],
) -> int:
    """Enter money or a trade by hand: shown first, written on a yes.

    deposit 1000 EUR · withdrawal 0.02 XBT · fee 5 EUR · reward, dividend, interest, funding,
    rebate, airdrop or adjustment 0.1 ETH · buy 0.5 XBT/EUR @ 40000 · sell 0.5 XBT/EUR for 21000 ·
    transfer 1 XBT --to cold:wallet

    Without a terminal to ask and without --yes nothing is written, and the exit code is 5.

    Args:
        words: What happened, how much, of what; for a trade @ PRICE, or for AMOUNT, or both.
        fee: A fee such as '8 EUR'; alone it is in the quote, or in the asset itself; below zero it
            is a rebate. Repeatable.
        worth: What it was worth then, in base currency.
        cost: What the coins that came had cost, in base currency.
        time: When it happened, UTC; a day alone is its beginning.
        account: The account, such as kraken:main; by default manual:main.
        to: The account to which a transfer leads.
        strategy: The strategy that did it.
        regime: The state of the market then.
        note: Who says so, and why.
        id: An id of your own, under which this is recorded once.
        again: It happened once more, in the same words.
        yes: Write it without asking.

    """
    details: Details = {
        "fee": fee,
        "worth": worth,
        "cost": cost,
        "time": time,
        "account": account,
        "to": to,
        "strategy": strategy,
        "regime": regime,
        "note": note,
        "id": id,
        "again": again,
    }

    def made(portfolio: Portfolio) -> Correction:
        from bursar.portfolio import hand

        verb, quantity, what = read(words, details)
        return hand.entered(portfolio.corrector, verb, quantity, what, details)

    return correct(session, made, is_yes=yes)


def read(words: Sequence[str], details: Details) -> tuple[str, str, str]:
    """Read `[trade] VERB QUANTITY ASSET [@ PRICE] [for AMOUNT]`: (verb, quantity, asset or pair).

    Price and amount are put into `details`; a quote may stand behind either: `buy 1 XBT @ 40 EUR`.
    """
    from bursar.errors import BadChoice

    rest = list(words[1:] if words[:1] == ("trade",) else words)
    if len(rest) < 3:  # noqa: PLR2004 (verb, quantity, asset)
        said = " ".join(words) or "nothing"
        raise BadChoice(f"add {said}: say what, how much, of what, such as `add deposit 1000 EUR`")
    verb, quantity, what, *more = rest
    while more:
        mark = more.pop(0)
        if mark not in {"@", "for"} or not more:
            raise BadChoice(f"{mark!r} is not understood; write @ PRICE or for AMOUNT", word=mark)
        number = more.pop(0)
        if mark == "@":
            details["price"] = number
        else:
            details["amount"] = number
        if more and more[0] not in {"@", "for"}:
            what = _paired(what, more.pop(0))
    return verb, quantity, what


def _paired(what: str, quote: str) -> str:
    from bursar.errors import BadChoice

    stated = what.replace("-", "/").partition("/")[2]
    if stated and stated.upper() != quote.upper():
        raise BadChoice(f"{what} is priced in {stated}, not in {quote}", word=quote)
    return what if stated else f"{what}/{quote}"
