"""Running Alembic inside an open transaction. The only module that imports it."""

from pathlib import Path
from threading import Lock
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, select

from bursar.store.tables import SCHEMA

FOLDER: Final = Path(__file__).parent / "migrations"
_ALONE: Final = Lock()  # Alembic keeps the present run in a global


def run(connection: Connection, target: str) -> None:
    """Take the tables to a revision, forward or back, in the transaction that is open."""
    config = configured()
    config.attributes["connection"] = connection
    found: str = connection.execute(select(SCHEMA.c.version_num)).scalar_one()
    with _ALONE:
        if found < target:
            command.upgrade(config, target)
        elif found > target:
            command.downgrade(config, target)
        # Else another process was faster.


def configured() -> Config:
    """Return Alembic's settings; none of them comes from a file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
