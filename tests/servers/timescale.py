"""Timescale for the tests: a real one where BURSAR_TEST_TIMESCALE names a server, and a stand-in.

The stand-in is an extension of the same name, written in SQL alone, that a Postgres of 18 or newer
finds in a folder of ours. Its functions have the names, the arguments and their order of the real
ones, and write down how they were called; nothing is parted into chunks, and no policy runs. The
one thing that a plain server cannot take is `WITH (timescaledb.continuous, …)`: `plainly` leaves it
out on its way to the server, and what is behind it is a materialised view as any other.
"""

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Engine, event, make_url

from bursar.store.timescale import NAME
from tests.servers.postgres import PREFIX, Server

OVERRIDE = "BURSAR_TEST_TIMESCALE"
FINDS = 180_000  # the first version that looks for extensions where it is told
CONTROL = "default_version = '1'\nrelocatable = false\ntrusted = true\n"
SCRIPT = """
CREATE TABLE called (number int GENERATED ALWAYS AS IDENTITY, name text, told jsonb);

CREATE SCHEMA timescaledb_information;
CREATE TABLE timescaledb_information.jobs (
    proc_name text, hypertable_schema text, hypertable_name text, config jsonb);
GRANT SELECT ON timescaledb_information.jobs TO public;
GRANT USAGE ON SCHEMA timescaledb_information TO public;

CREATE FUNCTION by_range(column_name name, partition_interval bigint) RETURNS jsonb
LANGUAGE sql AS $$ SELECT jsonb_build_object('column', column_name, 'span', partition_interval) $$;

CREATE FUNCTION create_hypertable(relation regclass, dimension jsonb,
    create_default_indexes bool = true, if_not_exists bool = false, migrate_data bool = false)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = @extschema@, public AS $$
    INSERT INTO called (name, told) VALUES ('create_hypertable', dimension || jsonb_build_object(
        'relation', relation, 'indexes', create_default_indexes, 'migrate', migrate_data)) $$;

CREATE FUNCTION set_integer_now_func(hypertable regclass, integer_now_func regproc,
    replace_if_exists bool = false)
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = @extschema@, public AS $$
    INSERT INTO called (name, told) VALUES ('set_integer_now_func',
        jsonb_build_object('relation', hypertable, 'now', integer_now_func)) $$;

CREATE FUNCTION add_continuous_aggregate_policy(continuous_aggregate regclass,
    start_offset bigint, end_offset bigint, schedule_interval interval, if_not_exists bool = false)
RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = @extschema@, public AS $$
    INSERT INTO called (name, told) VALUES ('add_continuous_aggregate_policy', jsonb_build_object(
        'relation', continuous_aggregate, 'start', start_offset, 'end', end_offset))
    RETURNING number $$;

CREATE FUNCTION remove_retention_policy(relation regclass, if_exists bool = false)
RETURNS void LANGUAGE sql SECURITY DEFINER AS $$
    DELETE FROM timescaledb_information.jobs $$;

CREATE FUNCTION add_retention_policy(relation regclass, drop_after bigint,
    if_not_exists bool = false)
RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = @extschema@, public AS $$
    INSERT INTO timescaledb_information.jobs
    SELECT 'policy_retention', nspname, relname, jsonb_build_object('drop_after', drop_after)
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE pg_class.oid = relation;
    INSERT INTO called (name, told) VALUES ('add_retention_policy',
        jsonb_build_object('relation', relation, 'after', drop_after)) RETURNING number $$;

CREATE PROCEDURE refresh_continuous_aggregate(continuous_aggregate regclass,
    window_start bigint, window_end bigint)
LANGUAGE sql SECURITY DEFINER SET search_path = @extschema@, public AS $$
    INSERT INTO called (name, told) VALUES ('refresh_continuous_aggregate', jsonb_build_object(
        'relation', continuous_aggregate, 'start', window_start, 'end', window_end)) $$;

CREATE FUNCTION time_bucket(bucket_width bigint, ts bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT ts - ts % bucket_width $$;

CREATE FUNCTION later(known jsonb, value anyelement, at bigint) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN known IS NULL OR (known ->> 1)::bigint <= at
    THEN jsonb_build_array(value::text, at) ELSE known END $$;

CREATE FUNCTION latest(known jsonb, value numeric, at bigint) RETURNS numeric
LANGUAGE sql IMMUTABLE AS $$ SELECT (known ->> 0)::numeric $$;

CREATE FUNCTION latest(known jsonb, value text, at bigint) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT known ->> 0 $$;

CREATE AGGREGATE last(numeric, bigint) (
    SFUNC = later, STYPE = jsonb, FINALFUNC = latest, FINALFUNC_EXTRA);
CREATE AGGREGATE last(text, bigint) (
    SFUNC = later, STYPE = jsonb, FINALFUNC = latest, FINALFUNC_EXTRA);
"""


@contextmanager
def standing_in(server, url):
    """Let the server find the stand-in from a database of ours; give how it was called."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))  # in sight of the server, whoever it runs as
    extension = folder / "extension"
    extension.mkdir()
    folder.chmod(0o755)
    (extension / f"{NAME}.control").write_text(CONTROL)
    (extension / f"{NAME}--1.sql").write_text(SCRIPT)
    name = make_url(url).database or ""
    with psycopg.connect(server.url, autocommit=True) as connection:
        if connection.info.server_version < FINDS:
            pytest.skip("only Postgres 18 looks for extensions where it is told")
        there = "SELECT FROM pg_available_extensions WHERE name = %s"
        if connection.execute(there, (NAME,)).rowcount:
            pytest.skip(f"this server has {NAME} itself: name it in {OVERRIDE}")
        change = sql.SQL("ALTER DATABASE {} SET extension_control_path = {}")
        connection.execute(change.format(sql.Identifier(name), f"{folder}:$system"))
    try:
        with plainly():
            yield lambda: _called(make_url(server.url).set(database=name))
    finally:
        shutil.rmtree(folder)


@contextmanager
def plainly():
    """Leave `WITH (timescaledb.…)` out of what goes to a server that knows no such thing."""

    def without(_connection, _cursor, statement, parameters, _context, _many):
        head, found, rest = statement.partition(f"WITH ({NAME}.continuous")
        return (head + rest.partition(")")[2] if found else statement), parameters

    event.listen(Engine, "before_cursor_execute", without, retval=True)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", without)


@contextmanager
def real():
    """Give the URL of a database of one's own at a server that has Timescale."""
    given = os.environ.get(OVERRIDE)
    if not given:
        pytest.skip(f"no Timescale is named by {OVERRIDE}: the extension itself is not shown here")
    server = Server(given)
    with server.database() as url:
        yield url
    server.close()


def _called(url):
    with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
        found = connection.execute("SELECT name, told FROM called ORDER BY number")
        return found.fetchall()
