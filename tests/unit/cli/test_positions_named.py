# ruff: noqa: E501 (rows of exports)
"""Kraken's exports of 2026 name the position that a trade closed: what each file says of that."""

import pytest

LEDGERS = """txid,refid,time,type,subtype,aclass,subclass,asset,wallet,amount,fee,balance
LB01,FB01,2024-03-01 09:00:00,deposit,,currency,fiat,EUR,spot / main,2000,0,2000
LB02,TB01,2024-03-02 10:00:00,trade,tradespot,currency,fiat,EUR,spot / main,-200,0.8,1799.2
LB03,TB01,2024-03-02 10:00:00,trade,tradespot,currency,crypto,ATOM,spot / main,20,0,20
LB04,TB02,2024-03-03 10:00:00,collateralconversion,,currency,fiat,EUR,spot / main,-0.16,0,1799.04
LB05,TB02,2024-03-03 10:00:00,collateralconversion,,currency,stable_coin,EURC,spot / main,0.16,0,0.16
LB06,TB02,2024-03-03 10:00:00,margin,,currency,stable_coin,EURC,spot / main,0,0.16,0
LB07,TB03,2024-03-04 10:00:00,margin,,currency,fiat,EUR,spot / main,5,0.18,1803.86
LB08,TB04,2024-03-05 10:00:00,margin,,currency,fiat,EUR,spot / main,0,0.1,1803.76
LB09,TB04,2024-03-05 14:00:00,rollover,,currency,fiat,EUR,spot / main,0,0.02,1803.74
LB10,TB05,2024-03-06 10:00:00,settled,,currency,fiat,EUR,spot / main,-24,0,1779.74
LB11,TB05,2024-03-06 10:00:00,settled,,currency,crypto,ATOM,spot / main,4,0,24
LB12,TB06,2024-03-07 10:00:00,margin,,currency,fiat,EUR,spot / main,0,0.08,1779.66
LB13,TB07,2024-03-08 10:00:00,margin,,currency,fiat,EUR,spot / main,1.5,0.05,1781.11
"""
HEADER = (
    "txid,ordertxid,pair,aclass,subclass,time,type,ordertype,price,cost,fee,vol,margin,misc,"
    "ledgers,posttxid,posstatuscode,cprice,ccost,cfee,cvol,cmargin,net,trades"
)
NONE = "TB00"
ROWS = [  # pair, day, side, type, price, cost, fee, volume, margin, words, rows, position, status
    ("ATOM/EUR", 2, "buy", "market", 10, 200, 0.8, 20, 0, "initiated", "LB03,LB02", NONE, ""),
    ("ATOM/EUR", 3, "buy", "market", 8, 40, 0.16, 5, 20, "initiated", "LB06", NONE, "closed"),
    (
        "ATOM/EUR",
        4,
        "sell",
        "market",
        9,
        45,
        0.18,
        5,
        22.5,
        "initiated,closing",
        "LB07",
        "TB02",
        "",
    ),
    ("ATOM/EUR", 5, "buy", "limit", 6, 24, 0.1, 4, 12, "", "LB08,LB09", NONE, "closed"),
    ("ATOM/EUR", 6, "buy", "limit", 6, 24, 0, 4, 12, "initiated,closing", "LB11,LB10", "TB04", ""),
    ("ALGO/EUR", 7, "sell", "limit", 0.4, 20, 0.08, 50, 10, "", "LB12", NONE, ""),
    ("XTZ/EUR", 8, "sell", "limit", 1, 12, 0.05, 12, 6, "closing", "LB13", "TB99", ""),
]


def exported(columns):
    """The rows, with the first `columns` of the export's columns."""
    lines = []
    for number, (pair, day, side, kind, *money, words, ledgers, position, status) in enumerate(
        ROWS, 1
    ):
        when = f"2024-03-0{day} 10:00:00.1000"
        named = (f"TB0{number}", f"OB0{number}", pair, "forex", "crypto", when, side, kind)
        cells = (*named, *money, words, ledgers, position, status, *[""] * 7)
        lines.append(",".join(f'"{cell}"' for cell in cells[:columns]))
    return "\n".join([",".join(HEADER.split(",")[:columns]), *lines]) + "\n"


@pytest.fixture
def files(tmp_path):
    (tmp_path / "ledgers.csv").write_text(LEDGERS)
    (tmp_path / "trades.csv").write_text(exported(24))
    (tmp_path / "older.csv").write_text(exported(15))  # which position it was is not told


def told(status):
    margins = {each["pair"]: each["quantity"] for each in status["margins"]}
    return margins, {each["asset"]: each["quantity"] for each in status["coverage"]["unseen"]}


def coins(said):
    return [each["base_size"] for each in said["positions"] if each["base_size"] != "0"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("trades", ["trades.csv", "older.csv"])
@pytest.mark.parametrize("turned", [False, True])
def test_positions_that_were_closed_and_settled_are_gone(ask, trades, turned):
    for name in [trades, "ledgers.csv"] if turned else ["ledgers.csv", trades]:
        ask("import", name, "--base", "EUR")
    status = ask("status", "--price", "ATOM=10")
    assert told(status) == ({"ALGO/EUR": "-50"}, {"XTZ/EUR": "12"})
    assert status["coverage"]["gaps"] == []
    assert (status["equity"], status["realized"]) == ("2021.11", "5.13")
    assert coins(ask("positions")) == ["24"]


@pytest.mark.usefixtures("files")
def test_the_names_of_positions_alone_tell_a_settlement(ask):
    ask("import", "trades.csv", "--base", "EUR")
    status = ask("status")
    assert told(status) == ({"ALGO/EUR": "-50"}, {"XTZ/EUR": "12"})
    assert coins(ask("positions")) == ["24"]


@pytest.mark.usefixtures("files")
def test_a_settlement_keeps_its_name_in_the_books_own_text(bursar, ask, tmp_path):
    ask("import", "trades.csv", "--base", "EUR")
    text = bursar("export", "--format", "golden").out
    assert sum("settles" in line.split() for line in text.splitlines()) == 1
    status = ask("status")
    (tmp_path / "again.journal").write_text(text)
    ask("import", "again.journal", "--book", "again.db")
    assert told(ask("status", "--book", "again.db")) == told(status)


@pytest.mark.usefixtures("files")
def test_files_in_pieces_come_to_the_same(ask, tmp_path):
    head, *lines = exported(24).splitlines(keepends=True)
    for number, part in enumerate([lines[4:], lines[2:5], lines[:3]]):
        (tmp_path / f"{number}.csv").write_text(head + "".join(part))
        ask("import", f"{number}.csv", "--base", "EUR")
    ask("import", "ledgers.csv")
    assert told(ask("status")) == ({"ALGO/EUR": "-50"}, {"XTZ/EUR": "12"})
