"""Backups: one moment of a book in one file, and the same book out of it, or a clear error."""

import gzip
import hashlib
import json
import random
import sqlite3
import stat
from contextlib import closing

import pytest

from bursar import Terms
from bursar.app import open as open_portfolio
from bursar.errors import (
    BackupDamaged,
    BadChoice,
    PortfolioNotFound,
    SchemaNewer,
    StoreCorrupt,
    StoreError,
)
from bursar.ledger import golden
from bursar.ledger.checkpoint import FORMAT, MARK, OWN
from bursar.store import open_store, schema, step_back
from bursar.store.backup import restore, restore_backup, take, take_backup
from bursar.store.backup.lines import Scribe
from tests.contract.samples import contents, snapshot
from tests.crash.nursery import fill_line

LINES = (
    "2026-01-05T10:00:00Z  buy  2  XBT @ 40000 USD  fee 8 USD  #k:1",
    "2026-01-06T10:00:00Z  sell  0.5  XBT @ 50000.000000000000000001 USD  fee 5 USD  #k:2",
    "2026-01-04T10:00:00Z  deposit  3  XBT  #k:3  note='late ünïcode \"x\"'",
    "2026-01-06T10:00:00Z  sell  0.7  XBT @ 50000 USD  #k:2",
)


def wrote(path, portfolio="main", *, terms=None, lines=LINES):
    """Commit lines one by one, and keep two snapshots."""
    with open_portfolio(path, portfolio=portfolio, terms=terms) as kept:
        for entry in golden.read(lines):
            kept.record(entry)
        for minutes in (0, 1):
            kept.desk.store.save_snapshot(snapshot(minutes))
        kept.desk.store.save_memos({"sync kraken:main": "at 7"})
        return kept.verify()


def held(path, portfolio="main"):
    store = open_store(path, portfolio, create=False)
    try:
        return contents(store)
    finally:
        store.close()


def opened(path):
    return [json.loads(line) for line in gzip.open(path, "rt")]


def sealed(path, lines):
    """Write lines as a backup whose own seal is right, whatever they say."""
    with path.open("wb") as file:
        scribe = Scribe(file)
        for line in lines[:-1]:
            scribe.write(line)
        scribe.end(tuple(lines[-1]["portfolios"]))


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "book.db"
    wrote(path)
    return path


@pytest.fixture
def backup(tmp_path, book):
    path = tmp_path / "a.backup"
    take_backup(book, path)
    return path


def test_a_restored_book_is_the_same_in_everything(tmp_path, book, backup):
    proof = wrote(tmp_path / "other.db")
    restore_backup(backup, tmp_path / "new.db")
    assert held(tmp_path / "new.db") == held(book)
    with open_portfolio(tmp_path / "new.db", create=False) as again:
        found = again.verify()
        assert found.is_sound
        assert found.digest == proof.digest
        # Numbers go on where they stopped.
        again.record(*golden.read(["2026-02-01T10:00:00Z  buy  1  XBT @ 1 USD  #k:9"]))
        assert again.desk.store.outbox()[-1].number == again.desk.head.version == 5


def test_the_manifest_says_what_the_book_says(book, backup, tmp_path):
    made = restore_backup(backup, ":memory:")
    with open_portfolio(book, create=False) as portfolio:
        head, digest = portfolio.desk.head, portfolio.verify().digest
    (kept,) = made.portfolios
    assert (kept.version, kept.seq, kept.hash, kept.digest) == (4, 4, head.hash, digest)
    assert (kept.base, kept.snapshots, kept.messages) == ("USD", 2, 4)
    assert made.sha256 == hashlib.sha256(backup.read_bytes()).hexdigest()
    assert made.size == backup.stat().st_size
    assert {path.name for path in tmp_path.iterdir()} == {"book.db", "a.backup"}


def test_both_files_are_for_their_owner_alone(tmp_path, backup):
    restore_backup(backup, tmp_path / "new.db")
    for path in (backup, tmp_path / "new.db"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_all_portfolios_are_kept_or_the_one_that_is_named(tmp_path, book):
    wrote(book, "tax", terms=Terms(base="EUR"), lines=())
    take_backup(book, tmp_path / "all")
    made = restore_backup(tmp_path / "all", tmp_path / "new.db")
    assert [each.portfolio for each in made.portfolios] == ["main", "tax"]
    for name in ("main", "tax"):
        assert held(tmp_path / "new.db", name) == held(book, name)
    one = take_backup(book, tmp_path / "one", portfolio="tax")
    assert [each.portfolio for each in one.portfolios] == ["tax"]
    restore_backup(tmp_path / "one", tmp_path / "tax.db")
    with pytest.raises(PortfolioNotFound, match="only: tax"):
        open_store(tmp_path / "tax.db", create=False)
    with pytest.raises(PortfolioNotFound, match="main, tax"):
        take_backup(book, tmp_path / "none", portfolio="other")
    assert not (tmp_path / "none").exists()


def test_a_writer_goes_on_while_a_backup_is_taken_and_is_not_in_it(tmp_path, book, monkeypatch):
    monkeypatch.setattr(take, "_TELL_EVERY", 1)
    with open_portfolio(book, create=False) as writer:
        done = []

        def commit(_what, row, _total):
            writer.record(*golden.read([fill_line(100 + row, random.Random(row))]))
            done.append(writer.desk.head.seq)

        made = take_backup(book, tmp_path / "a", progress=commit)
    assert done == [5, 6, 7, 8]
    assert made.portfolios[0].seq == 4
    assert restore_backup(tmp_path / "a", tmp_path / "new.db").portfolios[0].seq == 4
    assert len(held(tmp_path / "new.db")["outbox"]) == 4


def test_equal_books_make_equal_lines(book, tmp_path, backup):
    take_backup(book, tmp_path / "b")
    assert opened(backup)[1:-1] == opened(tmp_path / "b")[1:-1]


def test_a_file_that_is_there_is_not_replaced_unless_told(book, backup):
    before = backup.read_bytes()
    with pytest.raises(BadChoice, match="there already"):
        take_backup(book, backup)
    assert backup.read_bytes() == before
    take_backup(book, backup, replace=True)
    assert backup.read_bytes() != before  # its time


def test_a_book_that_is_there_is_not_written_into(tmp_path, book, backup):
    before = book.read_bytes()
    with pytest.raises(BadChoice, match="there already"):
        restore_backup(backup, book)
    with pytest.raises(BadChoice, match="there already"):
        restore_backup(backup, f"sqlite:///{book}")
    assert book.read_bytes() == before


def test_no_book_is_made_beside_the_log_of_another(tmp_path, backup):
    (tmp_path / "new.db-wal").write_bytes(b"left")
    with pytest.raises(BadChoice, match="-wal is there already"):
        restore_backup(backup, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_what_is_no_book_is_not_backed_up(tmp_path):
    for place in (tmp_path / "no.db", f"sqlite:///{tmp_path}/no.db"):
        with pytest.raises(PortfolioNotFound, match=r"no\.db"):
            take_backup(place, tmp_path / "a")
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreCorrupt, match="empty"):
        take_backup(tmp_path / "empty.db", tmp_path / "a")
    with pytest.raises(BadChoice, match="memory"):
        take_backup(":memory:", tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_older_tables_are_backed_up_as_they_are_and_newer_ones_not(tmp_path, book):
    for _ in schema.REVISIONS[1:]:
        step_back(f"sqlite:///{book}")
    take_backup(book, tmp_path / "old")
    with pytest.raises(BadChoice, match="cannot be taken back"):
        step_back(f"sqlite:///{book}")  # it was not migrated on the way
    restore_backup(tmp_path / "old", tmp_path / "new.db")
    assert held(tmp_path / "new.db") == {**held(book), "memos": dict(OWN)}
    changed(book, "UPDATE bursar_schema SET version_num = '9999'")
    with pytest.raises(SchemaNewer, match="9999"):
        take_backup(book, tmp_path / "newer")
    assert not (tmp_path / "newer").exists()


def changed(path, statement):
    import sqlite3

    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET body = replace(body, '40000', '40001') WHERE seq = 1",
        "DELETE FROM journal WHERE seq = 2",
        "DELETE FROM journal WHERE seq = 4",
        "UPDATE portfolios SET seq = 3",
    ],
)
def test_a_journal_that_does_not_verify_makes_no_backup(tmp_path, book, statement):
    changed(book, statement)
    with pytest.raises(StoreCorrupt):
        take_backup(book, tmp_path / "a")
    assert not (tmp_path / "a").exists()


def test_a_row_of_no_known_verdict_is_damage_and_makes_no_backup(tmp_path, book):
    with closing(sqlite3.connect(book)) as database:
        database.execute("UPDATE journal SET outcome = 'maybe' WHERE seq = 2")
        database.commit()
    with pytest.raises(StoreCorrupt, match="verdict"):
        take_backup(book, tmp_path / "a.backup")
    assert list(tmp_path.glob("*backup*")) == []


def test_a_restored_file_does_not_leave_its_log_behind(tmp_path, backup, monkeypatch):
    looking, read_back = [], restore._read_back

    def looked_into(connection, *rest):
        looking.append(sqlite3.connect(connection.engine.url.database))
        looking[-1].execute("SELECT count(*) FROM portfolios").fetchall()
        read_back(connection, *rest)

    monkeypatch.setattr(restore, "_read_back", looked_into)
    with pytest.raises(StoreError, match="brought in"):
        restore_backup(backup, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()
    for each in looking:
        each.close()


def test_a_projection_that_was_damaged_is_whole_again_after_a_restore(tmp_path, book):
    whole = held(book)
    changed(book, "UPDATE cells SET body = '0'")
    changed(book, "DELETE FROM trades")
    take_backup(book, tmp_path / "a")
    restore_backup(tmp_path / "a", tmp_path / "new.db")
    assert held(tmp_path / "new.db") == whole


def test_a_backup_cut_anywhere_is_refused_and_leaves_nothing(tmp_path, backup):
    text = backup.read_bytes()
    cut = tmp_path / "cut"
    for length in {*range(0, len(text), 37), len(text) - 1}:
        cut.write_bytes(text[:length])
        with pytest.raises(BackupDamaged, match="cut is no whole backup"):
            restore_backup(cut, tmp_path / "new.db")
    assert {path.name for path in tmp_path.iterdir()} == {"a.backup", "book.db", "cut"}


def test_a_bit_that_flips_is_found_or_changes_nothing(tmp_path, book, backup):
    text, flipped = backup.read_bytes(), tmp_path / "flipped"
    expected = restore_backup(backup, ":memory:").portfolios
    found = 0
    for place in range(0, len(text), 5):
        flipped.write_bytes(text[:place] + bytes([text[place] ^ 16]) + text[place + 1 :])
        try:
            assert restore_backup(flipped, ":memory:").portfolios == expected
        except BackupDamaged:
            found += 1
    assert found > len(text) / 5 * 0.95


def test_something_after_the_end_is_refused(tmp_path, backup):
    longer = tmp_path / "longer"
    longer.write_bytes(backup.read_bytes() * 2)
    with pytest.raises(BackupDamaged, match="more after its end"):
        restore_backup(longer, tmp_path / "new.db")
    longer.write_bytes(backup.read_bytes() + b"more")
    with pytest.raises(BackupDamaged):
        restore_backup(longer, tmp_path / "new.db")


def test_what_is_no_backup_is_said_to_be_none(tmp_path, book):
    text = tmp_path / "text"
    for body in (b"", b"time,asset\n", gzip.compress(b""), gzip.compress(b"{}\n")):
        text.write_bytes(body)
        with pytest.raises(BackupDamaged, match="text is no whole backup"):
            restore_backup(text, tmp_path / "new.db")
    with pytest.raises(BackupDamaged):
        restore_backup(book, tmp_path / "new.db")
    with pytest.raises(FileNotFoundError):
        restore_backup(tmp_path / "none", tmp_path / "new.db")


def kind(lines, name):
    return next(line for line in lines if line["is"] == name)


def forged_row(lines):
    kind(lines, "row")["body"] = kind(lines, "row")["body"].replace("40000", "40001")


def lost_row(lines):
    lines.remove([line for line in lines if line["is"] == "row"][-1])


def lost_message(lines):
    lines.remove(kind(lines, "message"))


def lost_memo(lines):
    lines.remove(kind(lines, "memo"))


def no_fold(lines):
    next(line for line in lines if line.get("name") == MARK)["text"] = "c7"


def other_terms(lines):
    kind(lines, "portfolio")["terms"] = '{"base":"EUR"}'


def no_terms(lines):
    kind(lines, "portfolio")["terms"] = "none"


def no_name(lines):
    kind(lines, "portfolio")["name"] = " "


def no_outcome(lines):
    kind(lines, "row")["outcome"] = "perhaps"


def no_snapshot(lines):
    kind(lines, "snapshot")["body"] = "{}"


def misplaced(lines):
    lines.insert(2, kind(lines, "snapshot"))


def second_header(lines):
    lines.insert(2, lines[0])


def another_format(lines):
    lines[0]["format"] = 3


@pytest.mark.parametrize(
    "forge",
    [
        *(
            forged_row,
            lost_row,
            lost_message,
            lost_memo,
            no_fold,
            other_terms,
            no_terms,
            no_name,
            no_outcome,
        ),
        *(no_snapshot, misplaced, second_header, another_format),
    ],
)
def test_what_was_forged_and_sealed_anew_is_still_found(tmp_path, backup, forge):
    lines = opened(backup)
    forge(lines)
    forged = tmp_path / "forged"
    sealed(forged, lines)
    with pytest.raises(BackupDamaged, match="forged"):
        restore_backup(forged, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def test_a_backup_that_folds_otherwise_today_is_taken_only_when_told(tmp_path, book, backup):
    lines = opened(backup)
    lines[-1]["portfolios"][0]["digest"] = "0" * 64
    other = tmp_path / "other"
    sealed(other, lines)
    with pytest.raises(BackupDamaged, match="folds to another book"):
        restore_backup(other, tmp_path / "new.db")
    restore_backup(other, tmp_path / "new.db", refold=True)
    assert held(tmp_path / "new.db") == held(book)


@pytest.mark.parametrize("fold", [None, "0"])
def test_a_backup_of_an_older_fold_is_worked_out_anew(tmp_path, book, backup, fold):
    other, to = tmp_path / "other", tmp_path / "new.db"
    sealed(other, of_fold(opened(backup), fold))
    made = restore_backup(other, to)
    assert made.refolded == ("main",)
    assert held(to) == held(book)


def test_a_backup_of_a_newer_fold_is_refused(tmp_path, backup):
    other = tmp_path / "other"
    sealed(other, of_fold(opened(backup), str(FORMAT + 1)))
    with pytest.raises(SchemaNewer, match="newer bursar"):
        restore_backup(other, tmp_path / "new.db")
    assert not (tmp_path / "new.db").exists()


def of_fold(lines, fold):
    """Make a backup one of a book that was folded so, and otherwise."""
    (mark,) = [line for line in lines if line.get("name") == MARK]
    lines[-1]["portfolios"][0]["digest"] = "0" * 64
    if fold is None:
        lines.remove(mark)
        lines[-1]["portfolios"][0]["memos"] -= 1
    else:
        mark["text"] = fold
    return lines


def test_a_disk_that_lies_leaves_no_book(tmp_path, backup, monkeypatch):
    from bursar.store.backup import restore

    honest = take.records_of
    monkeypatch.setattr(restore, "records_of", lambda *where: list(honest(*where))[:-1])
    with pytest.raises(StoreCorrupt, match="not what was written"):
        restore_backup(backup, tmp_path / "new.db")
    assert {path.name for path in tmp_path.iterdir()} == {"a.backup", "book.db"}
