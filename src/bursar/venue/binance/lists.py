"""The lists that Binance keeps of what is no trade, and what each is asked for.

No list tells everything, so all of them together are the account's ledger.

Errors: none.
"""

from collections.abc import Mapping
from typing import Final, get_args

import msgspec

from bursar.ledger import instant
from bursar.venue.binance.client import Question
from bursar.venue.binance.items import READERS, Move, Read

BEGAN: Final = instant.parse("2017-07-14T00:00:00Z")
"""When Binance opened."""

_HALF_YEAR: Final = 180 * instant.DAY


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One list. `began` is when it may begin, `reach` how far back the venue tells, at most.

    It is asked for so many `days` at once; an answer of `full` rows may not be whole. `size` names
    the field that asks for as many, where there is one.
    """

    name: str
    question: Question
    read: Read
    days: int = 90
    size: str | None = "limit"
    full: int = 1_000
    asked: Mapping[str, str | int] = {}
    began: int = BEGAN
    reach: int | None = None


def _earn(path: str, kind: str, **asked: str) -> Listing:
    return Listing(
        name=f"{path.partition('/')[0]} {kind}",
        question=Question(path=f"/sapi/v1/simple-earn/{path}", weight=150),
        read=READERS[kind],
        days=89,  # three months are told at once, and some are as short
        size="size",
        full=100,
        asked=asked,
        began=instant.parse("2022-08-01T00:00:00Z"),
    )


def _moves(way: str) -> Listing:
    return Listing(
        name=f"transfers {way}",
        question=Question(path="/sapi/v1/asset/transfer"),
        read=READERS["transfers"],
        size="size",
        full=100,
        asked={"type": way},
        reach=_HALF_YEAR,
    )


INCOME: Final = Listing(
    name="income",
    question=Question(path="/fapi/v1/income", weight=30),
    read=READERS["income"],
    days=30,
    reach=89 * instant.DAY,
)
"""All that went in or out of the futures wallet; the venue tells it for three months."""

LISTS: Final[tuple[Listing, ...]] = (
    Listing(
        name="deposits",
        question=Question(path="/sapi/v1/capital/deposit/hisrec"),
        read=READERS["deposits"],
    ),
    Listing(
        name="withdrawals",
        question=Question(path="/sapi/v1/capital/withdraw/history", account_weight=18_000),
        read=READERS["withdrawals"],
    ),
    Listing(
        name="conversions",
        question=Question(path="/sapi/v1/convert/tradeFlow", account_weight=3_000),
        read=READERS["conversions"],
        days=30,
    ),
    Listing(
        name="dust",
        question=Question(path="/sapi/v1/asset/dribblet"),
        read=READERS["dust"],
        size=None,
        full=100,
        began=instant.parse("2020-12-01T00:00:00Z"),
    ),
    Listing(
        name="dividends",
        question=Question(path="/sapi/v1/asset/assetDividend", weight=10),
        read=READERS["dividends"],
        days=180,
        full=500,
    ),
    _earn("flexible/history/subscriptionRecord", "subscriptions"),
    _earn("flexible/history/redemptionRecord", "redemptions"),
    _earn("flexible/history/rewardsRecord", "rewards", type="ALL"),
    _earn("locked/history/subscriptionRecord", "subscriptions"),
    _earn("locked/history/redemptionRecord", "redemptions"),
    _earn("locked/history/rewardsRecord", "locked rewards"),
    *(_moves(way) for way in get_args(Move)),
)
