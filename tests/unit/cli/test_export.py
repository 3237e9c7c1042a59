"""`bursar export`: every format, to a file or to stdout, whole or not at all."""

import csv
import io
import json
import os
import shutil
import stat
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from beancount import loader

from bursar.cli.export import Format
from bursar.errors import BrokenInvariant
from bursar.exact import trimmed
from bursar.ledger.golden.words import quote
from bursar.portfolio.exports import TABLES
from tests.auditor.test_hledger import read
from tests.unit.portfolio.test_spelled import RISKY


def test_every_table_leaves_in_every_format(story, bursar, ask):
    for what in TABLES:
        asked = ("export", "--what", what, "--price", "KFEE=0", "--format")
        document = timeless(json.loads(bursar(*asked, "json").out)[what])
        assert timeless(ask("export", "--what", what, "--price", "KFEE=0")[what]) == document
        lines = bursar(*asked, "ndjson").out.splitlines()
        assert timeless([json.loads(line) for line in lines]) == document
        rows = list(csv.DictReader(io.StringIO(bursar(*asked, "csv").out)))
        assert len(rows) == len(document) > 0
        bursar(*asked, "parquet", "-o", "t.parquet")
        frame = pl.read_parquet("t.parquet")
        assert (frame.height, frame.columns) == (len(document), list(rows[0]))


def timeless(rows):
    """Leave out when a mark was given: that is now."""
    return [{name: value for name, value in row.items() if name != "mark_at"} for row in rows]


def test_numbers_in_parquet_are_those_of_json(story, ask, bursar):
    bursar("export", "--format", "parquet", "--what", "trades", "-o", "t.parquet")
    rows = pl.read_parquet("t.parquet").rows(named=True)
    compared = 0
    for row, told in zip(rows, ask("export", "--what", "trades")["trades"], strict=True):
        for name, value in row.items():
            if isinstance(value, Decimal):
                assert trimmed(value) == told[name]
                compared += 1
    assert compared > 100


def test_beancount_and_hledger_find_the_story_in_order(story, bursar):
    for method in ("wac", "hifo"):
        text = bursar("export", "--format", "beancount", "--method", method).out
        _, errors, _ = loader.load_string(text)
        assert errors == []
        assert "2024-01-02 price XBT" in text
        text = bursar("export", "--format", "hledger", "--method", method).out
        assert read(text, "EUR")


def test_lots_are_seen_under_another_rule(story, ask):
    assert len(ask("export", "--what", "lots", "--method", "fifo")["lots"]) == 13
    assert {row["entry"] for row in ask("export", "--what", "lots")["lots"]} == {"pool"}


def test_a_file_is_told_of_and_text_is_not_lost_in_json(story, bursar, ask):
    said = bursar("export", "--what", "lots", "--format", "ndjson", "-o", "lots.ndjson")
    assert (said.out, said.err) == ("", "Wrote lots.ndjson.\n")
    assert stat.S_IMODE(Path("lots.ndjson").stat().st_mode) == 0o600
    told = ask("export", "--what", "lots", "--format", "ndjson", "-o", "lots.ndjson")
    assert told == {
        "what": "lots",
        "format": "ndjson",
        "output": "lots.ndjson",
        "bytes": Path("lots.ndjson").stat().st_size,
    }
    told = ask("export", "--format", "beancount")
    assert told["text"] == bursar("export", "--format", "beancount").out


def test_what_makes_no_sense_is_refused(story, bursar):
    for format_ in ("golden", "beancount", "hledger"):
        said = bursar("export", "--format", format_, "--what", "trades", code=2).err
        assert f"{format_} is the whole book" in said
    assert "--output" in bursar("export", "--format", "parquet", code=2).err
    bursar("export", "--format", "xlsx", code=2)
    bursar("export", "--what", "profits", code=2)


def test_a_failure_half_way_leaves_the_older_file(story, bursar, monkeypatch):
    Path("out").write_text("before")
    from bursar.portfolio import exports

    def broken(_ledger):
        yield "half"
        raise BrokenInvariant("the legs are off")

    monkeypatch.setattr(exports, "beancount", broken)
    bursar("export", "--format", "beancount", "-o", "out", code=70)
    assert Path("out").read_text() == "before"
    assert not [path for path in Path().iterdir() if path.name.startswith(".out")]


def test_a_pipe_is_written_to_as_it_is(story, bursar):
    os.mkfifo("pipe")
    reader = subprocess.Popen(["cat", "pipe"], stdout=subprocess.PIPE, text=True)
    bursar("export", "--what", "lots", "-o", "pipe")
    assert reader.communicate()[0] == bursar("export", "--what", "lots").out
    assert Path("pipe").is_fifo()


def test_a_strangers_text_is_no_formula_in_any_column(bursar, tmp_path):
    """Every text that a file may bring, with every risky beginning that the language lets in."""
    starts = [start for start in RISKY if "\0" not in start]
    lines = ["@ base EUR"]
    for number, start in enumerate(starts):
        word = quote(f"{start}x")
        lines.append(
            f"2024-01-01T00:00:00Z  deposit  5 {word}  #{quote(f'{start}:{number}')}  value=1"
            f"  account={word}  note={word}"
        )
        lines.append(
            f"2024-01-02T00:00:00Z  buy  1 {word} @ 1 EUR  #{quote(f'{start}b:{number}')}"
            f"  account={word}  strategy={word}  regime={word}  order_id={word}  pair={word}"
        )
    path = tmp_path / "evil.journal"
    path.write_text("\n".join(lines), newline="")
    bursar("import", path)
    risky, seen = tuple(start for start in RISKY if start != "'"), 0
    for what in TABLES:
        made = bursar("export", "--what", what, "--format", "csv", "-o", "out.csv")
        assert made.code == 0
        text = Path("out.csv").read_bytes().decode()
        for row in csv.DictReader(io.StringIO(text, newline="")):
            assert None not in row
            for name, cell in row.items():
                if cell.startswith("-"):
                    float(cell)  # a number
                assert not cell.startswith(risky) or cell.startswith("-"), (what, name, cell)
                seen += cell.startswith("'")
    assert seen > 10 * len(starts)


def test_the_installed_hledger_agrees(story, bursar):
    program = shutil.which("hledger")
    if program is None:
        pytest.skip("hledger is not installed here")
    bursar("export", "--format", "hledger", "-o", "a.hledger")
    done = subprocess.run(
        [program, "-f", "a.hledger", "balance", "-B"], capture_output=True, check=True
    )
    assert done.stdout.split()[-1] == b"0"


def test_the_page_names_every_format_and_table():
    page = (Path(__file__).parents[3] / "docs" / "EXPORTS.md").read_text()
    for name in (*TABLES, *get_args(Format)):
        assert f"`{name}`" in page


def test_a_journal_brings_all_of_its_terms_also_where_the_base_is_said(bursar, ask):
    bursar("new", "--base", "EUR", "--method", "fifo", "--scope", "pooled", "--quiet")
    bursar("add", "deposit", "5", "EUR", "--time", "2024-01-02", "--yes", "--quiet")
    bursar("export", "-o", "kept.journal", "--quiet")
    for base in ((), ("--base", "eur")):
        book = f"with-{len(base)}.db"
        bursar("import", "kept.journal", *base, "--book", book, "--quiet")
        found = ask("portfolio", "list", "--book", book)["portfolios"][0]
        assert (found["base"], found["method"], found["scope"]) == ("EUR", "fifo", "pooled")
    ran = bursar("import", "kept.journal", "--base", "USD", "--book", "other.db", code=2)
    assert "kept in EUR, the portfolio in USD" in ran.err
