"""What a stranger's text may do on a screen and in a spreadsheet: nothing."""

from decimal import Decimal

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from bursar.cli.answers import json_pieces, json_text, printable
from bursar.cli.figures import Figures, age, grouped
from bursar.cli.lines import PAGE
from bursar.cli.screen import figure, name, table, units


def test_controls_are_escaped():
    assert printable("a\x1b[31mb\x07\u202e") == r"a\x1b[31mb\x07\u202e"
    assert printable("Zürich → €\n") == "Zürich → €\n"


def test_a_note_steers_no_terminal(bursar, tmp_path):
    path = tmp_path / "evil.journal"
    path.write_text(
        "@ base EUR\n2024-01-01T00:00:00Z  deposit  5 [red]X  #a:1\n"
        "2024-01-01T00:00:00Z  deposit  5 EUR  #a:2  note=x\x1b[2J\n"
    )
    bursar("import", path)
    for line in (["flows"], ["status"], ["journal"], ["why", "contributed"], ["why", "equity"]):
        said = bursar(*line)
        assert "\x1b" not in said.out + said.err
    assert "[red]X" in bursar("status").out


@pytest.mark.parametrize(
    "value,money,gain",
    [
        ("1234567.005", "1,234,567.00", "+1,234,567.00"),
        ("-0.0004", "-0.00", "-0.00"),
        ("0.0004", "0.00", "+0.00"),
        ("0", "0.00", "0.00"),
        ("0E-18", "0.00", "0.00"),
        ("-87.606", "-87.61", "-87.61"),
    ],
)
def test_figures_for_reading(value, money, gain):
    figures = Figures()
    assert figures.money(Decimal(value)).plain == money
    assert figures.gain(Decimal(value)).plain == gain


def test_unknown_is_a_word():
    figures = Figures()
    for made in (figures.money, figures.gain, figures.quantity):
        assert made(None).plain == "unknown"
    assert figures.price(None).plain == "—"
    assert figures.percent(None).plain == "—"


def test_every_digit_on_request():
    figures = Figures(is_exact=True)
    assert figures.money(Decimal("1234.500000000000000001")).plain == "1,234.500000000000000001"
    assert figures.price(Decimal("0.123456789")).plain == "0.123456789"
    assert figures.percent(Decimal("33.3333")).plain == "33.3333 %"
    assert grouped(Decimal("1E+3")) == "1,000"


@pytest.mark.parametrize(
    "value,shown",
    [
        ("40595.249380790308", "40,595.25"),
        ("0.375000382519", "0.375"),
        ("0.00000001", "0.00000001"),
    ],
)
def test_prices_for_reading(value, shown):
    assert Figures().price(Decimal(value)).plain == shown


def test_ages():
    second = 1_000_000_000
    assert [age(n * second) for n in (-90, 0, 5, 90, 7200, 200_000, 10**8)] == [
        *("1 min ahead", "now", "5 s", "1 min", "2 h", "2 d", "3 y"),
    ]


def tabled(columns, rows, width, *, total=None):
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        for page in table(console, columns, rows, total=total):
            console.print(page, crop=False, end="")
    return [line.rstrip() for line in captured.get().splitlines()]


def test_points_stand_in_line_and_the_least_important_goes_first():
    columns = (name("a"), units("quantity"), figure("cost", rank=1), name("note", rank=2))
    rows = [("X", "1,000", "2.00", "long words"), ("Y", "0.25", "10.00", "few")]
    wide = tabled(columns, rows, 60, total=("total", "", "12.00", ""))
    assert wide[0] == "a      quantity   cost  note"
    assert wide[2:4] == ["X      1,000      2.00  long words", "Y          0.25  10.00  few"]
    assert wide[-1] == "total            12.00"
    assert tabled(columns, rows, 26)[0] == "a  quantity   cost"
    assert tabled(columns, rows, 14)[0] == "a  quantity"


def test_a_long_table_is_laid_out_page_by_page():
    read = 0

    def rows():
        nonlocal read
        for read in range(1, 5_001):
            yield f"name {read}", f"{read % 7}.{'5' * (1 + read // 1_000)}", "1.00"

    columns = (name("a"), units("quantity"), figure("cost"))
    console = Console(width=60, force_terminal=False)
    shown, widths, ahead = [], [], []
    for page in table(console, columns, rows(), total=("total", "", "5,000.00")):
        with console.capture() as captured:
            console.print(page, crop=False, end="")
        lines = captured.get().splitlines()
        shown += lines
        ahead.append(read - sum(line.startswith("name") for line in shown))
        widths.append({len(line) for line in lines})
        points = {line.index(".") for line in lines if line.startswith("name")}
        assert len(points) == 1
    assert max(ahead) <= 2 * PAGE  # memory does not grow with the rows
    assert [len(each) for each in widths] == [1] * 5
    assert sorted(map(max, widths)) == list(map(max, widths))
    assert [line.split()[1] for line in shown[2:-2]] == [str(n) for n in range(1, 5_001)]
    assert shown[-1].split() == ["total", "5,000.00"]


@pytest.mark.parametrize("width", [12, 20, 33, 60, 120])
def test_no_word_or_figure_is_cut_however_narrow(width):
    columns = (name("who\nit is"), units("quantity"), name("note"))
    rows = [
        ("Zürich", "1,000.5", "one\ntwo\tthree"),
        ("日本語日本語日本語", "2", Text("a note that goes on and on", style="red")),
    ]
    lines = tabled(columns, rows, width, total=("total", "1,002.5", ""))
    text = " ".join(lines)
    for word in ("1,000.5", "1,002.5", "one", "two", "goes"):
        assert word in text
    assert "".join(each for each in text if each in "日本語") == "日本語" * 3
    assert all(cell_len(line) <= max(width, 32) for line in lines)


def test_json_written_in_pieces_is_json_written_at_once():
    items: list[object] = [
        {"a": Decimal("1.50"), "b": [1, {"c": None}], "d": "x\ny"},
        [],
        {},
        "é",
        None,
    ]
    for some in (items, items[:1], []):
        whole = {"base": "EUR", "rows": some, "at": 5, "gaps": [{"flag": "x"}], "none": {}}
        pieces = json_pieces({**whole, "rows": iter(some)})
        assert "".join(pieces) == json_text(whole)
    assert "".join(json_pieces({})) == json_text({})
    assert "".join(json_pieces({"rows": iter(())})) == json_text({"rows": []})
