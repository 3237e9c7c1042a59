"""`bursar report`: a file of each kind, of what was asked, and nothing half written."""

import json
import re
from shutil import copy
from typing import get_args

import pytest

from bursar.app import open as open_book
from bursar.cli.report import Stretch
from bursar.ledger.golden import read
from bursar.ledger.terms import Method, Terms
from bursar.report import RANGES, YEAR_TO_DATE

STORY = (
    "2024-01-01T00:00:00Z deposit 1000 EUR #m:1",
    "2024-01-02T00:00:00Z buy 2 XBT @ 100 EUR #m:2",
    "2025-04-05T00:00:00Z sell 1 XBT @ 300 EUR #m:3",
    "2025-04-06T00:00:00Z sell 1 XBT @ 400 EUR #m:4",
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("story") / "bursar.db"
    with open_book(path, terms=Terms(base="EUR", method=Method.FIFO)) as portfolio:
        portfolio.record(*read(STORY))
    return path


@pytest.fixture
def book(written, tmp_path):
    return copy(written, tmp_path / "bursar.db")


def test_both_files_and_the_document_are_of_one_record(book, bursar, tmp_path):
    asked = ("report", "--tax-year", "04-06", "--benchmark", "xbt", "-o", "r.html", "-o", "r.pdf")
    ran = bursar(*asked, "--json")
    told = json.loads(ran.out)
    years = {each["year"]: each["realized"] for each in told["gains"]["by_tax_year"]}
    assert years == {"2024/25": "200", "2025/26": "300"}
    assert told["benchmark"]["asset"] == "XBT"
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "Tax years, from 04-06" in page
    assert re.search(r'<data value="200"[^>]*>\+200.00</data>', page)
    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    assert ran.err == ""


def test_settings_say_when_a_tax_year_begins_and_a_gain_is_long(book, ask, tmp_path):
    (tmp_path / "config.yaml").write_text(
        'portfolio:\n  tax_year_start: "07-01"\n  long_after_days: 459\n'
    )
    told = ask("report")["gains"]
    assert (told["tax_year"], told["long_after"]) == ("07-01", 459)
    # bought on 2 January 2024: 459 days to 5 April 2025, 460 to the 6th
    assert [each["term"] for each in told["disposals"]] == ["short", "long"]
    assert ask("report", "--long-after", "1")["gains"]["long_after"] == 1


def test_a_range_ends_before_its_last_day(book, ask):
    told = ask("report", "--from", "2025-01-01", "--to", "2025-04-06")
    assert [each["sold_at"] for each in told["gains"]["disposals"]] == ["2025-04-05T00:00:00Z"]
    assert [(each["asset"], each["quantity"]) for each in told["holdings"]] == [
        ("EUR", "1100"),
        ("XBT", "1"),
    ]


def test_without_a_name_it_is_an_html_file_here(book, bursar, tmp_path):
    ran = bursar("report")
    assert "Wrote bursar-report.html." in ran.err
    assert "! the curve is rebuilt" in ran.out
    assert (tmp_path / "bursar-report.html").is_file()


@pytest.mark.parametrize(
    "words,says",
    [
        (("--output", "r.txt"), "a report is a .html or a .pdf"),
        (("--range", "1M", "--from", "2025-01-01"), "not both"),
        (("--tax-year", "02-30"), "such as 04-06"),
        (("--strategy", "nobody"), "no strategy is called 'nobody'; there are manual"),
        (("--from", "2025-02-01", "--to", "2025-01-01"), "before it begins"),
        (("--from", "yesterday"), "yesterday"),
    ],
)
def test_what_says_nothing_is_refused_and_nothing_is_written(book, bursar, tmp_path, words, says):
    ran = bursar("report", *words, code=2)
    assert says in ran.err
    assert not list(tmp_path.glob("*report*"))
    assert not list(tmp_path.glob("r.*"))


def test_the_ranges_are_those_of_the_page():
    assert set(get_args(Stretch)) == {*RANGES, YEAR_TO_DATE}
