"""What beancount makes of our export: every lot that it holds, with units and total cost."""

import re
from fractions import Fraction

from beancount import loader
from beancount.core.data import Transaction

from bursar.exact import money
from bursar.ledger.book import POOL, Book
from bursar.ledger.fold import fold
from bursar.ledger.lots.base import total, units
from bursar.portfolio.exports import Ledger, beancount
from bursar.portfolio.exports.names import commodity, component

NAMED_LOT = re.compile(r'^(  Assets\S+(?<!:Owed)  -\S+ \S+) \{[\d-]+, ".*"\}$', re.MULTILINE)
AGAIN = re.compile(r"#\d+$")  # a lot that came in several pieces
ATOM = Fraction(1, 10**18)


def ledger(terms, facts):
    facts = list(facts)
    return Ledger(terms, facts, fold(facts, Book(terms)))


def exported(terms, facts):
    return "".join(beancount(ledger(terms, facts)))


def choosing(text):
    """Leave the choice of lots to beancount's own booking method."""
    return NAMED_LOT.sub(r"\1 {}", text)


def loaded(text):
    """Load a file: (transactions, what beancount finds wrong with it)."""
    entries, errors, _ = loader.load_string(text)
    return [each for each in entries if isinstance(each, Transaction)], [e.message for e in errors]


def held(transactions):
    """Return (account, asset, label) → (units, total cost, postings), as beancount's numbers say.

    Where lots bear no label, all of an account's units of an asset count as one.
    """
    found: dict = {}
    for transaction in transactions:
        for posting in transaction.postings:
            if posting.account.startswith("Assets:"):
                cost, count = posting.cost, Fraction(posting.units.number)
                label = AGAIN.sub("", cost.label) if cost is not None and cost.label else None
                key = (posting.account, posting.units.currency, label)
                known = found.get(key, (0, 0, 0))
                worth = Fraction(0) if cost is None else count * Fraction(cost.number)
                found[key] = (known[0] + count, known[1] + worth, known[2] + 1)
    return found


@money
def kept(book):
    """Return the same of our book; what is owed is negative, on an account of its own."""
    found = {}
    for (place, asset), holding in book.holdings.items():
        account = ":".join(
            map(component, f"Assets:{'Pool' if place == POOL else place}".split(":"))
        )
        name = commodity(asset)
        if asset in book.cash:
            found[account, name, None] = (Fraction(holding.quantity), Fraction(0))
        elif book.is_wac:
            there = Fraction(holding.quantity + units(holding.owed))
            found[account, name, None] = (there, Fraction(holding.cost + total(holding.owed)))
        else:
            _add(found, account, name, book.rule.lots(holding.pool), 1)
        _add(found, f"{account}:Owed", name, holding.owed, -1)
    return {key: value for key, value in found.items() if any(value)}


def _add(found, account, name, lots, sign):
    for lot in lots:
        key = (account, name, AGAIN.sub("", lot.id))
        known = found.get(key, (0, 0))
        found[key] = (
            known[0] + sign * Fraction(lot.quantity),
            known[1] + sign * Fraction(lot.cost),
        )


def differences(ours, theirs):
    """Compare units to the last digit, cost to what 28 digits and our rounding of parts leave."""
    for key in sorted({*ours, *theirs}, key=str):
        count, cost = ours.get(key, (0, 0))
        other, worth, postings = theirs.get(key, (0, 0, 0))
        if count != other or abs(cost - worth) > ATOM * postings + abs(cost) / 10**26:
            yield key, (count, cost), (other, worth)
