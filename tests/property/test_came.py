"""No return is larger than what was made: of gains alone, or of losses alone, whatever comes and
goes between two snapshots, against a model in fractions that looks at every instant.
"""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger import golden, instant
from bursar.portfolio import snapshots
from bursar.portfolio.kept import kept
from tests.unit.portfolio.places import NOON, Clock, opened

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "withdrawal", "make", "make", "keep"]), st.integers(1, 900)
    ),
    max_size=14,
)
SHARE = 1_000
"""What is made, or how much of it goes, is so many thousandths of what is there."""


@given(STEPS, st.booleans())
def test_a_return_is_between_nothing_and_what_was_made_at_every_instant(steps, is_gain):
    clock = Clock()
    portfolio = opened(f"{instant.show(NOON)} deposit 1000000 EUR #k:0", clock=clock)
    equity, true = Fraction(1_000_000), Fraction(1)
    least, most = (true, true)
    snapshots.take(portfolio)
    for number, (kind, size) in enumerate((*steps, ("keep", 1)), start=1):
        clock.at += 3_600 * instant.SECOND
        part = equity * size // SHARE
        if kind == "keep":
            snapshots.take(portfolio)
        else:
            sign = -1 if kind == "withdrawal" or (kind == "make" and not is_gain) else 1
            if not part:
                continue
            words = {"make": "reward" if is_gain else "fee"}.get(kind, kind)
            line = f"{instant.show(clock.at)} {words} {part} EUR #k:{number}"
            portfolio.record(*golden.read([line]))
            if kind == "make":
                true *= 1 + sign * Fraction(part) / equity
            equity += sign * part
        least, most = (Fraction(1), true) if is_gain else (true, Fraction(1))
        points = kept(portfolio, portfolio.valuation()).course()
        told = Fraction(points[-1].nav or 0) / 100
        assert points[-1].equity == equity
        assert least - Fraction(1, 10**12) <= told <= most + Fraction(1, 10**12)
