"""The page, as a person meets it: with eyes, with a keyboard, and when the wire is cut."""

import pytest

from tests.browser.conftest import see

pytestmark = [
    pytest.mark.slow("a real browser, and the demo behind it"),
    pytest.mark.xdist_group("browser"),  # one demo, one browser
]

# How late the page shows an event, in milliseconds: the least of several.
LATENESS = """() => new Promise((done) => {
  const rows = () => [...document.querySelectorAll("#feed li")];
  const late = [], known = new Set(rows().map((li) => li.dataset.id));
  const end = () => {
    watch.disconnect();
    clearTimeout(last);
    done(late.length ? Math.min(...late) : null);
  };
  const last = setTimeout(end, 15000);
  const watch = new MutationObserver(() => {
    for (const li of rows()) {
      if (known.has(li.dataset.id)) continue;
      known.add(li.dataset.id);
      late.push(Date.now() - Date.parse(li.querySelector("time").dateTime));
    }
    if (late.length && (Math.min(...late) < 1000 || late.length > 5)) end();
  });
  watch.observe(document.getElementById("feed"), { childList: true });
})"""


def test_the_demo_is_alive(page):
    assert "," in page.inner_text("#equity .figure")
    assert page.inner_text("#state").startswith("live · last event")
    assert page.locator("#positions tbody tr").count() >= 3
    assert page.locator("#strategies .strategy").count() == 4
    assert "blocked" in page.inner_text("#strategies")  # the one that died
    assert page.locator("#strategies .spark").count() == 4
    assert "LINK" in page.inner_text("#badges .warn >> nth=0")
    late = page.evaluate(LATENESS)
    assert late is not None, "no event was shown in fifteen seconds"
    assert late < 1000


def test_what_the_page_shows_is_what_the_service_says(page):
    page.click("#positions tr:has-text('LINK') td:nth-child(3) button")
    page.wait_for_selector("#why .why-value")
    asset = page.inner_text("#why-title").removeprefix("cost of ")
    path = f"/api/portfolio/why?figure=cost&asset={asset}&decimals=string"
    told = page.evaluate("async (path) => (await fetch(path)).json()", path)
    assert told["formula"] in page.inner_text("#why-body")


def test_a_weight_opens_to_its_factors_and_they_are_those_of_the_decision(page):
    page.click(".strategy[aria-label=trend] .why-weight")
    assert page.get_attribute(".strategy[aria-label=trend] .why-weight", "aria-expanded") == "true"
    path = "/api/portfolio/decision?decimals=string"
    told = page.evaluate("async (path) => (await fetch(path)).json()", path)
    (line,) = (each for each in told["decision"]["lines"] if each["strategy"] == "trend")
    shown = page.eval_on_selector_all(".factors [title]", "all => all.map(each => each.title)")
    named = ["method", "regime", "memory", "pressure", "share", "wish", "previous", "weight"]
    assert shown == [line[name] for name in named]
    assert line["reason"] in page.inner_text(".strategy[aria-label=trend]")
    page.click(".factors .ask-why")
    page.wait_for_selector("#why[open] .why-value")
    assert line["most"] in page.eval_on_selector_all("#why [title]", "all => all.map(e => e.title)")


def test_weights_that_are_typed_become_a_plan_with_reasons(page):
    page.click("#plan >> text=equal parts")
    page.wait_for_selector("#plan .deed.buy")
    page.fill("#plan .adding input", "sol")
    page.keyboard.press("Enter")
    page.keyboard.type("10")  # it is there to be typed over
    page.fill("#plan [aria-label^='Target of BTC']", "12.5")
    page.wait_for_selector("#plan tr:has-text('SOL') .deed.buy")
    assert page.inner_text("#plan tr:has-text('LINK') .because") == "underweight"
    command = page.inner_text("#plan .command code")
    assert command.endswith("> weights.csv && bursar plan weights.csv")
    assert "'BTC,0.125'" in command
    assert "'SOL,0.10'" in command
    page.click("#plan .sums dd .ask-why >> nth=2")
    page.wait_for_selector("#why[open] .why-value")
    assert "cash + sales" in page.inner_text("#why-body")
    page.keyboard.press("Escape")
    page.fill("#plan [aria-label^='Target of SOL']", "90")
    page.wait_for_selector("#plan .note.down")
    assert "above 1" in page.inner_text("#plan .note.down")
    page.click("#plan >> text=nothing")
    assert "Say what you want to hold" in page.inner_text("#plan")


def test_it_can_be_walked_by_keyboard(page):
    page.evaluate("document.body.tabIndex = -1, document.body.focus()")  # before all
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('role')") == "radio"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")  # from All round to 1D
    assert page.evaluate("document.activeElement.textContent") == "1D"
    assert page.get_attribute("#range [aria-checked=true]", "tabindex") == "0"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#why[open] .why-value")
    assert page.inner_text("#why-title") == "Equity"
    page.keyboard.press("Escape")
    page.wait_for_selector("#why:not([open])", state="attached")
    page.focus("#positions tr:has-text('LINK') td:nth-child(3) button")
    page.evaluate(LATENESS)  # the table is drawn anew, and who was there is there still
    assert page.evaluate("document.activeElement.className").startswith("ask-why")
    page.focus("#curve")
    page.keyboard.press("ArrowLeft")
    assert "·" in page.inner_text("#curve-read")


def test_an_outage_is_shown_as_one_and_what_was_missed_is_told(page, wire):
    heard = []
    page.on(
        "websocket",
        lambda found: found.on("framereceived", lambda frame: heard.append((found.url, frame))),
    )
    wire.cut()
    page.wait_for_selector("body[data-state=outage]")
    assert page.is_visible("#outage")
    assert "No connection" in page.inner_text("#outage")
    assert page.evaluate("getComputedStyle(document.querySelector('.hero')).opacity") == "0.45"
    wire.mend()
    page.wait_for_selector("body[data-state=live]")
    assert not page.is_visible("#outage")
    url, first = heard[0]
    assert "?seq=" in url
    assert '"portfolio.resumed"' in first
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1  # not anew


def test_a_phone_scrolls_one_way_only(page):
    see(page, "dark", (390, 844))
    assert page.evaluate("document.documentElement.scrollWidth") == 390
