"""A disk without room: it is said, nothing is written by halves, and room is all that is needed."""

import json
import random

import pytest
from sqlalchemy import Engine, event

import bursar
from bursar.cli import main
from bursar.errors import StoreFull
from tests import figures
from tests.crash import damaged
from tests.crash.nursery import fill_line

pytestmark = pytest.mark.sweep


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "book.db"
    damaged.make(path)
    return path


def fills(count):
    choices = random.Random(figures.SEED)
    return [fill_line(f"more-{n}", choices) for n in range(count)]


def spare(store, pages):
    """Let the database grow by so many pages from what it is now."""
    cursor = store._writer.connected().connection.cursor()
    ((count,),) = cursor.execute("PRAGMA page_count").fetchall()
    cursor.execute(f"PRAGMA max_page_count={count + pages}").fetchall()
    cursor.close()


def test_room_for_any_number_of_pages_is_room_for_all_or_for_nothing(path):
    before, said, receipt = damaged.values(path), [], None
    with bursar.open(path) as book:
        staged = book.desk.stage(damaged.entries(*fills(120)))
        for pages in range(200):
            spare(book.desk.store, pages)
            try:
                receipt = book.desk.commit(staged)
            except StoreFull as error:
                said.append(error.message)
                assert damaged.values(path) == before
            else:
                break
        assert receipt is not None
        assert receipt.review.recorded == 120  # the same desk, the same change: room was all
        assert book.desk.halted is None
    assert len(said) > 10
    assert {*said} == {"no room left; nothing was written"}
    assert damaged.faults(path) == []


def test_the_command_line_says_what_to_do_and_the_second_run_does_it(path, tmp_path, capsys):
    file = tmp_path / "more.journal"
    file.write_text("\n".join(fills(200)))
    before = damaged.values(path)
    pages = path.stat().st_size // 4096

    def crowd(connection, _entry):
        connection.execute(f"PRAGMA max_page_count={pages + 5}")

    event.listen(Engine, "connect", crowd)
    try:
        assert main(["import", str(file), "--book", str(path)]) == 4
        said = capsys.readouterr()
        assert "no room left; nothing was written" in said.err
        assert "code  store_full" in said.err
        assert "Make room, then run the command again" in said.err
        assert main(["import", str(file), "--book", str(path), "--json"]) == 4
        assert json.loads(capsys.readouterr().out)["error"]["code"] == "store_full"
        assert damaged.faults(path) == []  # reading needs no room
    finally:
        event.remove(Engine, "connect", crowd)
    assert damaged.values(path) == before
    assert main(["import", str(file), "--book", str(path), "--quiet"]) == 0
    assert damaged.faults(path) == []


def test_short_writes_at_any_byte_leave_the_book_whole(nursery, path):
    choices = random.Random(figures.SEED)
    spares = [0, 1, 23, 24, 4119, 4120, *(choices.randrange(60_000) for _ in range(20))]
    acknowledged, code = nursery.run(
        "limit", path=str(path), seed=figures.SEED, spares=sorted(spares)
    )
    assert code == 0
    assert len(nursery.refused) > 10
    assert set(nursery.refused) <= {"outcome_unknown", "store", "store_full"}
    assert len(acknowledged) == 1
    assert damaged.faults(path) == []


def test_a_disk_that_is_really_full_leaves_the_book_whole(nursery, tmp_path):
    path = tmp_path / "book.db"
    acknowledged, code = nursery.run("tiny", path=str(path), seed=figures.SEED, fillers=8)
    assert code == 0
    if nursery.refused == ["unmountable"]:
        pytest.skip("this system lets nobody but root mount a small disk")
    assert len(nursery.refused) >= 4
    assert len(acknowledged) == 1
    with bursar.open(path, create=False) as book:
        assert book.verify().is_sound
        assert book.desk.head.version == acknowledged[0][0]
