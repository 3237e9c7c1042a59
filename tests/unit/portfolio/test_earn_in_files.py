"""What exports tell of savings: rows of both wallets, no interest, perhaps not the beginning."""

from decimal import Decimal

import pytest

from bursar.app import open as open_portfolio
from bursar.ledger.entries import CashFlow
from bursar.ledger.openings import is_opening
from bursar.ledger.terms import Terms

D = Decimal
HEAD = "User_ID,UTC_Time,Account,Operation,Coin,Change,Remark"
CAME = "1,2025-01-01 10:00:00,Spot,Deposit,{0},100,"
SUBSCRIBED = (
    "1,2025-01-02 10:00:00,Spot,Simple Earn Flexible Subscription,{0},-100,",
    "1,2025-01-02 10:00:00,Earn,Simple Earn Flexible Subscription,{0},100,",
)
REDEEMED = (
    "1,2025-03-02 10:00:00,Spot,Simple Earn Flexible Redemption,{0},101,",
    "1,2025-03-02 10:00:00,Earn,Simple Earn Flexible Redemption,{0},-101,",
)


@pytest.mark.parametrize("coin", ["USDC", "SOL"])
@pytest.mark.parametrize(
    "rows, opened", [((CAME, *SUBSCRIBED, *REDEEMED), D(1)), (REDEEMED, D(101))]
)
def test_what_is_redeemed_beyond_what_was_put_in_is_there_and_is_assumed(
    tmp_path, coin, rows, opened
):
    file = tmp_path / "history.csv"
    file.write_text("\n".join([HEAD, *(row.format(coin) for row in rows)]) + "\n")
    with open_portfolio(":memory:", terms=Terms(base="USD")) as portfolio:
        portfolio.import_files(file)
        assert portfolio.book().owned("binance:main", coin) == 101
        (opening,) = filter(is_opening, portfolio.timeline)
        assert isinstance(opening, CashFlow)
        assert opening.amount == opened
        assert opening.id == f"opening:binance:main:earn:{coin}"
        assert portfolio.verify().is_sound
