"""History in Timescale: when, in which order, for how long, and the same answers as without."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import msgspec
import psycopg
import pytest

from bursar.app.keeping import stored
from bursar.config import PortfolioSettings
from bursar.ledger import instant
from bursar.portfolio import snapshots
from bursar.store import MemoryStore, open_store
from bursar.store.timescale import DAILY, NAME, History, aggregate, keep_history
from tests.contract.samples import snapshot
from tests.servers import timescale

DAYS = 30
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = instant.DAY


@pytest.fixture
def called(postgres, database):
    """How the extension was called that the server of `database` finds."""
    with timescale.standing_in(postgres, database) as told:
        yield told


def test_a_place_without_the_extension_keeps_its_history_plainly(database, tmp_path):
    told = keep_history(database, 30)
    assert told.is_hyper or told == History(False, f"the server has no {NAME}")
    assert keep_history(tmp_path / "book.db", 30) == History(False, "only Postgres has Timescale")


def test_the_table_becomes_a_hypertable_with_an_aggregate_and_policies(called, database):
    assert keep_history(database, 30) == History(True, "kept for 31 days")
    table, daily = {"relation": "snapshots"}, {"relation": DAILY}
    with psycopg.connect(database) as connection:
        ((now, here),) = connection.execute(
            "SELECT bursar_now(), extract(epoch FROM now())"
        ).fetchall()
    assert now == here * 10**9
    assert called() == [
        (
            "create_hypertable",
            table | {"column": "time", "span": DAY, "indexes": False, "migrate": True},
        ),
        ("set_integer_now_func", table | {"now": "bursar_now"}),
        ("refresh_continuous_aggregate", daily | {"start": None, "end": now // DAY * DAY}),
        ("add_continuous_aggregate_policy", daily | {"start": 3 * DAY, "end": DAY // 24}),
        ("add_retention_policy", table | {"after": 31 * DAY}),
    ]


def test_done_it_changes_nothing_and_the_longest_time_counts(called, database):
    for days, kept in ((30, 31), (30, 31), (7, 31), (1, 31), (90, 91)):
        assert keep_history(database, days) == History(True, f"kept for {kept} days")
    afters = [told["after"] // DAY for name, told in called() if name == "add_retention_policy"]
    assert afters == [31, 91]
    assert [name for name, _ in called()].count("create_hypertable") == 1


def test_what_is_kept_for_less_than_a_policy_looks_at_stays_plain(called, database):
    assert not keep_history(database, 2).is_hyper
    with psycopg.connect(database) as connection:
        assert (
            connection.execute("SELECT * FROM pg_extension WHERE extname = %s", (NAME,)).rowcount
            == 0
        )


def test_what_the_server_refuses_is_said_and_leaves_the_history_as_it_was(
    called, database, postgres
):
    with psycopg.connect(database, autocommit=True) as connection:
        # In the way of ours, which gives a number.
        connection.execute("CREATE FUNCTION bursar_now(OUT other text) LANGUAGE sql AS 'SELECT 1'")
    told = keep_history(database, 30)
    assert (told.is_hyper, told.reason.partition(": ")[0]) == (False, f"{NAME} refuses")
    with psycopg.connect(database) as connection:
        assert (
            connection.execute("SELECT FROM pg_extension WHERE extname = %s", (NAME,)).rowcount == 0
        )


def test_what_a_plain_server_cannot_take_of_the_aggregate_is_one_clause(called, database):
    with psycopg.connect(database) as connection:
        connection.execute(f"CREATE EXTENSION {NAME}")
        with pytest.raises(psycopg.errors.InvalidParameterValue) as refused:
            connection.execute(aggregate("public"))
    assert refused.value.diag.message_primary == f'unrecognized parameter namespace "{NAME}"'


def history(store):
    """Thirty days of snapshots, three a day, some incomplete; return when it ends."""
    at = NOON
    for number in range(DAYS * 3):
        at = NOON + timedelta(hours=8 * number)
        equity = Decimal(1_000) + Decimal(number * number % 97) / 8
        made = snapshot(timestamp=at, equity_base=equity, unvalued=())
        if number % 7 == 0:
            made = msgspec.structs.replace(made, unvalued=("XBT",))
        if number % 5 == 0:
            made = msgspec.structs.replace(made, excluded_value=Decimal("2.5"))
        snapshots.keep(store, made)
    return instant.from_datetime(at)


def answers(store):
    return (
        list(snapshots.newest(store)),
        snapshots.closes(store),
        list(snapshots.moments(store)),
        snapshots.standing_at(store, instant.from_datetime(NOON + timedelta(days=10)), ()),
    )


def compared(url, daily):
    """Hold a book at a server against one in memory, the aggregate against the closes of days."""
    plain, store = MemoryStore(), open_store(url)
    assert keep_history(url, 30).is_hyper
    now = history(plain)
    assert history(store) == now
    rows = {row[0]: row[1:] for row in daily(url)}
    closes = snapshots.closes(store)
    assert len(rows) == len(closes) == DAYS + 1
    for close in closes:
        low, high = (None if each is None else each.equity for each in (close.low, close.high))
        day = instant.from_datetime(datetime(*close.day.timetuple()[:3], tzinfo=UTC))
        count, time, equity, least, most, body = rows[day]
        assert time == instant.from_datetime(close.timestamp)
        assert (equity, least, most) == (close.equity_base, low, high)
        assert str(close.equity_base) in body
        assert count in {1, 2, 3}
    assert snapshots.prune(store, now, 10) == snapshots.prune(plain, now, 10) > 50
    assert answers(store) == answers(plain)
    store.close()
    again = open_store(url)
    assert answers(again) == answers(plain)
    again.close()


SELECT = f"SELECT day, snapshots, time, equity_base, low, high, body FROM {DAILY}"  # noqa: S608


def documented():
    """What the page on stores asks of the aggregate."""
    page = (Path(__file__).parents[3] / "docs" / "STORES.md").read_text("utf-8")
    return page.partition("```sql\n")[2].partition("```")[0]


def test_the_same_questions_have_the_same_answers(called, database):
    def daily(url):
        with psycopg.connect(url) as connection:
            connection.execute(f"REFRESH MATERIALIZED VIEW {DAILY}")
            assert len(connection.execute(documented()).fetchall()) == DAYS + 1
            return connection.execute(SELECT).fetchall()

    compared(database, daily)


def test_the_same_questions_have_the_same_answers_from_the_real_one():
    def daily(url):
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CALL refresh_continuous_aggregate('{DAILY}', NULL, NULL)")
            return connection.execute(SELECT).fetchall()

    with timescale.real() as url:
        compared(url, daily)


def test_a_book_in_a_schema_of_its_own_has_its_history_there(postgres):
    with postgres.database(empty=True) as empty, timescale.standing_in(postgres, empty) as told:
        with psycopg.connect(empty, autocommit=True) as connection:
            connection.execute('CREATE SCHEMA "my ledger"')
            connection.execute(f"CREATE EXTENSION {NAME}")
        place = f"{empty}&options=-csearch_path%3D%22my%5C%20ledger%22"
        store = open_store(place)
        assert (
            keep_history(place, 30) == keep_history(place, 30) == History(True, "kept for 31 days")
        )
        (made, *_) = told()
        assert made[1]["relation"] == '"my ledger".snapshots'
        assert [name for name, _ in told()].count("add_retention_policy") == 1
        history(store)
        store.close()


@pytest.mark.parametrize("is_wanted", [True, False])
def test_a_service_keeps_its_history_in_it_where_the_settings_allow_it(called, database, is_wanted):
    stored(PortfolioSettings(book=database, timescale=is_wanted, snapshot_retention_days=9)).close()
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT FROM pg_extension WHERE extname = %s", (NAME,))
        assert found.rowcount == is_wanted
    assert not is_wanted or called()[-1][1]["after"] == 10 * DAY
