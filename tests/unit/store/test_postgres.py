"""What a Postgres server does when it cannot, and what bursar asks of it."""

import threading
from contextlib import closing, contextmanager
from decimal import Decimal

import psycopg
import pytest
from sqlalchemy import make_url

from bursar.errors import (
    BadChoice,
    KeyReused,
    OutcomeUnknown,
    StaleVersion,
    StoreBusy,
    StoreCorrupt,
    StoreDown,
    StoreError,
    StoreFull,
)
from bursar.ledger import journal
from bursar.store import STEPS, SqlStore, masked, open_store, postgres
from bursar.store.faults import Fault
from tests.contract.samples import NUMBERS, commit, contents, flow, trade
from tests.servers.postgres import asking, at_commit

SECRET = "c4nary"
MANY = postgres.COPY_ROWS + 50


@pytest.fixture
def store(database):
    store = open_store(database)
    store.commit(commit(store.head(), "a"))
    yield store
    store.close()


@pytest.fixture
def ask(database):
    """Run SQL beside the store and return its rows."""

    def run(statement, *values):
        with psycopg.connect(database, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    return run


def opened(url):
    store = open_store(url)
    assert isinstance(store, SqlStore)
    return closing(store)


def with_options(database, settings):
    return asking(
        database, options=" ".join(f"-c{name}={value}" for name, value in settings.items())
    )


def setting(store, name):
    with store._reading() as connection:
        return connection.exec_driver_sql(f"SHOW {name}").scalar()


def plant(ask, code, *, at_commit=False, sleep=0, instead=None):
    """Let the server itself fail with a code at the outbox row, or at COMMIT."""
    fail = instead or f"RAISE EXCEPTION 'planted' USING ERRCODE = '{code}'"
    said = "CREATE OR REPLACE FUNCTION planted() RETURNS trigger LANGUAGE plpgsql AS $$"
    ask(f"{said} BEGIN PERFORM pg_sleep({sleep}); {fail}; END $$")
    when = "CONSTRAINT TRIGGER planted AFTER" if at_commit else "TRIGGER planted BEFORE"
    late = "DEFERRABLE INITIALLY DEFERRED" if at_commit else ""
    ask("DROP TRIGGER IF EXISTS planted ON outbox")
    ask(f"CREATE {when} INSERT ON outbox {late} FOR EACH ROW EXECUTE FUNCTION planted()")


def hang_up(ask):
    """End every other session of this database, as a restart of the server does."""
    ask(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


# What is asked of a session


def test_the_settings_that_the_promises_rest_on(store):
    assert setting(store, "synchronous_commit") == "on"
    assert setting(store, "transaction_isolation") == "read committed"
    assert setting(store, "lock_timeout") == "5s"
    assert setting(store, "statement_timeout") == "1min"
    assert setting(store, "idle_in_transaction_session_timeout") == "10min"
    with store._writer.writing() as place:
        shown = place.connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")
        assert shown.scalar() == "1min"


@pytest.mark.parametrize(
    "given, kept", [("off", "on"), ("local", "on"), ("remote_write", "on"), ("remote_apply",) * 2]
)
def test_a_weaker_promise_of_the_server_is_raised_and_a_stronger_one_kept(database, given, kept):
    weak = {"synchronous_commit": given, "default_transaction_isolation": "serializable"}
    with closing(open_store(with_options(database, weak))) as store:
        assert setting(store, "synchronous_commit") == kept
        assert setting(store, "transaction_isolation") == "read committed"


def test_a_time_limit_of_the_address_is_kept(database):
    limits = {"statement_timeout": "7s", "idle_in_transaction_session_timeout": "9s"}
    with opened(with_options(database, limits)) as store:
        for name, limit in limits.items():
            assert setting(store, name) == limit
        with store._writer.writing() as place:
            shown = place.connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")
            assert shown.scalar() == "9s"


def test_an_old_server_is_refused_with_what_is_needed(database, monkeypatch):
    with pytest.raises(StoreError, match="Postgres 13; 14 or newer is needed"):
        postgres.require_postgres(130_022)
    postgres.require_postgres(140_000)
    monkeypatch.setattr(postgres, "FLOOR", 99)
    with pytest.raises(StoreError, match="99 or newer is needed"):
        open_store(database)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_that_cannot_keep_every_letter_is_refused(postgres, encoding):
    name = f"in_{encoding.lower()}"
    made = f"ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    postgres.run(f"CREATE DATABASE {{}} {made}", name)
    try:
        place = make_url(postgres.url).set(database=name)
        with pytest.raises(StoreError, match=f"encoding is {encoding}; UTF8 is needed.*createdb"):
            open_store(place.render_as_string(hide_password=False))
    finally:
        postgres.run("DROP DATABASE {} WITH (FORCE)", name)


# Numbers


def test_the_database_itself_refuses_what_is_no_number(store, ask):
    store.append_trades([trade()])
    store.save_cash_flows([flow()])
    columns = ask(
        "SELECT table_name, column_name, numeric_precision, numeric_scale"
        " FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'numeric'"
    )
    assert len(columns) == 12
    for table, column, *bounds in columns:
        assert bounds == [None, None]  # NUMERIC with bounds pads and rounds
        for bad in ("NaN", "Infinity", "-Infinity"):
            with pytest.raises(psycopg.errors.CheckViolation):
                ask(f"UPDATE {table} SET {column} = '{bad}'")  # noqa: S608
        ask(f"UPDATE {table} SET {column} = 1.2300")  # noqa: S608
    assert str(store.get_trades()[0].price) == "1.2300"


@pytest.mark.parametrize("copies", [1, MANY])
def test_numbers_at_rest_have_every_digit(store, ask, copies):
    flows = [
        flow(f"{n}-{i}", amount=NUMBERS[n]) for n in range(len(NUMBERS)) for i in range(copies)
    ]
    store.save_cash_flows(flows)
    kept = ask("SELECT DISTINCT split_part(id, '-', 1)::int, amount::text FROM flows ORDER BY 1")
    assert kept == [(n, format(number, "f")) for n, number in enumerate(NUMBERS)]
    assert {str(f.amount) for f in store.get_cash_flows()} == {str(n) for n in NUMBERS}


# Many rows


def history(store):
    """Commit many rows of every kind, then replace and drop some; tell what is there."""
    names = [f'é-{n}\t"\\' for n in range(MANY)]
    moved = [
        flow(f"f{n}", n, note=None if n % 2 else "tab\t, line\n, \\N", amount=Decimal(n) / 8)
        for n in range(MANY)
    ]
    sold = [trade(f"t{n}", n, flags=("unpriced",) * (n % 3), fee_base=None) for n in range(MANY)]
    cells = {f"cell-{n}": f"{n}\\" for n in range(MANY)}
    head = store.commit(
        commit(store.head(), *names, cells=cells, trades=tuple(sold), flows=tuple(moved))
    )
    store.commit(
        commit(
            head,
            cells={**cells, "cell-7": None, "cell-8": "new"},
            trades=tuple(trade(f"t{n}", n, price=Decimal("1.10")) for n in range(5, MANY + 5)),
            dropped_trades=tuple(f"t{n}" for n in range(40)),
            flows=tuple(moved[::-1]),
            dropped_flows=("f1",),
        )
    )
    store.append_trades([trade("t0", pair="first"), *sold[1:], trade("t0", pair="last")])
    return contents(store)


def test_copied_rows_are_the_ones_that_inserts_would_write(database, monkeypatch):
    with closing(open_store(database, "copied")) as store:
        copied = history(store)
    monkeypatch.setattr(postgres, "COPY_ROWS", 1_000_000)
    with closing(open_store(database, "inserted")) as store:
        inserted = history(store)
    assert copied == inserted
    assert [t.pair for t in copied["trades"] if t.trade_id == "t0"] == ["last"]


def test_a_known_key_among_many_leaves_nothing(store):
    before = contents(store)
    with pytest.raises(KeyReused) as caught:
        store.commit(commit(store.head(), *(f"x{n}" for n in range(MANY)), "a"))
    assert caught.value.context["key"] == journal.key(next(store.records()).entry())
    assert contents(store) == before
    assert store.commit(commit(store.head(), "b")).version == 2


@pytest.mark.parametrize("copies", [1, MANY])
def test_a_text_that_postgres_cannot_hold_is_refused_and_nothing_is_written(store, copies):
    before = contents(store)
    notes = [flow(f"f{n}") for n in range(copies)]
    with pytest.raises(StoreError, match="NUL"):
        store.commit(commit(store.head(), "b", flows=(*notes, flow("bad", note="a\x00b"))))
    assert contents(store) == before
    assert store.commit(commit(store.head(), "b")).version == 2


# Standing in line


@contextmanager
def waiting(ask):
    """Wait until somebody else waits for an advisory lock."""
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    while ask(query) == [(0,)]:
        threading.Event().wait(0.01)  # a real server knows no other clock
    yield


def test_a_second_writer_waits_for_the_first_and_then_is_stale(database, store, ask):
    head, told = store.head(), []

    def second():
        with closing(open_store(database)) as other:
            try:
                other.commit(commit(head, "second"))
            except StaleVersion as error:
                told.append(error.context)

    def first(name):
        if name == "before_commit":
            thread.start()
            with waiting(ask):
                assert told == []

    thread = threading.Thread(target=second)
    with closing(open_store(database, steps=first)) as holder:
        holder.commit(commit(head, "first"))
    thread.join()
    assert told == [{"expected": 1, "actual": 2}]
    assert next(store.records(1)).entry().id.endswith("first")


def test_portfolios_in_one_database_do_not_wait_for_each_other(database, store):
    with closing(open_store(database, "other")) as other, store._writer.writing():
        other.commit(commit(other.head(), "a"))
        assert other.head().version == 1


def test_who_waits_too_long_is_told_that_it_is_busy(database, store):
    impatient = with_options(database, {"lock_timeout": "50ms"})
    with closing(open_store(impatient)) as other:
        with store._writer.writing(), pytest.raises(StoreBusy):
            other.commit(commit(other.head(), "b"))
        assert other.commit(commit(other.head(), "b")).version == 2


def test_the_number_of_a_lock_never_changes():
    assert postgres.lock_key("main") == 1_580_518_680_776_277_511
    assert len({postgres.lock_key(name) for name in ("", "main", "Main", "é")}) == 4


# Faults


@pytest.mark.parametrize(
    "code, error",
    [("40001", StoreBusy), ("40P01", StoreBusy), ("55P03", StoreBusy), ("53100", StoreFull)],
)
@pytest.mark.parametrize("at_commit", [False, True])
def test_what_the_server_takes_back_is_certain(store, ask, code, error, at_commit):
    before = contents(store)
    plant(ask, code, at_commit=at_commit)
    with pytest.raises(error):
        store.commit(commit(store.head(), "b"))
    ask("DROP TRIGGER planted ON outbox")
    assert contents(store) == before
    assert store.commit(commit(store.head(), "b")).version == 2


@pytest.mark.parametrize(
    "code, error",
    [("XX001", StoreCorrupt), ("08006", StoreDown), ("57P03", StoreDown), ("25006", StoreError)],
)
def test_another_failure_is_named_before_commit_and_unknown_at_commit(store, ask, code, error):
    before = contents(store)
    plant(ask, code)
    with pytest.raises(error, match="planted"):
        store.commit(commit(store.head(), "b"))
    plant(ask, code, at_commit=True)
    with pytest.raises(OutcomeUnknown):
        store.commit(commit(store.head(), "b"))
    ask("DROP TRIGGER planted ON outbox")
    assert contents(store) == before
    assert store.commit(commit(store.head(), "b")).version == 2


def test_a_statement_that_takes_too_long_is_given_up(database, ask):
    hasty = with_options(database, {"statement_timeout": "200ms"})
    with closing(open_store(hasty)) as store:
        plant(ask, "XX000", sleep=30)
        with pytest.raises(StoreBusy, match="too long"):
            store.commit(commit(store.head(), "a"))
        assert store.head().version == 0


@pytest.mark.parametrize("step", STEPS[:-1])
def test_a_server_that_shuts_down_inside_a_commit_leaves_nothing(database, ask, step):
    def hang_up_at(name):
        if name == step:
            steps.append(name)
            hang_up(ask)

    steps: list[str] = []
    with closing(open_store(database, steps=hang_up_at)) as store:
        before = contents(store)
        rows = [f"{n}" for n in range(MANY)]
        planned = commit(store.head(), *rows, cells={"a": "1"}, trades=(trade(),), flows=(flow(),))
        expected = OutcomeUnknown if step in {"outbox", "before_commit"} else StoreDown
        with pytest.raises(expected):
            store.commit(planned)
        assert steps == [step]
        assert contents(store) == before
    with closing(open_store(database)) as store:
        assert store.commit(planned).version == 1


def test_who_is_idle_inside_a_commit_for_too_long_is_hung_up_on(database):
    def doze(name):
        if name == "version":  # from then on, nothing is waited for
            threading.Event().wait(0.3)

    hasty = with_options(database, {"idle_in_transaction_session_timeout": "50ms"})
    with closing(open_store(hasty, steps=doze)) as store:
        with pytest.raises(StoreDown):
            store.commit(commit(store.head(), "a", trades=(trade(),)))
        assert store.head().version == 0


def test_a_restart_between_two_uses_is_not_noticed(store, ask):
    hang_up(ask)
    assert store.head().version == 1
    hang_up(ask)
    assert store.commit(commit(store.head(), "b")).version == 2
    hang_up(ask)
    assert store.commit(commit(store.head(), "c")).version == 3
    assert len(list(journal.check(store.records()))) == 3


def test_a_question_leaves_no_transaction_open_behind_it(store, ask):
    store.save_memos({"a": "1"}, is_lasting=False)
    store.head()
    assert store.memo("a") == "1"
    with store.grouped():  # what is asked inside sees what was written inside
        store.save_memos({"a": "2"})
        assert store.memo("a") == "2"
    found = ask(
        "SELECT DISTINCT state FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert found == [("idle",)]


@pytest.mark.parametrize("after", [False, True])
def test_a_lost_answer_at_commit_is_an_unknown_outcome(store, monkeypatch, after):
    planned = commit(store.head(), "b")

    def commit_and_lose(driver, send):
        if after:
            send()
        driver.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        at_commit(patch, commit_and_lose)
        with pytest.raises(OutcomeUnknown):
            store.commit(planned)
    found = planned.records[0].key in {record.key for record in store.records()}
    assert found is after
    assert store.commit(commit(store.head(), "c")).version == (3 if after else 2)


@pytest.mark.parametrize(
    "error, fault",
    [
        (psycopg.OperationalError("server closed the connection"), Fault.LOST),
        (psycopg.InterfaceError("the connection is closed"), Fault.LOST),
        (psycopg.errors.ConnectionFailure(), Fault.LOST),
        (psycopg.errors.AdminShutdown(), Fault.LOST),
        (psycopg.errors.IdleInTransactionSessionTimeout(), Fault.LOST),
        (psycopg.errors.DiskFull(), Fault.FULL),
        (psycopg.errors.QueryCanceled(), Fault.SLOW),
        (psycopg.errors.UniqueViolation(), Fault.TAKEN),
        (psycopg.errors.CheckViolation(), Fault.OTHER),
        (psycopg.DataError("no such text"), Fault.OTHER),
        (None, Fault.OTHER),
    ],
)
def test_each_failure_of_the_driver_is_of_one_kind(error, fault):
    assert postgres.fault(error) is fault


def test_an_error_names_no_values(store, ask):
    ask("ALTER TABLE flows ADD CHECK (note <> 'c4nary')")
    with pytest.raises(StoreError) as caught:
        store.save_cash_flows([flow(note=SECRET)])
    assert SECRET not in f"{caught.value} {caught.value.context}"


# Addresses


def test_no_password_is_ever_shown(database, tmp_path):
    given = make_url(database)
    url = given.set(password=given.password or SECRET).update_query_dict({"sslpassword": SECRET})
    place = url.render_as_string(hide_password=False)
    assert SECRET in place
    with opened(place) as store:
        assert SECRET not in f"{store!r} {store._engine!r} {masked(place)}"
        assert repr(store).startswith(f"SqlStore(postgresql://{given.username}@")
    for place in (f"trader:{SECRET}@/book?host={tmp_path}", f"trader:{SECRET}@:1/?host=127.0.0.1"):
        with pytest.raises(StoreDown) as caught:
            open_store(f"postgresql://{place}&sslpassword={SECRET}")
        error = caught.value
        assert SECRET not in f"{error} {error.context} {error.__cause__} {error.__cause__!r}"


def test_every_usual_way_to_write_an_address_is_read(database):
    given = make_url(database)
    ways = [
        given.set(drivername=name).render_as_string(hide_password=False)
        for name in ("postgres", "postgresql+psycopg")
    ]
    if isinstance(folder := given.query.get("host"), str):
        place = folder.replace("/", "%2F")
        ways.append(f"postgresql://{given.username}@{place}:5432/{given.database}")
    for address in ways:
        open_store(address).close()


@pytest.mark.parametrize(
    "address, said",
    [
        ("postgresql://h/b?row_factory=x", "option"),
        ("postgresql://h/b?autocommit=1", "option"),
        ("postgresql+asyncpg://h/b", "write postgresql://"),
        ("postgresql://u:12/34@h/b", "%2F"),
    ],
)
def test_an_address_that_is_no_use_is_refused(address, said):
    with pytest.raises(BadChoice, match=said):
        open_store(address)


def test_a_bad_value_of_an_option_is_refused(database):
    with pytest.raises(StoreError, match="sslmode"):
        open_store(asking(database, sslmode="none"))
