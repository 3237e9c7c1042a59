"""Importing several files: small ones at once, big ones in order of time; one report either way."""

import random
from decimal import localcontext
from importlib.resources import files as packaged
from pathlib import Path

import pytest

import bursar
from bursar.desk import streaming
from bursar.venue import files
from tests.property.kraken_exports import LEDGER, TRADE, Account, written

STORY = Path(str(packaged("bursar.samples") / "kraken-story-a"))


@pytest.fixture
def exports(tmp_path):
    """A sound account's ledgers.csv, newest first, and its trades.csv."""
    chance = random.Random(5)
    account = Account(chance, by_wallet=False)
    for _ in range(60):
        account.pass_time()
        chance.choice([account.trade, account.trade, account.deposit, account.reward])()
    paths = tmp_path / "ledgers.csv", tmp_path / "trades.csv"
    paths[0].write_text(written(account.rows[::-1], LEDGER))
    paths[1].write_text(written(account.trades, TRADE))
    return paths


@pytest.fixture
def streaming_all(monkeypatch):
    """Files of any size are streamed, a few rows at a time."""

    def options(**told):
        return Options(stream_from=0, **told)

    Options = files.Options  # noqa: N806
    monkeypatch.setattr(files, "Options", options)
    monkeypatch.setattr(streaming, "CHUNK", 30)


def imported(path, exports, **told):
    terms = bursar.Terms(base="EUR")
    with bursar.open(path, terms=terms) as portfolio:
        report = portfolio.import_files(*exports, **told)
        again = portfolio.import_files(*exports).receipt.review
        assert (again.recorded, again.facts_added) == (0, 0)
        assert portfolio.verify().is_sound
        return report, portfolio.digest(), portfolio.desk.store.get_trades()


def test_the_decimal_context_of_the_caller_changes_nothing_that_is_recorded():
    """Kraken's rows of staking are filed by their amounts, of which every digit counts."""
    exports = [STORY / f"{name}.csv" for name in ("ledgers.gen4-16col", "trades.gen2-24col")]

    def recorded():
        with bursar.open(":memory:", terms=bursar.Terms(base="EUR")) as portfolio:
            portfolio.import_files(*exports)
            return [row.entry() for row in portfolio.journal()], portfolio.digest()

    told = recorded()
    with localcontext(prec=3):
        assert recorded() == told


def test_ledgers_and_trades_as_streams_make_the_book_of_the_whole(
    tmp_path, exports, streaming_all, monkeypatch
):
    told = []
    streamed = imported(
        tmp_path / "a.db", exports, progress=lambda *what: told.append((what[0], what[1]))
    )
    monkeypatch.undo()
    whole = imported(tmp_path / "b.db", exports)
    assert streamed[0].files == whole[0].files
    assert streamed[0].receipt.review == whole[0].receipt.review
    assert streamed[1:] == whole[1:]
    assert streamed[0].receipt.version > whole[0].receipt.version == 1
    kinds = [what for what, _ in told]
    assert kinds[0] == "reading ledgers.csv"
    assert kinds[-1] == "writing"
    written_ = [done for what, done in told if what == "writing"]
    assert written_ == sorted(written_)
    assert written_[-1] == sum(each.rows for each in whole[0].files)


def test_what_a_stream_cannot_take_is_taken_whole(tmp_path, exports, streaming_all):
    with bursar.open(tmp_path / "a.db", terms=bursar.Terms(base="EUR")) as portfolio:
        portfolio.import_files(exports[0])
        version = portfolio.desk.head.version
        review = portfolio.import_files(exports[1]).receipt.review  # each changes a trade that is
        assert review.recorded > 0
        assert review.facts_added == 0
        assert portfolio.desk.head.version == version + 1
        ledgers_first = portfolio.digest()
    assert ledgers_first == imported(tmp_path / "b.db", exports)[1]


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_import_takes_up_what_others_wrote_while_it_read(
    tmp_path, exports, monkeypatch, request, is_streamed
):
    if is_streamed:
        request.getfixturevalue("streaming_all")
    alone, _, trades = imported(tmp_path / "a.db", exports)
    path, terms = tmp_path / "b.db", bursar.Terms(base="EUR")
    with bursar.open(path, terms=terms) as portfolio, bursar.open(path) as other:
        read = portfolio.read_files(*exports)
        other.add("deposit", "5", "EUR", time="2020-01-01", id="early")
        stage = portfolio.desk.stage

        def slow(entries):  # and while it stages, where nobody keeps them off
            monkeypatch.undo()
            staged = stage(entries)
            other.add("deposit", "5", "EUR", time="2020-01-02", id="late")
            return staged

        monkeypatch.setattr(portfolio.desk, "stage", slow)
        report = portfolio.take(read)
        assert report.receipt.review.recorded == alone.receipt.review.recorded
        assert portfolio.desk.store.get_trades() == trades
        assert portfolio.verify().is_sound


def test_a_stream_is_not_too_late_however_fast_others_write(
    tmp_path, exports, streaming_all, monkeypatch
):
    path, terms = tmp_path / "a.db", bursar.Terms(base="EUR")
    with bursar.open(path, terms=terms) as portfolio, bursar.open(path) as other:
        begun, count = portfolio.writer.together, 0

        def beaten(**told):
            nonlocal count
            other.add("deposit", "5", "EUR", time="2010-01-01", again=True)
            count += 1
            return begun(**told)

        monkeypatch.setattr(portfolio.writer, "together", beaten)
        portfolio.import_files(*exports)
        assert count == 1
        assert len(list(portfolio.desk.store.records())) == portfolio.desk.head.seq
        assert portfolio.verify().is_sound
