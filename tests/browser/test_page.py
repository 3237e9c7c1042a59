"""The page, as a person meets it: with eyes, with a keyboard, and when the wire is cut."""

import asyncio
import re
import subprocess
from decimal import Decimal
from itertools import product
from pathlib import Path
from time import monotonic
from urllib.parse import parse_qsl, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from bursar.exact import trimmed
from bursar.ledger import golden
from bursar.portfolio import weights_file
from bursar.serve import tokens
from bursar.value.marks import Mark
from tests.browser.conftest import see
from tests.figures import COLOURS, PAGE_SECONDS

SCREENS = Path(__file__).parents[2] / "build" / "screens"
THEMES = ("light", "dark")
SIZES = ((1440, 900), (390, 844))
ALL = {"resultTypes": ["violations"]}
ALL_BUT_COLOURS = {**ALL, "rules": {"color-contrast": {"enabled": False}}}
AUDITS = (ALL,) * 4 if COLOURS else (ALL, ALL_BUT_COLOURS, ALL_BUT_COLOURS, ALL)
"""Colours are a matter of the theme, and dear to look at: of each theme once, at either size."""
COINS, UPDATES, PARTS = 20, 10_000, max(2, PAGE_SECONDS // 60)
HINTS = {
    "#positions": "bursar import",
    "#exposure": "Nothing is held yet",
    "#plan": "Say what you want to hold",
    "#strategies": "bursar tag",
    "#drift": "bursar sync",
    "#calendar": "Nothing was realised yet",
    "#feed": "Nothing has happened yet",
    "#curve": "bursar serve keeps one",
}

pytestmark = pytest.mark.slow("a real browser, and the demo behind it")

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

FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
# What every part of the page is called while there is no connection.
CALLED = """() => [...document.querySelectorAll(".equity .label, .card .label, .panel > h2")]
  .map((each) => getComputedStyle(each, "::after").content)"""
# Figures that do not open to what is behind them.
CLOSED = """() => [".card .figure", ".equity .figure", ".equity .under", ".worth", "td.num",
    ".sums dd", "#plan td:nth-child(2)", ".bars li", ".split > div", ".months li", ".sub.own",
    "#badges li"]
  .flatMap((name) => [...document.querySelectorAll(name)])
  .filter((each) => /\\d/.test(each.textContent) && !each.querySelector("button"))
  .map((each) => each.outerHTML)"""
# The flows that the curve marks: how much, and whether the mark points up.
FLOWS = """() => [...document.querySelectorAll("#curve path.flow")].map((each) =>
  [each.textContent.split("capital ")[1], each.getAttribute("d").endsWith("-8z")])"""
# How often the page draws from now on.
DRAWN = """() => {
  window.drawn = 0;
  new MutationObserver(() => { drawn += 1; })
    .observe(document.querySelector("#equity .figure"), { childList: true });
}"""


def picture(page, name):
    """Keep the whole page, panel under panel, for people to look at."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=SCREENS / f"{name}.png", full_page=True)


def pictures(page, name):
    """Keep each panel by itself."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    for each in page.query_selector_all(".hero, .panel"):
        panel = (each.get_attribute("aria-labelledby") or "hero").removesuffix("-title")
        each.screenshot(path=SCREENS / f"{name}-{panel}.png")


def painted(page):
    """How long the first paint took, in milliseconds; again where the machine had no time."""
    for _ in range(3):
        took = page.evaluate(FIRST_PAINT)
        yield took
        if took < 1000:
            return
        page.reload()
        page.wait_for_selector("body[data-state=live] #feed li[data-id]")


def serious(page, options):
    """What an accessibility engine finds that keeps somebody out."""
    found = Axe().run(page, options=options).response["violations"]
    return [
        (each["id"], [node["target"] for node in each["nodes"]])
        for each in found
        if each["impact"] in {"serious", "critical"}
    ]


def test_the_demo_is_alive(page):
    assert "," in page.inner_text("#equity .figure")
    assert page.inner_text("#state").startswith("live · last event")
    assert page.locator("#positions tbody tr").count() >= 3
    assert page.locator("#strategies .strategy").count() == 4
    assert "blocked" in page.inner_text("#strategies")  # the one that died
    assert page.locator("#strategies .spark").count() == 4
    assert "LINK" in page.inner_text("#badges .warn >> nth=0")
    stale = page.locator(".card:has(.doubt[title='LINK at an old mark'])")  # all that rest on it
    assert stale.count() == 5
    assert min(painted(page)) < 1000
    late = page.evaluate(LATENESS)
    assert late is not None, "no event was shown in fifteen seconds"
    assert late < 1000


def test_what_the_page_shows_is_what_the_service_says(page):
    page.click("#positions tr:has-text('LINK') td:nth-child(6) button")
    page.wait_for_selector("#why .why-value")
    asset = page.inner_text("#why-title").removeprefix("cost of ")
    path = f"/api/portfolio/why?figure=cost&asset={asset}&decimals=string"
    told = page.evaluate("async (path) => (await fetch(path)).json()", path)
    assert told["formula"] in page.inner_text("#why-body")
    page.keyboard.press("Escape")
    page.click("#range >> text=All")
    page.wait_for_selector("#curve path.flow", state="attached")
    path = "/api/portfolio/history?period=all&decimals=string"
    told = page.evaluate("async (path) => (await fetch(path)).json()", path)
    flows = [Decimal(each["flow"]) for each in told["points"] if Decimal(each["flow"] or 0)]
    assert {flow > 0 for flow in flows} == {True, False}
    assert page.evaluate(FLOWS) == [[f"{flow:+,.2f}".replace("-", "−"), flow > 0] for flow in flows]


def test_a_break_is_drawn_with_its_place_its_reason_and_what_would_close_it(page):
    assert page.locator("#drift .verdict").count() == 1  # the demo's own account
    made = """async () => { const { drift } = await import("/page/quality.js");
      const shift = (asset, amount) => ({ asset, amount, worth: amount });
      const broken = { kind: "missing fill", where: "between L7 and L9", reason: "came, went",
        when: "after 2026-01-05T10:00:00.5Z", proposal: "buy 0.477 ETH for 2000.48076 USD",
        shifts: [shift("ETH", "0.4770"), shift("USD", "-2000.48076")] };
      const of = (verdict, breaks, as_of) => ({ account: "a", verdict, as_of, breaks,
        command: "bursar drift --account a" });
      const at = "2026-01-05T10:00:03Z", box = document.createElement("div"), asked = [];
      const items = [of("drift", [broken], at), of("equal", [], at), of("unknown", [], null)];
      drift(box, { items }, (name) => asked.push(name));
      const all = (name, of) => [...box.querySelectorAll(name)].map(of);
      all(".break button", (each) => each.click());
      return { verdicts: all(".verdict", (each) => each.firstChild.textContent), asked,
        said: all(".break p", (each) => each.textContent), exact: all(".break button",
        (each) => each.textContent + " " + each.title), commands: all("code", (each) =>
        each.textContent) }; }"""
    assert page.evaluate(made) == {
        "verdicts": ["▲ Differs", "✓ Agrees", "? Not known"],
        "asked": ["missing fill: ETH", "missing fill: USD"],
        "said": [
            "came, went",
            "between L7 and L9; after 2026-01-05T10:00:00Z",
            "Would close it: buy 0.477 ETH for 2000.48076 USD",
        ],
        "exact": ["+0.477 ETH 0.4770", "−2,000.48076 USD -2000.48076"],
        "commands": ["bursar drift --account a"],
    }


def test_a_line_that_may_not_be_copied_is_marked_and_not_called_copied(page):
    made = """async () => { const { command } = await import("/page/panels.js");
      const box = document.body.appendChild(command("bursar plan"));
      Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
      box.querySelector("button").click();
      await Promise.resolve().then(() => {});
      const said = [box.querySelector("button").textContent, String(getSelection())];
      delete navigator.clipboard;
      box.remove();
      return said; }"""
    assert page.evaluate(made) == ["marked: Ctrl-C", "bursar plan"]


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
    assert line["most"] in page.inner_text("#why-body")  # to the last digit


def test_the_last_step_of_a_sparkline_is_marked_where_something_is_open(page):
    """Days are at cost; what is open is counted today alone, and may go away again."""
    made = """async () => { const { capital } = await import("/page/capital.js");
      const of = (strategy, unrealized) => ({ strategy, unrealized, state: null, contributed: "9",
        made: "0", equity: "9", trades: 1, since: "2026-01-01", return_pct: "20", unvalued: [],
        growth: ["1", "1.01", "1.2"] });
      const box = document.createElement("div"), items = [of("open", "5"), of("flat", "0")];
      capital(box, { items, decided_at: null }, null, () => null);
      return [...box.querySelectorAll(".spark")].map((each) => [each.getAttribute("aria-label"),
        ...[...each.querySelectorAll("path")].map((path) => path.getAttribute("class") + " " +
          path.getAttribute("d").split("L").length)]); }"""
    (says, *drawn), flat = page.evaluate(made)
    assert says.endswith("1.01 at cost, 1.2 with what is open today")
    assert drawn == ["line 2", "open 2"]
    assert flat == ["One unit of flat's capital since 1 Jan: 1.2", "line 3"]


def test_weights_that_are_typed_become_a_plan_with_reasons(page, tmp_path):
    page.click("#plan >> text=equal parts")
    page.wait_for_selector("#plan .deed.buy")
    page.fill("#plan .adding input", "sol")
    page.keyboard.press("Enter")
    page.keyboard.type("10")  # it is there to be typed over
    page.fill("#plan [aria-label^='Target of BNB']", "12.5")
    page.wait_for_selector("#plan tr:has-text('SOL') .deed.buy")
    assert page.inner_text("#plan tr:has-text('LINK') .because") == "underweight"
    assert page.evaluate(CLOSED) == []
    assert "for a POSIX shell" in page.inner_text("#plan .shell")
    command = page.inner_text("#plan .command code")
    own = command.rpartition(" && bursar plan weights.csv")[2]
    assert re.fullmatch(r" --book /\S+/demo\.db --portfolio \w+", own)  # not the reader's own
    subprocess.run(["/bin/sh", "-c", command.rpartition(" && ")[0]], cwd=tmp_path, check=True)
    weights = weights_file.read(tmp_path / "weights.csv").target_weights
    assert (weights["BNB"], weights["SOL"]) == (Decimal("0.125"), Decimal("0.10"))
    page.click("#plan .shell button")
    command = page.inner_text("#plan .command code")
    assert command.startswith("Set-Content weights.csv 'symbol,weight', '")
    assert command.endswith(f"; bursar plan weights.csv{own}")
    assert re.findall(r"'(\w+),([\d.]+)'", command) == [
        (symbol, f"{weight:f}") for symbol, weight in weights.items()
    ]
    page.click("#plan .shell button")
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
    assert page.evaluate("document.activeElement.textContent") == "Report"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#why[open] .why-value")
    assert page.inner_text("#why-title") == "Equity"
    page.keyboard.press("Escape")
    page.wait_for_selector("#why:not([open])", state="attached")
    page.focus("#positions tr:has-text('LINK') td:nth-child(6) button")
    page.evaluate(LATENESS)  # the table is drawn anew, and who was there is there still
    assert page.evaluate("document.activeElement.className").startswith("ask-why")
    page.focus("#curve")
    page.keyboard.press("ArrowLeft")
    assert "·" in page.inner_text("#curve-read")
    page.focus(".calendar svg")
    page.keyboard.press("Home")
    assert page.inner_text("#calendar-read").endswith("nothing realised")
    page.keyboard.press("End")
    assert ":" in page.inner_text("#calendar-read")
    page.focus(".why-weight >> nth=0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.ariaExpanded") == "true"
    page.keyboard.press("Enter")
    page.focus("#feed-title summary")
    page.keyboard.press("Enter")
    assert page.is_visible("#feed-title .menu ul")
    page.keyboard.press("Escape")
    assert not page.is_visible("#feed-title .menu ul")
    assert page.evaluate("document.activeElement.textContent") == "Export"


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
    called = page.evaluate(CALLED)
    assert len(called) == 1 + 8 + 8  # equity, cards, panels
    assert all("old" in each for each in called)
    picture(page, "outage")
    wire.mend()
    page.wait_for_selector("body[data-state=live]")
    assert not page.is_visible("#outage")
    url, first = heard[0]
    assert "?seq=" in url
    assert '"portfolio.resumed"' in first
    assert page.evaluate("performance.getEntriesByType('navigation').length") == 1  # not anew


def test_nobody_is_kept_out_in_any_theme_at_any_size(page):
    page.click("#plan >> text=equal parts")
    page.wait_for_selector("#plan .deed.buy")
    page.click(".strategy[aria-label=carry] .why-weight")
    for (theme, size), options in zip(product(THEMES, SIZES), AUDITS, strict=True):
        see(page, theme, size)
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        assert serious(page, options) == [], f"{theme} at {size}"
        pictures(page, f"{theme}-{size[0]}")
    assert len(set(SCREENS.glob("*-[0-9]*-*.png"))) == 4 * 9  # the figures of now, and eight panels
    page.click(".strategy[aria-label=carry] .why-weight")
    page.click("#plan >> text=nothing")


def test_more_than_a_year_is_a_table_of_months_and_years(page):
    made = """async () => { const { calendar } = await import("/page/calendar.js");
      const cells = [...Array(30).keys()].map((n) => ({ row: String(2024 + Math.floor(n / 12)),
        column: String(n % 12 + 1).padStart(2, "0"), pnl: n % 2 ? "-5.5" : "12", records: 1 }));
      const box = document.createElement("div"), read = document.createElement("p");
      const told = { days: { cells: [], total: "0" }, months: { cells, total: "0" }, read };
      calendar(box, told);
      return [...box.querySelectorAll(".years tr")].map((row) => row.textContent); }"""
    head, *years = page.evaluate(made)
    assert head == "JanFebMarAprMayJunJulAugSeptOctNovDec"
    assert [year[:4] for year in years] == ["2026", "2025", "2024"]
    assert years[0] == "2026" + "+12−6" * 3


def test_motion_stops_where_less_of_it_is_asked_for(page):
    moving = """() => { const made = document.createElement("span"); made.className = "changed";
      document.querySelector(".figure").append(made);
      const name = getComputedStyle(made).animationName; made.remove(); return name; }"""
    assert page.evaluate(moving) == "none"
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) == "changed"
    page.emulate_media(reduced_motion="reduce")


def test_a_table_leaves_as_a_file_with_the_digits_of_the_service(page):
    page.click("#positions-title summary")
    with page.expect_download() as found:
        page.click("#positions-title button[aria-label='lots as CSV']")
    assert found.value.suggested_filename == "bursar-lots.csv"
    told = page.evaluate(
        "async () => (await fetch('/api/portfolio/export?format=csv&what=lots')).text()"
    )
    head, *rows = Path(found.value.path()).read_text("utf-8").splitlines()
    assert head == told.splitlines()[0]
    assert len(rows) >= 3
    page.keyboard.press("Escape")
    assert not page.is_visible("#positions-title .menu ul")


def test_the_report_of_what_is_shown_leaves_by_keyboard_and_with_the_token(own, refused_page):
    story = (
        "2026-01-05T10:00:00Z deposit 100000 USD #m:1",
        "2026-01-05T11:00:00Z buy 2 XBT @ 40000 USD fee 8 USD #m:2  strategy=trend",
        "2026-01-06T11:00:00Z buy 1 XBT @ 50000 USD fee 8 USD #m:3  strategy=trend",
        "2026-02-01T09:30:00Z sell 0.5 XBT @ 50000 USD fee 5 USD #m:4  strategy=trend",
    )
    own.do(lambda portfolio: portfolio.record(*golden.read(story)))
    bearer = own.do(lambda book: tokens.new(book.desk.store, book.desk.clock, "page", "read"))
    refused_page.fill("#token", bearer)  # it waits until it is asked for
    refused_page.keyboard.press("Enter")
    refused_page.wait_for_selector("#strategies [aria-label=trend]")
    refused_page.click("#range >> text=1Y")
    refused_page.keyboard.press("Tab")
    refused_page.keyboard.press("Enter")
    refused_page.wait_for_selector("#report output:text-is('1Y')")
    for name, choice in (("Strategy", "trend"), ("Lot rule", "lifo")):
        refused_page.keyboard.press("Tab")
        assert (
            refused_page.evaluate("document.activeElement.labels[0].firstChild.textContent") == name
        )
        refused_page.keyboard.type(choice)
    for kind, head in (("html", b"<!doctype html>"), ("pdf", b"%PDF-")):
        refused_page.keyboard.press("Tab")
        with (
            refused_page.expect_request("**/report/file?*") as asked,
            refused_page.expect_download() as got,
        ):
            refused_page.keyboard.press("Enter")
        assert asked.value.headers["authorization"] == f"Bearer {bearer}"
        query = dict(parse_qsl(urlsplit(asked.value.url).query))
        wanted = {"format": kind, "range": "1Y", "strategy": "trend", "method": "lifo"}
        assert query == wanted
        assert got.value.suggested_filename == f"bursar-report-1Y-trend-lifo.{kind}"
        assert Path(got.value.path()).read_bytes().lower().startswith(head.lower())
    refused = {"error": {"message": "reports need: pip install 'bursar[report]'"}}
    refused_page.route("**/report/file?*", lambda route: route.fulfill(status=501, json=refused))
    refused_page.keyboard.press("Enter")
    refused_page.wait_for_selector("#report .says:text('bursar[report]')")
    refused_page.keyboard.press("Escape")
    assert not refused_page.is_visible("#report .fields")
    assert refused_page.evaluate("document.activeElement.textContent") == "Report"


def test_an_empty_portfolio_says_what_to_do_and_comes_alive_at_any_pace(own, own_page):
    """From nothing to ten thousand updates a second, which are ten frames at most."""
    own_page.wait_for_selector("#drift .empty")
    picture(own_page, "empty")
    for place, hint in HINTS.items():
        assert hint in own_page.inner_text(place)
    assert serious(own_page, ALL_BUT_COLOURS) == []
    coins = [f"C{number}" for number in range(COINS)]
    lines = ["2026-01-05T10:00:00Z deposit 1000000 USD #m:0"]
    lines += [f"2026-01-05T11:00:00Z buy 10 {coin} @ 10 USD #m:{coin}" for coin in coins]
    own.do(lambda portfolio: portfolio.record(*golden.read(lines)))
    own_page.wait_for_selector("#badges li:has-text('last trade: C0, C1, ')")
    assert own_page.locator("#badges li:has-text('last trade')").count() == 1
    own.do(lambda portfolio: portfolio.see(marks(portfolio, coins, 0)))
    own_page.wait_for_selector("#positions tr:has-text('C19')")
    own_page.evaluate(DRAWN)
    before, heaps, began = own.service.publisher.state.count, [], monotonic()
    for _ in range(PARTS):
        own.do(lambda portfolio: pour(portfolio, own.service.publisher, coins))
        heaps.append(heap(own_page))
    drawn, told = own_page.evaluate("drawn"), own.service.publisher.state.count - before
    took = monotonic() - began  # longer than was poured: what the page holds is looked at too
    went = f"{told} publications, {drawn} frames in {took:.1f} s; bytes held {heaps}"
    (SCREENS / "ten-thousand.txt").write_text(went + "\n")
    assert PAGE_SECONDS <= drawn <= 10 * took + PARTS, went
    assert max(heaps[PARTS // 2 :]) < 1.25 * max(heaps[: PARTS // 2]) + 500_000, went
    assert not own.service.publisher.state.trouble
    equity = trimmed(own.do(lambda portfolio: portfolio.equity().value))
    own_page.wait_for_selector(f"#equity button[title='{equity}']")  # the last is never lost


async def pour(portfolio, publisher, coins):
    """Tell marks of every coin a hundred times a second, for a part of the time."""
    began, turn = monotonic(), 0
    while (now := monotonic() - began) < PAGE_SECONDS / PARTS:
        while turn < now * UPDATES / len(coins):
            turn += 1
            portfolio.see(marks(portfolio, coins, turn))
            publisher.touch()
        await asyncio.sleep(0.005)


def marks(portfolio, coins, turn):
    price, at = Decimal(10) + Decimal(turn % 97) / 8, portfolio.desk.clock.now()
    return [Mark(coin, "USD", price, "poured", at) for coin in coins]


def heap(page):
    """How many bytes the page holds, after what it does not hold is gone."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = session.send("Runtime.getHeapUsage")["usedSize"]
    session.detach()
    return int(used)
