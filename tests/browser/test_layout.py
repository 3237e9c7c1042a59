"""Where things stand on the page: nothing is cut off, and nothing moves by itself."""

import pytest

from bursar.ledger import golden
from tests.browser.conftest import see

SIZES = ((390, 844), (768, 1024), (1100, 900), (1440, 900))

pytestmark = pytest.mark.slow("a real browser")

# What has moved by itself: how much of the window, and what it was.
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => {
  for (const each of list.getEntries()) {
    const what = each.sources.map(({ node }) => node?.className);
    if (!each.hadRecentInput) shifts.push([each.value, what]);
  }
}).observe({ type: "layout-shift", buffered: true });"""

# Figures that reach over the box they stand in.
CUT = """() => [...document.querySelectorAll(".equity, .card, .split div, .strategy, .bars li")]
  .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent)"""


def test_long_names_and_numbers_are_shown_whole_and_nothing_moves(browser, own, own_page):
    coins = [f"LONGNAMEDCOIN{number}" for number in range(3)]
    lines = [
        "2026-01-05T10:00:00Z deposit 98765432109876543 USD #m:0",
        "2026-01-05T12:00:00Z margin sell 5 XBT @ 40000 USD #m:1 leverage=20",
        *(
            f"2026-01-05T11:00:00Z buy 98765432.12345678 {coin} @ 98765.4321 USD #m:{coin}"
            " strategy=a_name_that_goes_on_for_quite_a_while"
            for coin in coins
        ),
    ]
    own.do(lambda portfolio: portfolio.record(*golden.read(lines)))
    own_page.wait_for_selector("#strategies b:has-text('a_name')")
    own_page.wait_for_selector("#feed li:has-text('leveraged')")
    assert "sell XBT at 40,000, leveraged" in own_page.inner_text("#feed")  # no coins moved, not 0
    cost = "LONGNAMEDCOIN1, cost: 9,754,610,580,216.43"
    assert own_page.locator(f"button[aria-label='{cost}']").count() == 1
    for size in SIZES:
        see(own_page, "light", size)
        assert own_page.evaluate("document.documentElement.scrollWidth") == size[0]
        assert own_page.evaluate(CUT) == [], size
    assert sum(share for share, _ in moved(browser, own.port)) < 0.1  # what the field calls good


def moved(browser, port):
    """What has moved since the page was asked for, until all of it is drawn."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.add_init_script(SHIFTS)
    page.goto(f"http://127.0.0.1:{port}/")
    page.wait_for_selector("body[data-drawn] #strategies b:has-text('a_name')")
    found = page.evaluate("shifts")
    context.close()
    return found
