"""What is asked of a store, open while a newer bursar changes its tables."""

import pytest

from bursar.desk import Desk
from bursar.errors import SchemaNewer, StoreCorrupt
from bursar.store import open_store, schema
from tests.unit.desk.test_desk import BUY, SELL, Ticks, entries


def tells_newer_tables_from_damage(place, run):
    """Open a place and change its tables by `run`, with a newer revision named and without."""
    store = open_store(place)
    desk = Desk(store, Ticks())
    desk.submit(entries(BUY))
    run("UPDATE bursar_schema SET version_num = '0999'")
    run("ALTER TABLE journal RENAME COLUMN previous TO before")
    for refused in (
        lambda: desk.submit(entries(SELL)),
        lambda: list(store.records()),
        lambda: store.recall(["a"], []),
    ):
        with pytest.raises(SchemaNewer, match="the tables are of revision 0999") as caught:
            refused()
        assert caught.value.context == {"found": "0999", "known": schema.LATEST}
    assert desk.halted is None
    run("UPDATE bursar_schema SET version_num = '0005'")
    with pytest.raises(StoreCorrupt):
        list(store.records())
    store.close()
