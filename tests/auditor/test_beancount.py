"""Beancount reads our export and holds the same lots, at the same cost, under every cost rule.

Beside that it is asked to choose the lots itself: where its booking method is our rule, it must
take the same ones.
"""

import random

import msgspec
import pytest

from bursar.app import open as open_portfolio
from bursar.ledger.planning import planned
from bursar.ledger.terms import Method, Terms
from bursar.ledger.timeline import Timeline
from bursar.portfolio.exports.legs import Change, Face, posted
from tests import figures
from tests.auditor import histories
from tests.auditor.reader import choosing, differences, exported, held, kept, ledger, loaded
from tests.golden.test_golden import FILES, by_name, told
from tests.venue.test_kraken_story_a import STORY

STORY_FILES = ("ledgers.gen4-16col.csv", "trades.gen2-24col.csv", "prices.csv")
RULES = (Method.FIFO, Method.LIFO, Method.HIFO)

# Where beancount's own method takes other lots than our rule, and why that is no disagreement.
OTHER_LOTS = {
    ("the story", Method.LIFO): "it knows days, not times",
    ("lots-sequence", Method.LIFO): "it knows days, not times",
    ("refine-order", Method.LIFO): "it knows days, not times",
    ("rename-pooled", Method.LIFO): "it knows days, not times",
    ("reverse-deposit", Method.FIFO): "what came is taken back from its own lot",
    ("reverse-rest-by-rule", Method.FIFO): "what came is taken back from its own lot",
    ("reverse-rest-by-rule", Method.LIFO): "what came is taken back from its own lot",
    ("reverse-stands-until", Method.FIFO): "what came is taken back from its own lot",
    ("staged-lots", Method.FIFO): "lots were set by hand",
}

# Whose numbers have more digits than beancount reads.
BEYOND = {"digits", "digits-huge-lot"}


def under(terms, rule):
    return msgspec.structs.replace(terms, method=rule)


def is_beyond_28_digits(timeline):
    """Whether amounts are so large that 28 digits, which beancount has, end before 18 decimals."""
    legs = [leg for each in posted(timeline.terms, timeline) for leg in each.legs]
    amounts = [number for leg in legs for number in numbers(leg)]
    return max(map(abs, amounts), default=0) >= 10**9


def numbers(leg):
    if isinstance(leg, Change):
        return (leg.before.units, leg.before.cost, leg.after.units, leg.after.cost)
    return (leg.units if isinstance(leg, Face) else leg.amount,)


def agreed(terms, facts):
    """Export, load and compare; return how many lots there were."""
    text = exported(terms, facts)
    transactions, errors = loaded(text)
    assert errors == [], errors[:3]
    ours = kept(ledger(terms, facts).book)
    assert not list(differences(ours, held(transactions)))
    return len(ours)


def chosen(terms, facts):
    """Whether beancount, choosing lots itself, ends with the very same ones; None without sales."""
    text = exported(terms, facts)
    open_ended = choosing(text)
    if open_ended == text:
        return None
    transactions, errors = loaded(open_ended)
    return not errors and left(transactions) == left(loaded(text)[0])


def left(transactions):
    return {key: found[:2] for key, found in held(transactions).items() if found[0]}


@by_name(FILES)
def test_every_golden_file_holds_the_same_lots(path):
    timeline, _ = told(path)
    if path.stem in BEYOND:
        assert is_beyond_28_digits(timeline)
    else:
        agreed(timeline.terms, list(timeline))


@by_name(FILES)
def test_beancount_chooses_the_lots_of_our_rule(path):
    timeline, _ = told(path)
    for rule in RULES:
        same = chosen(under(timeline.terms, rule), list(timeline))
        assert same is None or same is ((path.stem, rule) not in OTHER_LOTS), rule


def test_what_cannot_be_compared_is_few():
    assert len(OTHER_LOTS) < len(FILES) * len(RULES) / 30
    assert len(BEYOND) < len(FILES) / 30


@pytest.mark.parametrize("rule", list(Method))
def test_the_story_holds_the_same_lots(rule):
    with open_portfolio(":memory:", terms=Terms(base="EUR")) as portfolio:
        portfolio.import_files(*(STORY / name for name in STORY_FILES))
        terms, facts = under(portfolio.terms, rule), list(portfolio.timeline)
    assert agreed(terms, facts) >= 7
    if rule in RULES:
        assert chosen(terms, facts) is (("the story", rule) not in OTHER_LOTS)


@pytest.mark.sweep
def test_random_histories_hold_the_same_lots():
    beyond = 0
    for seed in range(figures.SEED, figures.SEED + figures.EXPORTS):
        rng = random.Random(seed)
        terms = histories.terms(rng)
        timeline = Timeline(terms)
        timeline.land(planned(timeline, histories.history(rng, rng.randint(1, 40), terms)))
        try:
            agreed(terms, list(timeline))
        except AssertionError as error:
            if not is_beyond_28_digits(timeline):
                raise AssertionError(f"BURSAR_SWEEP_SEED={seed}: {error}") from error
            beyond += 1
    assert beyond <= figures.EXPORTS / 10
