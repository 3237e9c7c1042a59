"""What the page says of a book of one's own, at an instant that stands."""

from contextlib import closing

import bursar
from bursar.app import SystemClock
from bursar.config import PortfolioSettings, Settings
from bursar.ledger import golden, instant
from bursar.portfolio import snapshots
from tests.browser.conftest import Own, looking


class Midmonth(SystemClock):
    """A clock that stands on a Thursday, the 22nd, until it is put elsewhere."""

    at = instant.parse("2026-01-22T12:00:00Z")

    def now(self):
        return self.at


def test_a_coin_bought_with_a_peg_is_itself_and_a_card_says_since_when_it_knows(browser, tmp_path):
    place = str(tmp_path / "pegged.db")
    with bursar.open(place) as portfolio:
        told = (
            "2026-01-05T10:00:00Z deposit 1000 USDT #m:0",
            "2026-01-06T10:00:00Z buy 2 BNB @ 200 USDT #m:1",
        )
        portfolio.record(*golden.read(told))
    settings, clock = Settings(portfolio=PortfolioSettings(book=place)), Midmonth()
    with closing(Own(settings, clock)) as own:
        own.do(snapshots.take)
        clock.at += instant.SECOND
        with looking(browser, own.port) as (shown, wrong):
            shown.wait_for_selector("#exposure .bars button[title='400']")
            assert "BNB\n400\n40.0 %" in shown.inner_text("#exposure .bars >> nth=0")
            # Of before the snapshot the curve is that of trades, from nothing on.
            shown.wait_for_selector(".card[aria-label='This month'] .foot:has-text('since 4 Jan')")
            shown.click("#range >> text=All")
            shown.wait_for_selector("#curve-read:has-text('from trades until 22 Jan')")
            assert wrong == []
