"""Opening a portfolio, and what is said where that cannot be done."""

import os
import stat
import threading

import pytest

from bursar.errors import BadChoice, PortfolioNotFound, StoreCorrupt, StoreError
from bursar.ledger.terms import Terms
from bursar.store import MemoryStore, dialect, list_portfolios, masked, open_store, step_back
from bursar.store.backup import restore_backup, take_backup
from bursar.store.dialect import require_sqlite
from tests.contract.samples import commit

SECRET = "c4nary"
POSTGRES = f"postgresql://trader:{SECRET}@db.example:5432/book?sslpassword={SECRET}"


def test_a_path_and_its_url_are_one_book(tmp_path):
    path = tmp_path / "book.db"
    store = open_store(path)
    store.commit(commit(store.head(), "a"))
    store.close()
    for address in (str(path), f"sqlite:///{path}"):
        again = open_store(address, create=False)
        assert again.head().version == 1
        again.close()


@pytest.mark.parametrize(
    "address", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite+pysqlite://"]
)
def test_an_address_without_a_file_is_refused_and_loses_nothing(tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    for use in (open_store, list_portfolios, step_back):
        with pytest.raises(BadChoice, match="names no file"):
            use(address)
    with pytest.raises(BadChoice, match="names no file"):
        take_backup(address, tmp_path / "a.backup")
    with pytest.raises(BadChoice, match="names no file"):
        restore_backup(tmp_path / "a.backup", address)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_book(tmp_path):
    for create in (True, False):
        with pytest.raises(StoreError, match="is a folder"):
            open_store(tmp_path, create=create)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "ask", [lambda place: open_store(place, create=False), list_portfolios], ids=["open", "list"]
)
def test_what_is_no_database_is_named(tmp_path, ask):
    place = tmp_path / "notes.txt"
    place.write_text("no database at all")
    with pytest.raises(StoreCorrupt, match=r"notes\.txt: the database is damaged or is none"):
        ask(place)
    assert place.read_text() == "no database at all"


def test_memory_is_a_place_of_its_own():
    store = open_store(":memory:", terms=Terms(base="EUR"))
    assert isinstance(store, MemoryStore)
    assert store.head().terms.base == "EUR"
    assert repr(store) == "MemoryStore(portfolio='main')"


def test_nothing_is_made_where_nothing_may_be_made(tmp_path):
    path = tmp_path / "book.db"
    with pytest.raises(PortfolioNotFound, match=r"book\.db"):
        open_store(path, create=False)
    assert list(tmp_path.iterdir()) == []
    open_store(path, "one").close()
    with pytest.raises(PortfolioNotFound, match="only: one"):
        open_store(path, "two", create=False)
    with pytest.raises(PortfolioNotFound):
        open_store(path, "two", create=False)


def test_the_base_currency_stays_what_it_was(tmp_path):
    path = tmp_path / "book.db"
    open_store(path, terms=Terms(base="EUR")).close()
    open_store(path, terms=Terms(base="EUR", strict=True)).close()
    with pytest.raises(BadChoice, match="EUR"):
        open_store(path, terms=Terms(base="USD"))


def test_files_are_for_their_owner_alone(tmp_path):
    store = open_store(tmp_path / "book.db")
    store.commit(commit(store.head(), "a"))
    files = list(tmp_path.iterdir())
    assert {path.name for path in files} == {"book.db", "book.db-wal", "book.db-shm"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    store.close()


def test_a_book_is_for_its_owner_alone_whatever_the_mask_and_its_folder_stays_as_it_was(tmp_path):
    folder = tmp_path / "books"
    folder.mkdir(mode=0o750)
    mask, before = os.umask(0), stat.S_IMODE(folder.stat().st_mode)
    try:
        store = open_store(folder / "book.db")
        store.commit(commit(store.head(), "a"))
        modes = {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        store.close()
    finally:
        os.umask(mask)
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == before
    assert [path.name for path in folder.iterdir()] == ["book.db"]


def test_a_file_with_nothing_in_it_is_made_a_book_only_where_one_may_be_made(tmp_path):
    path = tmp_path / "book.db"
    path.touch()
    with pytest.raises(StoreCorrupt, match=r"book\.db is empty"):
        open_store(path, create=False)
    assert path.read_bytes() == b""
    open_store(path).close()
    open_store(path, create=False).close()


@pytest.mark.parametrize("name", ["", " main", "main ", "a\nb", "a\x00b", "x" * 129])
def test_a_name_that_cannot_be_shown_is_refused(tmp_path, name):
    with pytest.raises(BadChoice):
        open_store(tmp_path / "book.db", name)
    with pytest.raises(BadChoice):
        MemoryStore(name)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(StoreError, match="nowhere"):
        open_store(tmp_path / "nowhere" / "book.db")
    with pytest.raises(StoreError):
        open_store(tmp_path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("what I bought\n" * 400)
    before = path.read_bytes()
    with pytest.raises(StoreCorrupt):
        open_store(path)
    assert path.read_bytes() == before


def test_an_old_sqlite_is_refused_with_what_is_needed():
    with pytest.raises(StoreError, match=r"SQLite 3\.34\.1; 3\.37\.0 or newer"):
        require_sqlite((3, 34, 1))
    require_sqlite((3, 37, 0))
    require_sqlite()


@pytest.mark.parametrize(
    "address",
    [
        f"{POSTGRES}&{SECRET}=1",
        f"postgresql+asyncpg://u:{SECRET}@h/b",
        f"postgresql://u:12/{SECRET}@h/b",
        f"postgresql://u:12?{SECRET}@h/b",
        f"mysql://u:{SECRET}@h/b",
        f"nonsense+driver://u:{SECRET}@h/b",
        f"postgresql://u:{SECRET}@h:port/b",
        f"://{SECRET}",
        f"postgresql:/u:{SECRET}@h/b",
        f" Postgres:u:{SECRET}@h/b",
        f"sqlite://u:{SECRET}@h/b",
        f"sqlite+aiosqlite:///{SECRET}",
        f"book\0{SECRET}.db",
        f"sqlite:///book.db?key={SECRET}",
    ],
)
def test_no_secret_of_an_address_is_ever_shown(tmp_path, monkeypatch, address):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadChoice) as caught:
        open_store(address)
    said = f"{caught.value} {caught.value!r} {caught.value.context} {masked(address)}"
    assert SECRET not in said
    assert caught.value.__cause__ is None
    assert list(tmp_path.iterdir()) == []


def test_a_masked_address_still_tells_the_place():
    assert masked(POSTGRES) == "postgresql://trader:***@db.example:5432/book"
    assert masked("data/book.db") == "data/book.db"


def test_a_store_says_where_it_is(tmp_path):
    store = open_store(tmp_path / "book.db", "one")
    assert repr(store) == f"SqlStore(sqlite:///{tmp_path}/book.db, portfolio='one')"
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.head()
    with pytest.raises(StoreError, match="closed"):
        store.save_state({})
    store.close()


@pytest.mark.parametrize("there", ["nothing", "older tables"])
def test_eight_at_once_make_one_book(tmp_path, there, monkeypatch):
    monkeypatch.setattr(dialect, "BUSY_MS", 60_000)  # a loaded machine is no failure
    failed = []
    if there == "older tables":
        open_store(tmp_path / "book.db").close()
        step_back(str(tmp_path / "book.db"))

    def make(barrier):
        try:
            barrier.wait()
            open_store(tmp_path / "book.db").close()
        except BaseException as error:  # noqa: BLE001
            failed.append(error)

    barrier = threading.Barrier(8)
    threads = [threading.Thread(target=make, args=(barrier,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    store = open_store(tmp_path / "book.db", create=False)
    assert store.head().version == 0
    store.close()


def test_a_file_that_is_about_to_become_a_book_is_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "book.db"
    path.touch()
    monkeypatch.setattr(dialect, "sleep", lambda _: open_store(path, "here").close())
    (found,) = list_portfolios(path)
    assert found.name == "here"
