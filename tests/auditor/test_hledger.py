"""Our hledger journal balances, and what its accounts cost is what the book says, exactly.

A small reader of our own does what hledger does with such a journal: it adds up amounts and total
costs, and checks each transaction and each assertion. Where hledger itself is installed it checks
them too.
"""

import random
import re
import shutil
import subprocess
from fractions import Fraction

import pytest

from bursar.app import open as open_portfolio
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method, Terms
from bursar.ledger.timeline import Timeline
from bursar.portfolio.exports import hledger
from tests import figures
from tests.auditor import histories
from tests.auditor.reader import ledger
from tests.auditor.test_beancount import STORY_FILES, under
from tests.golden.test_golden import FILES, by_name, told
from tests.venue.test_kraken_story_a import STORY

HLEDGER = shutil.which("hledger")
NUMBER, COMMODITY = r"(-?\d+(?:\.\d+)?)", r'("[^"]+"|[A-Za-z]+)'
POSTING = re.compile(
    rf"    (\S.*?)  {NUMBER} {COMMODITY}(?: @@ {NUMBER} {COMMODITY})?(?: = {NUMBER} {COMMODITY})?"
)
OTHER = re.compile(
    r"(?:\d{4}-\d\d-\d\d [*!] \S.*|    ; .*|; .*|P .*|commodity .*|decimal-mark \.|)"
)


def read(text, base):
    """Return (account, commodity) → (units, cost), checking every transaction and assertion."""
    held: dict = {}
    off = Fraction(0)
    for line in text.splitlines():
        posting = POSTING.fullmatch(line)
        if posting is None:
            assert OTHER.fullmatch(line), line
            assert off == 0, line
            continue
        account, units, asset, cost, priced, stated, _ = posting.groups()
        count = Fraction(units)
        assert priced in (None, base)
        assert asset == base or cost is not None or not count
        worth = count if cost is None else abs(Fraction(cost)) * (1 if count > 0 else -1)
        known = held.get((account, asset), (0, 0))
        held[account, asset] = (known[0] + count, known[1] + worth)
        off += worth
        if stated is not None:
            assert held[account, asset][0] == Fraction(stated), line
    assert off == 0
    return held


def judged(terms, facts):
    written = ledger(terms, facts)
    text = "".join(hledger(written))
    held = {key: value for key, value in read(text, terms.base).items() if any(value)}
    assets = {key: value for key, value in held.items() if key[0].startswith("Assets:")}
    kept = {}
    for (place, asset), holding in written.book.holdings.items():
        key = (f"Assets:{'Pool' if place == '*' else place}", asset)
        kept[key] = (Fraction(holding.quantity), Fraction(holding.cost))
    same = {(account, asset.strip('"')): value for (account, asset), value in assets.items()}
    assert same == {key: value for key, value in kept.items() if any(value)}
    return text


def check(text):
    if HLEDGER is not None:
        done = subprocess.run(
            [HLEDGER, "-f", "-", "check"], input=text, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr


@by_name([path for path in FILES if path.stem != "names"])
def test_every_golden_file_costs_the_same(path):
    timeline, _ = told(path)
    judged(timeline.terms, list(timeline))


def test_names_of_every_kind_can_be_read():
    (path,) = (path for path in FILES if path.stem == "names")
    timeline, _ = told(path)
    text = "".join(hledger(ledger(timeline.terms, list(timeline))))
    assert read(text, timeline.terms.base)
    check(text)


@pytest.mark.parametrize("rule", list(Method))
def test_the_story_costs_the_same(rule):
    with open_portfolio(":memory:", terms=Terms(base="EUR")) as portfolio:
        portfolio.import_files(*(STORY / name for name in STORY_FILES))
        check(judged(under(portfolio.terms, rule), list(portfolio.timeline)))


@pytest.mark.sweep
def test_random_histories_cost_the_same():
    for seed in range(figures.SEED, figures.SEED + figures.EXPORTS):
        rng = random.Random(seed)
        terms = histories.terms(rng)
        timeline = Timeline(terms)
        timeline.land(planned(timeline, histories.history(rng, rng.randint(1, 40), terms)))
        check(judged(terms, list(timeline)))
