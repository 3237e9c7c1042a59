"""Figures on the page, over REST, on the command line and in a report are equal, to the digit.

Random portfolios of everything that can happen, each asked at one instant. The page is read in a
real Chromium: a figure on it bears its exact text, whatever it is rounded to for the eye.
"""

import json
import random
from contextlib import closing
from html.parser import HTMLParser

import httpx2
import pytest

from bursar.app import SystemClock, portfolio_of
from bursar.cli import main
from bursar.ledger import instant
from bursar.portfolio import snapshots
from bursar.store import open_store
from tests import figures
from tests.auditor import histories
from tests.browser.conftest import Own, browser
from tests.http.conftest import told

ROOT = "/api/portfolio/"
LATER = 40 * instant.DAY
__all__ = ["browser"]  # a fixture

# All that the page shows, with every digit: by place, row by row.
SHOWN = """() => {
  const exact = (box) => [box, ...box.querySelectorAll("*")].map((each) => each.title)
    .filter(Boolean);
  const all = (name, box = document) => [...box.querySelectorAll(name)];
  const rows = (boxes, name, figures) => Object.fromEntries(all(boxes).map((row) =>
    [row.querySelector(name).firstChild.textContent,
      all(figures, row).map((box) => exact(box)[0] ?? null)]));
  return {
    equity: exact(document.getElementById("equity")),
    cards: rows(".card", ".label", ".figure, .foot"),
    holdings: rows("#positions tbody tr", "b", "td.num"),
    exposure: rows("#exposure .split > div", ".label", ".ask-why"),
    bars: all("#exposure .bars button").flatMap(exact),
    strategies: rows("#strategies .strategy", ".name b", ".worth, .sub:not(.own, .none), .sub.own"),
    months: exact(document.querySelector("#calendar .months, #calendar .years") ?? document.head),
  };
}"""
DRAWN = "#calendar > *"  # the last that is


class Standing(SystemClock):
    """A clock that stands until it is put elsewhere."""

    at = histories.START

    def now(self):
        return self.at


class OnPage(HTMLParser):
    """The figures of a page, with every digit."""

    def __init__(self, text):
        super().__init__()
        self.figures = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "data":
            self.figures.add(dict(attrs)["value"])


@pytest.fixture
def sheet(browser):
    """A page of a browser, small: what is read is not looked at."""
    page, wrong = browser.new_page(viewport={"width": 320, "height": 240}), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    yield page
    page.close()
    assert wrong == []


def written(place, rng, clock):
    """A random portfolio, with a snapshot now and then. Returns the cost rule of another."""
    terms = histories.terms(rng)
    with closing(portfolio_of(open_store(str(place), "main", terms=terms), clock)) as portfolio:
        for entries in histories.batches(rng, histories.history(rng, rng.randint(10, 40), terms)):
            portfolio.record(*entries)
            clock.at = max([clock.at, *(each.executed_at for each in entries)]) + instant.SECOND
            snapshots.take(portfolio)
    clock.at += rng.choice((instant.SECOND, instant.DAY, LATER))
    return rng.choice(("wac", "fifo", "lifo", "hifo"))


def halved(now):
    """The first half of what has happened: it has ended."""
    return histories.START, histories.START + (now - histories.START) // 2


def printed(capsys, *words):
    assert main(list(words)) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def asking(port):
    return httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)


def asked(client, name, **params):
    answer = client.get(ROOT + name, params={"decimals": "string", **params})
    assert answer.status_code == 200, answer.text
    return answer.json()


def figures_of(report):
    """All of a report but what the past, of which the command line is asked, does not keep."""
    said = [each for each in report["remarks"] if "certificate" not in each]
    return {**without(report, "certificates"), "remarks": said}


def without(told, *names):
    return {name: value for name, value in told.items() if name not in names}


@pytest.mark.sweep
@pytest.mark.slow("five portfolios, each asked some twenty times in four ways")
def test_figures_are_equal_wherever_they_are_asked(sheet, tmp_path, capsys):
    for seed in range(figures.SEED, figures.SEED + figures.FIGURES):
        place, clock = tmp_path / f"{seed}.db", Standing()
        rule = written(place, random.Random(seed), clock)
        with closing(Own(told(place), clock)) as own, asking(own.port) as client:
            report = asked(client, "report")
            other = asked(client, "report", method=rule, tax_year="04-06")
            begin, end = (instant.show(each) for each in halved(clock.at))
            half = asked(client, "report", **{"from": begin, "to": end})
            compare_with_routes(client, report, seed)
            compare_with_published(client, report, seed)
            sheet.goto(f"http://127.0.0.1:{own.port}/")
            sheet.wait_for_selector(DRAWN)
            compare_with_page(client, report, sheet.evaluate(SHOWN), seed)
        shown = ("--book", str(place), "--at", instant.show(clock.at), "--json")
        here = printed(capsys, "report", *shown)
        assert figures_of(here) == figures_of(report), f"BURSAR_SWEEP_SEED={seed}"
        said = printed(capsys, "report", "--lots", rule, "--tax-year", "04-06", *shown)
        assert figures_of(said) == figures_of(other), f"BURSAR_SWEEP_SEED={seed}"
        # A range that has ended is the same whenever it is asked: here months later.
        said = printed(
            capsys, "report", "--book", str(place), "--from", begin, "--to", end, "--json"
        )
        assert without(said, "made_at") == without(half, "made_at"), f"BURSAR_SWEEP_SEED={seed}"
        pnl = printed(capsys, "pnl", "--by", "strategy", "--method", rule, *shown)
        realized = pnl["methods"][0]["total"]["realized"]
        assert other["gains"]["realized"] == other["pnl"]["realized_pnl_base_total"] == realized
        place.unlink()


def compare_with_routes(client, report, seed):
    """Hold the report against what each route answers."""
    again = f"BURSAR_SWEEP_SEED={seed}"
    own = report["performance"]
    assert without(own, "curve") == asked(client, "performance"), again
    assert own["curve"] == asked(client, "history"), again
    assert report["risk"] == asked(client, "risk"), again
    assert report["strategies"] == asked(client, "strategies"), again
    for laid in report["heatmaps"]:
        assert laid == asked(client, "heatmap", kind=laid["kind"]), again
    fees = asked(client, "fees")
    assert {name: fee["value"] for name, fee in report["fees"]["by_asset"].items()} == (
        fees["by_asset"]
    ), again
    assert report["flows"] == asked(client, "cash-flows", limit=500)["items"], again
    holdings = {each["asset"]: each for each in asked(client, "holdings")["items"]}
    for line in report["holdings"]:
        same = ("quantity", "cost", "mark", "value", "unrealized", "share_pct")
        assert [line[name] for name in same] == [holdings[line["asset"]][name] for name in same]


def compare_with_published(client, report, seed):
    """Hold it against what is published, which the live page is told, and against its own page."""
    snapshot, pnl = asked(client, "snapshot"), asked(client, "pnl")
    worth, own = report["worth"], report["performance"]
    assert worth["equity"] == snapshot["total_equity"], seed
    assert worth["unrealized"] == snapshot["unrealized_pnl"] == pnl["unrealized_pnl"], seed
    assert report["pnl"]["realized_pnl_base_total"] == pnl["realized_pnl_total"], seed
    assert own["trades"]["win_rate"]["value"] == pnl["win_rate"], seed
    set_ = client.get(ROOT + "report/file")
    assert "attachment" in set_.headers["content-disposition"]
    page = OnPage(set_.text).figures
    for figure in (
        own["made"]["value"],
        own["twr_pct"]["value"],
        own["ratios"]["sharpe"]["value"],
        own["nav_drawdown"]["max_pct"]["value"],
        report["pnl"]["realized_pnl_base_total"],
        report["gains"]["realized"] if report["gains"]["by_calendar_year"] else None,
        *(each["realized"] for each in report["gains"]["by_calendar_year"]),
        *(line["value"] for line in report["holdings"]),
    ):
        assert figure is None or figure in page, (seed, figure)


def compare_with_page(client, report, shown, seed):
    """Hold every figure that the browser shows against the service and the report."""
    snapshot, exposure = asked(client, "snapshot"), asked(client, "exposure")
    worth = report["worth"]
    assert shown["equity"] == known(worth["equity"], snapshot["daily_pnl"]), seed
    performance = report["performance"]
    week, month = (asked(client, "performance", period=name) for name in ("week", "month"))
    now = performance["drawdown"]["current_pct"]["value"]
    cards = {
        "This week": made(week),
        "This month": made(month),
        "Drawdown": (below(now), performance["drawdown"]["max_pct"]["value"]),
        "Gross exposure": (exposure["total_exposure"], None),
        "Net exposure": (exposure["net_exposure"], None),
        "Realised": (report["pnl"]["realized_pnl_base_total"], worth["unrealized"]),
        "Cash": (snapshot["cash_balance"], None),
    }
    for name, (value, foot) in cards.items():
        own, under = shown["cards"][name]
        assert own == value, (seed, name)
        assert foot is None or under == foot, (seed, name)
    sharpe = performance["ratios"]["sharpe"]
    assert shown["cards"]["Sharpe"][0] == (sharpe["value"] or sharpe["reason"]), seed
    lines = {each["asset"]: each for each in report["holdings"]}
    cash = {each["asset"] for each in asked(client, "holdings")["items"] if each["is_cash"]}
    assert shown["holdings"].keys() == lines.keys(), seed
    for asset, cells in shown["holdings"].items():
        same = ("value", "unrealized", "share_pct", "quantity", "cost", "mark")
        pairs = zip(cells, (lines[asset][name] for name in same), strict=True)
        assert all(a == b or (a is None and asset in cash) for a, b in pairs), (seed, asset)
    for name, field in (("Long", "long_exposure"), ("Short", "short_exposure")):
        assert shown["exposure"].get(name, [exposure[field]]) == [exposure[field]], (seed, name)
    drawable = {*exposure["exposure_by_symbol"].values(), *exposure["exposure_by_sector"].values()}
    assert set(shown["bars"]) <= drawable, seed
    is_divided = any(each["strategy"] != "manual" for each in report["standing"])
    for each in report["standing"] if is_divided else ():
        assert shown["strategies"][each["strategy"]][:2] == [each["equity"], each["made"]], seed
    (laid,) = (each for each in report["heatmaps"] if each["kind"] == "month")
    assert sorted(shown["months"]) == sorted(cell["pnl"] for cell in laid["cells"]), seed


def made(period):
    """What a card says of a period; where that is not known, its foot says why."""
    value, reason = period["made"]["value"], period["made"]["reason"]
    return value, reason if value is None else period["twr_pct"]["value"]


def known(*values):
    return [each for each in values if each is not None]


def below(value):
    """A fall as the page says it: with its sign."""
    return value if value in (None, "0") else f"-{value}"
