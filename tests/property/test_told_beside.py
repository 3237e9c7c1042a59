"""A trade history beside the ledger takes nothing from nowhere: what is held, and what must have
been there before, is what the ledger alone says, whatever fractions of a second it tells.
"""

from hypothesis import given
from hypothesis import strategies as st

from bursar.desk import Desk
from bursar.ledger.names import canonical
from bursar.ledger.terms import Terms
from bursar.portfolio import Portfolio
from bursar.store import MemoryStore
from bursar.venue import files
from tests.property.kraken_exports import LEDGER, TRADE, story, written
from tests.unit.measure.samples import loose
from tests.unit.portfolio.places import Clock


def read(path, account, _progress):
    return files.read(path, account, options=files.Options(quote="EUR"))


def held(folder, *told):
    """What is held and what was there before, after files that are told one after the other."""
    portfolio = Portfolio(Desk(MemoryStore(terms=Terms(base="EUR")), Clock()), read)
    for rows, columns in told:
        path = folder / f"{'ledgers' if columns is LEDGER else 'trades'}.csv"
        path.write_text(written(rows, columns))
        portfolio.import_files(path)
    timeline = portfolio.timeline
    holdings = {
        canonical(each.asset): each.quantity
        for each in portfolio.valuation().assets
        if each.quantity
    }
    return holdings, {(each.asset, each.amount) for each in map(loose, timeline.openings.values())}


@given(st.randoms(use_true_random=False), st.integers(0, 24))
def test_a_trade_history_beside_the_ledger_invents_nothing(tmp_path_factory, chance, length):
    account, folder = story(chance, length), tmp_path_factory.mktemp("told")
    for trade in account.trades:
        trade["time"] = f"{trade['time'].partition('.')[0]}.{chance.randrange(10_000):04}"
    ledger, trades = (account.rows, LEDGER), (account.trades, TRADE)
    alone = held(folder, ledger)
    both = [ledger, trades] if chance.random() < 0.5 else [trades, ledger]
    assert held(folder, *both) == alone
