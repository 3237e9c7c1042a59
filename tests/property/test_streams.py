"""Files taken as a stream leave the same book as files that are held whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.desk import Desk, desk, streaming
from bursar.errors import BursarError
from bursar.ledger import copies, planning, projection
from bursar.ledger.terms import Method, Terms
from bursar.portfolio import Portfolio
from bursar.store import MemoryStore
from bursar.venue import files
from bursar.venue.files import blocks, kraken_streams
from tests.auditor.picture import picture
from tests.property.kraken_exports import LEDGER, TRADE, somehow, story

CHANCE = st.randoms(use_true_random=False)
LENGTH = st.integers(0, 18)
NEVER = 10**12


class Stands:
    """A clock that stands."""

    def now(self):
        return 0


def opened(terms, stream_from):
    def read(path, account, _progress):
        options = files.Options(quote=terms.base, stream_from=stream_from)
        return files.read(path, account, options=options)

    return Portfolio(Desk(MemoryStore(terms=terms), Stands()), read)


def told(portfolio, paths):
    """Import, and return all that was answered, but for how many commits it took."""
    try:
        report = portfolio.import_files(*paths)
    except BursarError as error:
        return type(error), error.message
    return report.files, report.receipt.review


def kept(portfolio):
    """All that is stored, whatever the order of rows in the journal."""
    store = portfolio.desk.store
    rows = sorted((row.key, row.outcome.value, row.body) for row in store.records())
    return rows, store.load_state(), store.get_trades(), store.get_cash_flows()


def imports(chance, account, folder):
    """One import after the other: slices of the account's files, which may overlap."""
    made = 0
    for _ in range(chance.randint(1, 3)):
        paths = []
        for rows, columns in ((account.rows, LEDGER), (account.trades, TRADE)):
            if columns is LEDGER or chance.random() < 0.4:
                begin, end = sorted(chance.choices([0, len(rows), *range(len(rows))], k=2))
                begin, end = (0, len(rows)) if chance.random() < 0.6 else (begin, end)
                made += 1
                path = folder / f"{made}.csv"
                path.write_text(somehow(chance, rows[begin:end], columns), newline="")
                paths.append(path)
        chance.shuffle(paths)
        yield paths


def small(patch, chance):
    """Make everything small, so that little is needed to fill it."""
    spacing = chance.choice([1, 2, 3, 5])
    patch.setattr(planning, "SPACING", spacing)
    patch.setattr(copies, "SPACING", spacing)
    patch.setattr(desk, "KEPT_AHEAD", chance.choice([1, 2, 3, 8]))
    patch.setattr(streaming, "CHUNK", chance.choice([1, 2, 3, 7]))
    patch.setattr(kraken_streams, "NEAR", chance.choice([0, 1, 5]))
    patch.setattr(blocks, "BLOCK", chance.choice([1, 80, 200, 1000]))


@pytest.mark.slow("two imports for every example")
@given(CHANCE, LENGTH)
def test_a_stream_leaves_the_book_that_the_whole_leaves(tmp_path_factory, chance, length):
    account = story(chance, length)
    method = chance.choice([Method.WAC, Method.FIFO, Method.HIFO])
    terms = Terms(base=chance.choice(["EUR", "USD"]), method=method)
    streamed, whole = opened(terms, 0), opened(terms, NEVER)
    with pytest.MonkeyPatch.context() as patch:
        small(patch, chance)
        for paths in imports(chance, account, tmp_path_factory.mktemp("exports")):
            assert told(streamed, paths) == told(whole, paths)
            assert kept(streamed) == kept(whole)
            assert picture(streamed.book()) == picture(whole.book())
            if chance.random() < 0.5:
                streamed = Portfolio(Desk(streamed.desk.store, Stands()), streamed._reader)
        assert projection.digest(streamed.book()) == projection.digest(whole.book())
        assert list(streamed.timeline) == list(whole.timeline)
        assert streamed.verify().is_sound
