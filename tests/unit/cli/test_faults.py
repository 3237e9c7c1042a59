"""What goes wrong: one clear block, the right exit code, nothing written, no traceback."""

import os
import re
import sqlite3
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from bursar.cli import commands, faults
from bursar.cli.session import Session
from bursar.errors import BrokenInvariant, MissingMark, Oversold, StaleVersion, StoreBusy
from tests.unit.cli.conftest import STORY


def line(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "bursar", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def spoiled(tmp_path):
    text = (STORY / "ledgers.gen4-16col.csv").read_text().splitlines()
    place = text[0].replace('"', "").split(",").index("amount")
    cells = text[4].split(",")
    cells[place] = '"12,5"' if '"' in text[4] else "12;5"
    text[4] = ",".join(cells)
    path = tmp_path / "ledgers.csv"
    path.write_text("\n".join(text))
    return path


def test_a_malformed_file_is_told_by_its_place(bursar, ask, tmp_path):
    path = spoiled(tmp_path)
    said = bursar("import", path, code=2)
    assert said.out == ""
    assert re.match(
        r"bursar: ledgers\.csv, line 5, column amount: '12.5', expected a plain decimal number\n"
        r"  code  malformed\n  next  Nothing was written",
        said.err,
    )
    assert sorted(each.name for each in tmp_path.iterdir()) == ["ledgers.csv"]
    told = ask("import", path, code=2)["error"]
    assert told["code"] == "malformed"
    assert {*told["context"]} == {"file", "line", "column", "value", "expected"}


def test_one_bad_file_stops_all_of_them(story, bursar, ask, tmp_path):
    before = ask("verify")["head"]
    bursar("import", STORY / "trades.gen1-13col.csv", spoiled(tmp_path), code=2)
    assert ask("verify")["head"] == before


@pytest.mark.parametrize(
    "arguments,code,word",
    [
        (["nonsense"], 2, "usage"),
        (["status", "--nonsense"], 2, "usage"),
        (["pnl", "--by", "moon"], 2, "usage"),
        (["pnl", "--method", "magic"], 2, "bad_choice"),
        (["import"], 2, "bad_choice"),
        (["import", "nowhere.csv"], 2, "input"),
        (["import", STORY / "prices.csv", "--base", "USD"], 2, "bad_choice"),
        (["status", "--price", "XBT"], 2, "malformed"),
        (["status", "--price", "XBT=1e5"], 2, "not_exact"),
        (["status", "--prices", STORY / "ledgers.gen1-10col.csv"], 2, "unknown_format"),
        (["flows", "--limit", "-1"], 2, "bad_choice"),
        (["trades", "--limit", "-1"], 2, "bad_choice"),
        (["journal", "--tail", "-1"], 2, "bad_choice"),
        (["status", "--book", "nowhere.db"], 3, "portfolio_not_found"),
        (["status", "--portfolio", "nobody"], 3, "portfolio_not_found"),
        (["why", "nothing"], 3, "figure_not_found"),
        (["why", "value"], 3, "figure_not_found"),
        (["why", "value", "DOGE"], 3, "figure_not_found"),
    ],
)
@pytest.mark.usefixtures("story")
def test_exit_codes(bursar, ask, arguments, code, word):
    said = bursar(*arguments, code=code)
    assert said.out == ""
    assert re.match(rf"bursar: .+\n  code  {word}\n  next  .+\n$", said.err, re.DOTALL)
    assert "Traceback" not in said.err
    assert ask(*arguments, code=code)["error"]["code"] == word


@pytest.mark.parametrize(
    "error,code",
    [
        (StaleVersion(), 4),
        (StoreBusy(), 4),
        (Oversold("more than is held"), 2),
        (MissingMark(), 3),
        (BrokenInvariant("the books do not close"), 70),
        (FileNotFoundError(2, "No such file", "x.csv"), 2),
        (OSError("odd"), 2),
        (ZeroDivisionError("ours"), 70),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_has_its_code(bursar, monkeypatch, error, code):
    def broken(_arguments):
        raise error

    class App:
        meta = staticmethod(broken)

    monkeypatch.setattr(commands, "_app", App)
    said = bursar("status", code=code)
    assert said.out == ""
    assert said.err
    monkeypatch.setenv("BURSAR_TRACE", "1")
    with pytest.raises(type(error)):
        commands.run(["status"])


def test_every_hint_belongs_to_an_error():
    from bursar import errors

    known = {
        each.code
        for each in vars(errors).values()
        if isinstance(each, type) and hasattr(each, "code")
    }
    assert set(faults.NEXT) <= known | {"usage", "internal"}


def test_a_book_that_was_tampered_with_fails(story, bursar, ask, tmp_path):
    with sqlite3.connect(tmp_path / "bursar.db") as database:
        tables = {name for (name,) in database.execute("select name from sqlite_master")}
        assert "journal" in tables
        triggers = database.execute("select name from sqlite_master where type = 'trigger'")
        for (trigger,) in triggers.fetchall():
            database.execute(f"drop trigger {trigger}")
        database.execute("update journal set body = replace(body, '6000', '7000') where seq < 9")
    database.close()
    said = bursar("verify", code=1)
    assert re.search(r"✗ +journal +journal row 1 was changed", said.out)
    assert not ask("verify", code=1)["is_sound"]
    assert ask("status", code=4)["error"]["code"] == "store_corrupt"


def test_a_fault_in_the_book_fails(story, bursar, ask, monkeypatch):
    from bursar.ledger import audit

    one = [audit.Breach("money", "the whole book", Decimal(1))]
    monkeypatch.setattr(audit, "breaches", lambda _book: one)
    said = bursar("verify", code=1)
    assert re.search(r"✗ +books +money at the whole book: off by 1", said.out)
    assert said.out.count("✓") == 7
    assert ask("verify", code=1)["faults"] == ["money at the whole book: off by 1"]


def test_the_process_itself_exits_so(tmp_path):
    assert line("--version").returncode == 0
    assert line("status").returncode == 3
    assert line("nonsense").returncode == 2
    done = line("import", STORY / "trades.gen1-13col.csv", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert line("verify", NO_COLOR="1").returncode == 0


def test_help_loads_no_database():
    code = (
        "import sys; from bursar.cli import main; main(['--help']);"
        "main(['pnl', '--help']); main(['--version']);"
        "heavy = {'sqlalchemy', 'alembic', 'fastapi', 'matplotlib', 'bursar.store', 'bursar.app'};"
        "print(heavy & sys.modules.keys(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "set()\n")


def test_a_reader_that_leaves_early_is_no_error(story):
    shell = f"{sys.executable} -m bursar.cli journal | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", shell], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 1


def test_a_stop_says_what_became_of_the_book(story, bursar, monkeypatch):
    def stopped(_session):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "open", stopped)
    said = bursar("status", code=130)
    assert said.err == "\nbursar: stopped; what was not committed is not written\n"
    assert said.out == ""


def test_a_screen_without_unicode_is_no_error(story):
    done = line("verify", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")
    assert "+  journal" in done.stdout
    assert "?" not in done.stdout
    done = line("why", "realized", "--json", PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()


def test_an_answer_that_cannot_be_written_is_no_failure_of_the_deed(story, ask):
    """A full disk behind stdout, stdout closed from the start, a reader that leaves the help."""
    run = f"{sys.executable} -m bursar.cli"
    shell = (
        f"{run} add deposit 5 EUR --id a --yes --json > /dev/full; echo $? > codes\n"
        f"{run} add deposit 5 EUR --id b --yes >&- <&-; echo $? >> codes\n"
        f"{run} --help | true; echo ${{PIPESTATUS[0]}} >> codes\n"
    )
    done = subprocess.run(["bash", "-c", shell], check=False, capture_output=True, text=True)
    assert Path("codes").read_text().split() == ["74", "0", "0"]
    assert done.stderr.count("the answer could not be written: No space left on device") == 1
    assert done.stderr.count("What the command did stands.") == 1
    assert "Traceback" not in done.stderr
    assert "Nothing was written" not in done.stderr
    told = [row["id"] for row in ask("journal")["rows"]]
    assert [name.rpartition(":")[2] for name in told[-2:]] == ["a", "b"]


def test_a_name_that_is_no_text_is_shown_as_it_can_be(bursar, ask):
    name = os.fsdecode(b"b\xff.db")
    assert "there is no book at b" in bursar("status", "--book", name, code=3).err
    assert ask("status", "--book", name, code=3)["error"]["code"] == "portfolio_not_found"
    assert bursar("new", "--book", name).out.startswith("Made b")


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["status", "--jsno"], r"Unknown option: --jsno\. Did you mean --json\?"),
        (["flows", "--limt", "3"], r"Unknown option: --limt\. Did you mean --limit\?"),
        (["plan"], "plan needs FILE"),
        (["price", "XBT"], "price needs TIME"),
        (["token", "new", "a", "--scope"], "--scope"),
    ],
)
def test_what_was_meant_or_lacks_is_said(bursar, arguments, said):
    told = bursar(*arguments, code=2).err
    assert re.search(said, told)
    assert "Nothing was done." in told


def test_the_options_of_every_command_are_those_of_the_help(bursar):
    shown = bursar("status", "--help").out.partition("Options of every command")[2]
    assert set(re.findall(r"--[a-z-]+", shown)) - {"--help"} == set(faults.COMMON)


def test_a_base_currency_that_no_state_has_is_doubted(bursar, tmp_path):
    for base, doubt in (("EURO", "was EUR meant?"), ("XBT", None), ("DOGE", None)):
        place = tmp_path / f"{base}.db"
        said = bursar("--book", place, "new", "--base", base)
        assert ("was " in said.out + said.err) is (doubt is not None)
        assert doubt is None or doubt in " ".join((said.out + said.err).split())


def test_settings_that_cannot_be_read_make_no_book(bursar, tmp_path):
    (tmp_path / "config.yaml").write_text("portfolio: {risk_limits_file: limits.yaml}\n")
    said = bursar("import", STORY / "prices.csv", "--base", "EUR", code=2)
    assert "limits.yaml cannot be read: No such file or directory\n" in said.err
    assert not (tmp_path / "bursar.db").exists()
