"""What nobody should type, and scripts do: no mistake of ours, and no untrue word."""

import pytest

from bursar.errors import BadChoice
from bursar.serve.running import application

TEXTLESS = "\udcff"  # how Python reads a byte of the command line that is no UTF-8


@pytest.mark.parametrize(
    "line",
    [
        ("token", "revoke", TEXTLESS),
        ("report", "--benchmark", TEXTLESS),
    ],
    ids=lambda line: line[0],
)
def test_bytes_that_are_no_text_are_named(story, bursar, line):
    said = bursar(*line, code=2).err
    assert "what was said is no text: '\\udcff'" in said


@pytest.mark.parametrize("host", ["\u202e", TEXTLESS, "a\x00b", "no.such.host.invalid"])
def test_a_host_that_is_none_is_named(bursar, host):
    said = bursar("serve", "--host", host, "--port", "0", code=2).err
    assert "address" in said or "cannot be had" in said


@pytest.mark.parametrize("option", ["--book", "--portfolio", "--config"])
def test_an_empty_name_does_not_mean_the_usual_one(story, bursar, option):
    said = bursar("status", option, "", code=2).err
    assert option in said
    assert "is empty" in said


@pytest.mark.parametrize("variable", ["BURSAR_BOOK", "BURSAR_CONFIG"])
def test_an_empty_variable_does_not_mean_the_usual_one(story, bursar, monkeypatch, variable):
    monkeypatch.setenv(variable, "")
    assert f"(or {variable}) is empty" in bursar("status", code=2).err
    with pytest.raises(BadChoice, match=f"the variable {variable} is empty"):
        application()  # as uvicorn finds it


@pytest.mark.parametrize(
    "line",
    [("flows", "--limit"), ("trades", "--limit"), ("journal", "--tail"), ("tx", "log", "-n")],
)
def test_no_count_makes_a_book_look_empty(story, bursar, line):
    for count in ("-1", "9" * 60):
        assert bursar(*line, count, code=2).out == ""
    ran = bursar(*line, "0")
    assert (ran.out, ran.err) == ("", "")


def test_a_coin_that_never_was_there_is_told_apart_from_one_that_is_gone(story, bursar, ask):
    never = "there never was any in the book"
    assert bursar("lots", "NOPE").out == f"No open lots of NOPE: {never}.\n"
    assert bursar("flows", "--asset", "nope").out == f"No flows of NOPE: {never}.\n"
    assert never not in bursar("lots", "XTZ").out
    assert ask("lots", "NOPE")["lots"] == []


def test_advice_is_in_words_that_lead_on(story, bursar, tmp_path):
    assert "kraken" in bursar("why", "realised", "XBT").out
    assert bursar("why", "unrealised", "XBT").out
    oversold = bursar("add", "sell", "99", "XBT/EUR", "@", "1", code=2).err
    assert "manual:main holds 0 XBT" in oversold
    assert "name the account that holds it (--account)" in oversold
    assert "2024-01-01..2024-02-01 in a terminal" in bursar("performance", "2024", code=2).err
    (tmp_path / "cycle.json").write_text("asset,time\n")
    said = bursar("tx", "review", tmp_path / "cycle.json", code=2).err
    assert "cycle.json: no JSON document at line 1, column 1" in said
