"""The examples run, and do what they say."""

import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bursar
from tests.servers.redis import binary

EXAMPLES = Path(__file__).parents[2] / "examples"
CYCLE, WALK = EXAMPLES / "trading_cycle.py", EXAMPLES / "walk.sh"


def test_the_trading_cycle_goes_on_where_it_was(tmp_path, monkeypatch, capsys):
    place = str(tmp_path / "book.db")
    monkeypatch.setattr(sys, "argv", [str(CYCLE), place])
    said = []
    for _ in range(2):
        runpy.run_path(str(CYCLE), run_name="__main__")
        said.append(capsys.readouterr().out.splitlines()[-2:])
    # 100,000; nine a cycle in fees; 400 × 0.8 − 10 × 10 and −300 × 0.8 + 20 × 10 by the marks.
    assert said[0] == ["equity 100153.0", "True"]
    # The second run: back to the first marks and through all three again: only the fees are new.
    assert said[1] == ["equity 100126.0", "True"]


@pytest.mark.slow("a service, and every program outside it that it is meant for")
def test_a_stranger_walks_the_contract(redis_server, monkeypatch):
    if shutil.which("curl") is None:
        pytest.skip("no curl here")
    server = redis_server()
    client = Path(binary("redis") or "").with_name("redis-cli")
    if not client.is_file():
        pytest.skip("no redis-cli beside the server")
    monkeypatch.setenv("PYTHON", sys.executable)
    monkeypatch.setenv("PYTHONPATH", str(Path(bursar.__file__).parents[1]))
    monkeypatch.setenv("REDIS_SOCKET", server.url.removeprefix("unix://"))
    monkeypatch.setenv("REDIS_CLI", str(client))
    ran = subprocess.run(
        ["sh", str(WALK)], capture_output=True, text=True, check=False, timeout=240
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith("walked\n")
    assert "heard and told" in ran.stdout
