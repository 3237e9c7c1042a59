"""A report: what is in it, what changes it, and that page and paper set the same figures."""

import html as markup
import re
import sys
from decimal import Decimal, localcontext
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from bursar import report as reports
from bursar.errors import BadChoice
from bursar.exact import show, trimmed
from bursar.ledger import instant
from bursar.ledger.terms import Method
from bursar.portfolio import agreement
from bursar.portfolio.gains import YearStart
from bursar.reconcile import Limits, Statement
from bursar.reconcile.statement import Holding
from bursar.report import Asked, conventions, html, pdf
from bursar.report import document as say
from bursar.report import drawing as draw
from bursar.report.sections import document
from bursar.value.worth import Options
from tests.unit.measure.samples import loose
from tests.unit.portfolio.test_measures import a_month, begun, keep, tell

MEASURES = Path(__file__).parents[3] / "docs" / "MEASURES.md"
D = Decimal
report = loose(reports.report)


@pytest.fixture(scope="module")
def sample():
    """A month with trades, a deposit and a strategy."""
    portfolio = begun()
    return portfolio, a_month(portfolio)


@pytest.fixture(scope="module")
def made(sample):
    portfolio, prices = sample
    return report(portfolio, Asked(benchmark="XBT", tax_year=YearStart(4, 6)), prices)


@pytest.fixture(scope="module")
def page(made):
    return html(made)


class Read(HTMLParser):
    """What of a page a browser would load, the figures on it, and the ids that links go to."""

    def __init__(self, text):
        super().__init__()
        self.loads, self.figures, self.ids, self.links, self.tags = [], [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.tags.append(tag)
        self.ids |= {told["id"]} if "id" in told else set()
        self.links += [told["href"]] if tag == "a" else []
        self.figures += [told["value"]] if tag == "data" else []
        named = ("src", "srcset", "action", "data", "poster", "background", "xlink:href")
        self.loads += [told[each] for each in named if each in told]
        self.loads += [told["href"]] if tag == "link" else []


def test_the_figures_are_those_of_the_verbs(sample, made):
    portfolio, prices = sample
    own = portfolio.performance("all", prices)
    assert made.performance == own
    assert made.trades == own.trades
    assert made.strategy_trades == own.by_strategy
    assert {each.kind.value: each for each in made.heatmaps}["month"] == portfolio.heatmap("month")
    assert made.fees == portfolio.fees()
    assert list(made.flows) == portfolio.flows()
    assert made.risk == portfolio.risk(prices)
    assert made.worth.equity == portfolio.equity(prices).value
    assert made.gains.realized == made.pnl.realized_pnl_base_total


def test_what_is_not_known_is_named():
    portfolio = begun("2026-01-01T00:00:00Z reward 3 DUST #k:r")
    keep(portfolio, "2026-01-02T10:00:00Z", XBT=100)
    made = report(portfolio)
    assert made.worth.unvalued == ("DUST",)
    (dust,) = (each for each in made.holdings if each.asset == "DUST")
    assert (dust.value, dust.cost, dust.unrealized) == (None, None, None)
    hero = document(made).hero
    assert (hero.cell.text, hero.note[-12:]) == ("10,000.00", "without DUST")
    page = html(made)
    said = markup.unescape(page)
    assert "not valued: DUST: no mark" in said
    assert "unpriced: 1 of DUST" in said
    assert "no certificate of a reconciliation is kept" in said
    assert 'class="unknown" title="no price"' in page


def test_a_trip_that_rests_on_a_fee_without_a_price_is_marked_and_counted():
    portfolio = begun(
        "2026-01-01T00:00:00Z reward 3 DUST #k:r",
        "2026-01-01T00:00:00Z buy 2 XBT @ 100 EUR #k:1",
        "2026-01-01T00:00:01Z sell 1 XBT @ 110 EUR fee 1 DUST #k:2",
    )
    made = report(portfolio)
    assert [trip.flags for trip in made.trips] == [("assumed_basis", "unpriced")]
    said = markup.unescape(html(made))
    assert "1 of 1 round trips have a fee, a leg or a settlement that nobody priced" in said
    assert "XBT/EUR · assumed_basis · unpriced" in said


def test_a_page_needs_nothing_but_itself(page):
    read = Read(page)
    assert not read.loads
    assert not re.search(r"url\(|@import|expression\(", page)
    assert re.sub(r"http://www\.w3\.org/2000/svg", "", page).count("//") == 0
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(read.tags)
    assert {each.removeprefix("#") for each in read.links} <= read.ids
    assert "default-src 'none'" in page


def test_the_decimal_context_of_the_caller_changes_nothing_on_the_page(made, page):
    with localcontext(prec=2):
        assert html(made) == page


def test_every_digit_is_on_the_page(made, page):
    there = set(Read(page).figures)
    own = made.performance
    for figure in (
        own.equity_end.value,
        own.twr_pct.value,
        own.nav_drawdown.max_pct.value,
        made.trades.profit_factor.value,
        made.pnl.realized_pnl_base_total,
        made.gains.by_tax_year[0].realized,
        made.benchmark.return_pct.value,
    ):
        assert trimmed(figure) in there


def test_a_strangers_text_stays_text(sample):
    portfolio, prices = sample
    told = msgspec.structs.replace(
        report(portfolio, None, prices), remarks=("<script>alert(1)</script> & #strong[x]",)
    )
    assert "<script>" not in html(told)
    assert pdf(told).startswith(b"%PDF")


def test_the_paper_has_the_same_document_and_opens(made):
    content = pdf(made)
    assert content.startswith(b"%PDF-")
    assert content.rstrip().endswith(b"%%EOF")
    assert content == pdf(made)
    (pages,) = re.findall(rb"/Type/Pages/Count (\d+)", content)
    assert int(pages) >= 3


def test_a_range_has_its_own_trades_and_the_holdings_of_its_end(sample):
    portfolio, prices = sample
    told = report(portfolio, Asked(period=("2026-01-10", "2026-01-20")), prices=None)
    assert told.window.start.day == 10
    assert {each.closed_at // instant.DAY - 20_454 for each in told.trips} <= set(range(9, 20))
    assert 0 < told.trades.count < portfolio.performance("all", prices).trades.count
    assert [each.type for each in told.flows] == ["deposit"]
    assert instant.show(told.worth.at).startswith("2026-01-19T23:59:59")
    (coin,) = (each for each in told.holdings if each.asset == "XBT")
    assert (coin.mark_source, coin.mark) == ("snapshot", D(100 + 19 * 7 % 23))
    assert told.worth.equity == told.performance.equity_end.value or told.worth.unvalued


def test_of_the_last_snapshot_of_a_range_and_a_trade_the_later_one_counts():
    portfolio = begun("2026-01-01T00:00:00Z buy 2 XBT @ 90 EUR #k:b")
    keep(portfolio, "2026-01-02T10:00:00Z", XBT=100)
    portfolio.desk.clock.set("2026-02-01T00:00:00Z")
    tell(portfolio, "2026-01-03T10:00:00Z sell 1 XBT @ 120 EUR #k:s")
    for end, mark, source in (("2026-01-03", 100, "snapshot"), ("2026-01-04", 120, "last trade")):
        told = report(portfolio, Asked(period=(None, end)))
        (coin,) = (each for each in told.holdings if each.asset == "XBT")
        assert (coin.mark, coin.mark_source) == (mark, source)


def test_a_range_that_has_ended_is_not_asked_of_the_past(sample):
    portfolio, _ = sample
    then = portfolio.at("2026-01-20")
    assert report(then, Asked(period=("2026-01-10", None))).worth.at == then.desk.clock.now()
    with pytest.raises(BadChoice, match="leave out its end"):
        report(then, Asked(period=("2026-01-10", "2026-01-15")))


def test_a_view_that_leaves_assets_out_says_of_what_the_figures_are():
    portfolio = begun("2026-01-01T00:00:00Z buy 2 XBT @ 90 EUR #k:b")
    portfolio.options = Options(exclude_assets=frozenset({"BTC"}))
    told = report(portfolio, None, {"XBT": "100"})
    assert "XBT" not in {each.asset for each in told.holdings}
    assert told.worth.excluded_value == 200
    assert any("leaves assets out" in each for each in told.remarks)
    hero = document(told).hero
    assert hero.cell.text == show(told.worth.equity + 200, places=2)
    assert hero.note.endswith("UTC, with what the view leaves out")


def test_a_range_of_the_page_is_a_period(sample):
    portfolio, prices = sample
    month = report(portfolio, Asked(period="1M"), prices)
    assert month.performance.twr_pct == portfolio.performance("30d", prices).twr_pct
    year = report(portfolio, Asked(period="YTD"), prices)
    assert year.window.start.isoformat() == "2026-01-01T00:00:00+00:00"
    with pytest.raises(BadChoice, match="2D"):
        report(portfolio, Asked(period="2D"), prices)


def test_another_cost_rule_changes_what_was_realised_and_nothing_that_is_worth(sample, made):
    portfolio, prices = sample
    told = report(portfolio, Asked(method="hifo"), prices)
    assert told.method == "hifo"
    (rule,) = portfolio.pnl(methods=["hifo"], prices=prices)
    assert told.pnl.realized_pnl_base_total == rule.pnl.total.realized
    assert told.gains.realized == rule.pnl.total.realized
    assert told.pnl.realized_pnl_base_total != made.pnl.realized_pnl_base_total
    assert told.trades.net != made.trades.net
    assert told.worth.equity == made.worth.equity
    assert told.performance.twr_pct == made.performance.twr_pct
    assert {each.term.value for each in told.gains.disposals} == {"short"}


def test_a_strategy_has_its_own_trades_and_its_own_book(sample):
    portfolio, prices = sample
    told = report(portfolio, Asked(strategy="trend", benchmark="XBT"), prices)
    whole = report(portfolio, Asked(), prices)
    assert (told.performance, told.benchmark, told.flows, told.risk) == (None, None, (), None)
    assert {each.strategy for each in told.trips} == {"trend"}
    assert told.trades == whole.strategy_trades["trend"]
    assert set(told.strategies.parts) == {"trend"}
    assert told.pnl.realized_pnl_base_total == whole.strategies.parts["trend"].realized
    assert told.made_by_day
    assert any("benchmark" in each for each in told.remarks)
    assert "Made, at cost" in html(told)
    with pytest.raises(BadChoice, match="manual, trend"):
        report(portfolio, Asked(strategy="nobody"), prices)


def test_a_notebook_shows_the_page_in_a_frame_of_its_own(made, page):
    frame = made._repr_html_()
    assert markup.unescape(frame.split('srcdoc="')[1].split('"')[0]) == page


def test_a_certificate_is_on_the_report():
    portfolio = begun()
    cash = portfolio.book().holdings["k", "EUR"].quantity
    stated = (Holding(asset="EUR", code="EUR", total=cash + 5),)
    at = portfolio.desk.clock.now()
    agreement.remember(portfolio, Statement(account="k", as_of=at, holdings=stated))
    found = agreement.reconciled(portfolio, "k", Limits())
    agreement.certified(portfolio, found)
    (told,) = report(portfolio).certificates
    assert told.certificate.verdict == "drift"
    assert "books differ from venue in" in told.sentence
    assert told.seal[:16] in html(report(portfolio))
    (then,) = report(portfolio.at("2026-01-01T00:00:01Z")).certificates
    assert then.sentence == "k: certificates are kept of the present alone"


def test_a_book_with_nothing_in_it_has_a_report_that_says_so():
    portfolio = begun()
    empty = report(portfolio)
    text = html(empty)
    assert "unknown" in text
    assert "no round trip has closed" in markup.unescape(text)
    assert pdf(empty).startswith(b"%PDF")


def test_conventions_are_those_of_the_manual():
    manual = MEASURES.read_text("utf-8")
    for name, formula in (*conventions.CURVE, *conventions.RATIOS, *conventions.TRIPS):
        assert formula in manual, name
    assert set(conventions.METHODS) == {each.value for each in Method}


def test_an_axis_has_round_numbers_and_a_long_curve_few_points():
    points = [(day * instant.DAY, D(day % 97)) for day in range(4_000)]
    drawn = draw.drawing(
        (draw.Pane(label="a & b", height=900, series=(draw.Series("one", points),)),)
    )
    (path,) = re.findall(r'<path d="M([^"]*)" class="line one"/>', drawn)
    assert path.count("L") < 1_000
    assert ">50</text>" in drawn
    assert ">1974</text>" in drawn
    assert "a &amp; b" in drawn
    assert draw.drawing(()) == ""


def test_without_what_sets_it_a_report_says_what_is_missing(made, monkeypatch):
    sys.modules["bursar.report.html"]._page.cache_clear()
    for library, set_ in (("jinja2", html), ("typst", pdf)):
        monkeypatch.setitem(sys.modules, library, None)
        with pytest.raises(BadChoice, match=r"bursar\[report\]"):
            set_(made)


def test_a_figure_is_grouped_and_a_loss_has_a_sign(made):
    hero = document(made).hero.cell
    assert hero.text == show(made.performance.equity_end.value, places=2)
    assert say.gain(D("-1234.5")) == say.Cell("−1,234.50", "-1234.5", "loss")
    assert say.gain(D("0.001")).text == "+0.00"
    assert say.price(D("0.00000012")).text == "0.00000012"
    assert [each.heat for each in say.heated(map(say.gain, (D(-9), D(0), D(1))))] == [9, 0, 1]
