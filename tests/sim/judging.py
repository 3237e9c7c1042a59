"""The last word on a simulated world: the independent auditor, in fractions, over what truly
happened.

    PYTHONPATH=. bursar sim --seed N --judge tests.sim.judging:last_word
"""

from decimal import Decimal, localcontext
from fractions import Fraction

from tests.auditor.test_auditor import audited, differences


def last_word(terms, truth, book):
    """Return every figure in which book and auditor differ: what, ours, theirs."""
    own = audited(terms, truth)
    return [" ".join(_shown(each) for each in found) for found in differences(book, own)]


def _shown(value):
    if isinstance(value, Fraction):
        with localcontext(prec=60):
            return str(Decimal(value.numerator) / Decimal(value.denominator))
    if isinstance(value, tuple | list):
        return f"({', '.join(_shown(each) for each in value)})"
    return str(value)


def replay(ending):
    """Say how to see a world that went wrong once more."""
    return (
        f"seed {ending.seed}, step {ending.step}: {ending.verdict}\n"
        f"PYTHONPATH=. bursar sim --seed {ending.seed} --judge tests.sim.judging:last_word"
    )
