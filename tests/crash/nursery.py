"""A warm process that forks children to be killed, so that each costs milliseconds.

It reads one job a line and never opens a database itself: a connection must not cross a fork.
Children speak through its standard output, one short line at a time: `born <pid>`, `ack <version>
<seq>`, `refused <why>`; when one is gone the nursery says `dead <code>`.
"""

import ctypes
import json
import logging
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import psycopg  # noqa: F401 (warm)
from sqlalchemy import Engine, event
from sqlalchemy.dialects import postgresql  # noqa: F401 (warm)

import bursar.store.migrate  # noqa: F401 (warm)
from bursar.app import SystemClock
from bursar.desk import Desk, streaming
from bursar.desk.transactions import Options, PortfolioBatch, State, rules_of
from bursar.desk.transactions import transact as transacted
from bursar.errors import StoreError, StoreFull
from bursar.ledger import golden
from bursar.portfolio import Portfolio
from bursar.store import open_store, step_back
from bursar.store.steps import unwatched
from bursar.venue import files
from tests.contract.samples import commit, flow, trade
from tests.crash.syncing import sync


def say(line):
    os.write(1, f"{line}\n".encode())


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def write(path, seed, step=None, commits=100_000):
    """Commit without end, telling of each once it has returned; die at a step of the third."""
    left = 3

    def watch(name):
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                die()

    store = open_store(path, steps=watch if step else unwatched)
    choices = random.Random(seed)
    for _ in range(commits):
        head = store.commit(next_commit(store.head(), choices))
        say(f"ack {head.version} {head.seq}")
    store.close()


def next_commit(head, choices):
    """One to three rows, a trade, a flow, and cells which say what they belong to."""
    n = head.version + 1
    names = [f"{n}-{i}" for i in range(choices.randint(1, 3))]
    cells = {"version": str(n), "seq": str(head.seq + len(names)), f"slot-{n % 5}": str(n)}
    return commit(head, *names, cells=cells, trades=(trade(f"t{n}"),), flows=(flow(f"f{n}"),))


def open_and_die(path, statement):
    """Open a database and die when that statement is about to run."""
    at_statement(statement, die)
    open_store(path).close()


def step_back_and_die(path, statement):
    """Take a database one revision back and die when that statement is about to run."""
    at_statement(statement, die)
    step_back(path)


def open_and_wait(path, statement, gate):
    """Open a database; when that statement is about to run, tell so and wait at the gate."""

    def wait():
        say("ack 0 0")
        Path(gate).read_text()

    at_statement(statement, wait)
    open_store(path).close()


def at_statement(number, do):
    left = number

    @event.listens_for(Engine, "before_cursor_execute")
    def count(*_):
        nonlocal left
        left -= 1
        if left == 0:
            do()


def trade_through_a_desk(path, seed, step=None, commits=100_000):
    """Commit fills, some of them late, through a desk; die at a step of the third commit."""
    left = 3

    def watch(name):
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                die()

    desk = Desk(open_store(path, steps=watch if step else unwatched), Ticks())
    choices = random.Random(seed)
    for _ in range(commits):
        n = desk.head.seq
        lines = [fill_line(n + i, choices) for i in range(choices.randint(1, 3))]
        receipt = desk.submit(golden.read(lines))
        say(f"ack {receipt.version} {desk.head.seq}")
    desk.store.close()


def transact(path, *, step=None, commits=100_000, at=3, writer="", batch=0):
    """Add one dollar a transaction, under a key each; die at a step of the third one.

    With `batch`, so many of them land together. Several writers may do so at once, each by the
    time of day: where all said that it was the same moment, each fact would be folded in between.
    """
    left = at

    def watch(name):
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                die()

    store = open_store(path, steps=watch if step else unwatched)
    logging.getLogger("bursar.transactions").disabled = True
    desk = Desk(store, SystemClock() if writer else Ticks(), wait=rest)
    marks: dict[str, object] = {}
    for n in range(commits):
        if batch:
            with PortfolioBatch(desk, rules_of(0, {"validation_epsilon": 10**9})) as many:
                for _ in range(batch):
                    with many.transaction() as tx:
                        tx.stage_cash_delta(1)
                        assert tx.commit(marks)
        else:
            key = f"{writer}{n}" if writer else str(desk.head.version)
            rules: Options = {
                "validation_epsilon": 10**9,
                "idempotency_key": key,
            }
            made = transacted(
                desk,
                rules_of(0, rules),
                lambda tx: tx.stage_cash_delta(1),
                marks,
                retry_stale=1_000 if writer else 0,
            )
            assert made.state is State.COMMITTED
        say(f"ack {desk.head.version} {desk.head.seq}")
    store.close()


def rest(milliseconds):
    """Let time pass: real processes know no other clock."""
    time.sleep(milliseconds / 1000)


def import_a_file(path, export, step=None, chunk=20):
    """Import an export as a stream of many chunks; die at a step of the third one."""
    left = 3

    def watch(name):
        nonlocal left
        if name == step:
            left -= 1
            if left == 0:
                die()

    def read(place, account, _progress):
        return files.read(place, account, options=files.Options(stream_from=0))

    streaming.CHUNK = chunk  # type: ignore[misc]
    desk = Desk(open_store(path, steps=watch if step else unwatched), Ticks())
    report = Portfolio(desk, read).import_files(export)
    say(f"ack {report.receipt.version} {desk.head.seq}")
    desk.store.close()


def write_under_a_limit(path, seed, spares):
    """Commit while no file may grow by more than so many bytes, then without a limit.

    The write that crosses the limit is a short one, and the next one fails.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    free = resource.getrlimit(resource.RLIMIT_FSIZE)
    desk = Desk(open_store(path), Ticks())
    choices = random.Random(seed)
    desk.submit(golden.read([fill_line("first", choices)]))
    staged = desk.stage(golden.read([fill_line(n, choices) for n in range(100)]))
    before, size = desk.store.head(), Path(f"{path}-wal").stat().st_size
    for spare in spares:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + spare, free[1]))
        try:
            desk.commit(staged)
        except StoreError as error:
            say(f"refused {error.code}")
            assert desk.store.head() == desk.head == before
        else:
            raise AssertionError(f"{spare} bytes were enough")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, free)
    receipt = desk.commit(staged)  # the same change, the same desk: only the room is new
    say(f"ack {receipt.version} {desk.head.seq}")
    desk.store.close()


def write_on_a_tiny_disk(path, seed, fillers):
    """Commit on a small disk that is full, then has room again; leave the book outside."""
    disk = Path(path).with_name("disk")
    disk.mkdir()
    if not mounted(disk, size=12 << 20):
        say("refused unmountable")
        return
    book, filler = disk / "book.db", disk / "filler"
    desk = Desk(open_store(book), Ticks())
    choices = random.Random(seed)
    for n in range(fillers):
        desk.submit(golden.read([fill_line(f"a{n}", choices)]))
        staged = desk.stage(golden.read([fill_line(f"b{n}-{i}", choices) for i in range(30)]))
        before = desk.store.head()
        room = os.statvfs(disk).f_bavail - choices.randrange(12)
        filler.write_bytes(bytes(room * 4096))
        try:
            desk.commit(staged)
        except StoreFull as error:
            say(f"refused {error.code}")
            assert desk.store.head() == desk.head == before
        filler.unlink()
    receipt = desk.submit(golden.read([fill_line("last", choices)]))
    say(f"ack {receipt.version} {desk.head.seq}")
    desk.store.close()
    shutil.copy(book, path)


def mounted(folder, size):
    """Give this process a name space of its own, and in it a disk of that size at the folder."""
    libc = ctypes.CDLL(None)
    owner, group = os.getuid(), os.getgid()
    new_user, new_mounts = 0x10000000, 0x00020000
    if not hasattr(libc, "unshare") or libc.unshare(new_user | new_mounts) != 0:
        return False
    for name, told in (
        ("uid_map", f"0 {owner} 1"),
        ("setgroups", "deny"),
        ("gid_map", f"0 {group} 1"),
    ):
        Path("/proc/self", name).write_text(told)
    options = f"size={size}".encode()
    return bool(libc.mount(b"tmpfs", str(folder).encode(), b"tmpfs", 0, options) == 0)


def fill_line(n, choices):
    """A fill in the golden language, at a random second of one day."""
    second = choices.randrange(86_400)
    at = f"2026-01-05T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"
    side = choices.choice(["buy", "sell"])
    return f"{at} {side} 0.{choices.randint(1, 999):03} XBT @ 40000.1 USD fee 0.01 USD #k:{n}"


class Ticks:
    """A clock that stands still: what it says is only written down."""

    def now(self):
        return 1


def settle(store):
    """Wait until what a killed writer has sent to a server has been done or dropped.

    Whoever could still commit holds the portfolio's lock.
    """
    with store._writer.writing():
        pass


def together(what, each):
    """Do one job in many children at once, each with settings of its own; all must end well."""
    children = []
    for settings in each:
        pid = os.fork()
        if pid == 0:
            work({"job": what, **settings})
        children.append(pid)
    codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
    if any(codes):
        raise RuntimeError(f"children ended with {codes}")


JOBS: dict[str, Callable[..., None]] = {
    "write": write,
    "open": open_and_die,
    "back": step_back_and_die,
    "gate": open_and_wait,
    "desk": trade_through_a_desk,
    "import": import_a_file,
    "limit": write_under_a_limit,
    "tiny": write_on_a_tiny_disk,
    "sync": sync,
    "transact": transact,
    "together": together,
}


def main():
    for line in sys.stdin:
        job = json.loads(line)
        pid = os.fork()
        if pid == 0:
            work(job)
        _, status = os.waitpid(pid, 0)
        say(f"dead {os.waitstatus_to_exitcode(status)}")


def work(job):
    code = 0
    try:
        say(f"born {os.getpid()}")
        JOBS[job.pop("job")](**job)
    except BaseException:  # noqa: BLE001
        traceback.print_exc()
        code = 1
    finally:
        sys.stderr.flush()
        os._exit(code)


class Nursery:
    """The other end: starts jobs, kills children, hears what they said."""

    def __init__(self):
        path = os.pathsep.join(filter(None, sys.path))
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONPATH": path},
        )
        assert process.stdin is not None
        assert process.stdout is not None
        self._process, self._jobs, self._told = process, process.stdin, process.stdout
        self.refused = []

    def run(self, job, *, kill=None, **settings):
        """Run one job to its end; `kill(pid, acknowledged)` is asked after each line and may kill.

        Returns what was acknowledged, as (version, seq), and the exit code (-9 for killed).
        `refused` then holds the reasons of what was not.
        """
        self._jobs.write(json.dumps({"job": job, **settings}) + "\n")
        acknowledged, pid = [], None
        self.refused = []
        for line in self._told:
            match line.split():
                case ["born", number]:
                    pid = int(number)
                case ["ack", version, seq]:
                    acknowledged.append((int(version), int(seq)))
                case ["refused", why]:
                    self.refused.append(why)
                case ["dead", code]:
                    return acknowledged, int(code)
                case _:
                    raise AssertionError(line)
            try:
                if kill is not None and kill(pid, len(acknowledged)):
                    kill = None
            except BaseException:
                self._end(pid)  # or whoever comes next would wait for it
                raise
        raise AssertionError("the nursery is gone")

    def _end(self, pid):
        os.kill(pid, signal.SIGKILL)
        for line in self._told:
            if line.startswith("dead "):
                return

    def close(self):
        self._jobs.close()
        self._process.wait()
        self._told.close()


if __name__ == "__main__":
    main()
