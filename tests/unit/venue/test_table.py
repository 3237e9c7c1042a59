"""A table reads what it can be sure of, and names what it cannot."""

import pytest

from bursar.errors import InputError, Malformed, OutOfBounds, UnknownFormat
from bursar.venue.files import table as table_module
from bursar.venue.files.table import opened


def write(tmp_path, content):
    path = tmp_path / "sample.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path, **options):
    with opened(path, **options) as table:
        return table.columns, [(line, tuple(cells)) for line, cells in table]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n3,4\n",
        "a,b\n1,2\n3,4",
        "\ufeffa,b\n1,2\n3,4\n",
        "a,b\r\n1,2\r\n3,4\r\n",
        "a,b\r1,2\r3,4\r",
        "a,b\r\n1,2\n3,4\r",
        "A, b \n1,2\n3,4\n",
        '"a","b"\n"1","2"\n"3","4"\n',
    ],
)
def test_one_table_in_many_spellings(tmp_path, content):
    assert rows(write(tmp_path, content)) == (("a", "b"), [(2, ("1", "2")), (3, ("3", "4"))])


def test_blank_lines_are_passed_over_and_counted(tmp_path):
    assert rows(write(tmp_path, "\na,b\n\n1,2\n\n\n3,4\n\n"))[1] == [
        (4, ("1", "2")),
        (7, ("3", "4")),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "a,b,,\n1,2,,\n3,4,,\n",
        "a,b\n1,2,,,\n3,4,\n",
        ",,\na,b,\n1,2,\n,,\n3,4,\n,\n",
    ],
)
def test_what_a_spreadsheet_leaves_behind_says_nothing(tmp_path, content):
    with opened(write(tmp_path, content)) as table:
        place = table.place("b")
        assert [cells[place] for _, cells in table] == ["2", "4"]


def test_a_quoted_cell_keeps_commas_and_line_ends(tmp_path):
    assert rows(write(tmp_path, 'a,b\n"1,5","x\r\ny"\n3,4\n'))[1] == [
        (2, ("1,5", "x\ny")),
        (4, ("3", "4")),
    ]


@pytest.mark.parametrize(
    "content,line,says",
    [
        ("a,b\n1,2\n3\n", 3, "1 columns, expected 2"),
        ("a,b\n1,2,3\n", 2, "3 columns, expected 2"),
        ("a,b\n1,2\n3,", None, None),
        ('a,b\n1,2\n"3,4\n5,6\n', 3, "quotes closed"),
        ('a,b\n"1"x,2\n', 2, "quotes closed"),
        ("a,b\n1,\0\n", 2, "a NUL"),
        (b"a,b\n1,2\n3,\xff\n", 3, "byte 3 is 0xff"),
        (b"\xff\xfea\x00,\x00", 1, "byte 1 is 0xff"),
        ("a,b,A\n", 1, "'a' stands there twice"),
        ("a," * 100_000 + "\n", 1, "'a' stands there twice"),
    ],
)
def test_a_broken_table_is_refused_by_line(tmp_path, content, line, says):
    path = write(tmp_path, content)
    if says is None:
        assert rows(path)[1][-1] == (3, ("3", ""))
        return
    with pytest.raises(Malformed, match=says) as caught:
        rows(path)
    assert caught.value.message.startswith(f"sample.csv, line {line}")
    assert caught.value.context["line"] == line


@pytest.mark.parametrize("content", ["", "\n\n", "\r\n", "\ufeff"])
def test_an_empty_file_has_no_format(tmp_path, content):
    with pytest.raises(UnknownFormat, match="empty"):
        rows(write(tmp_path, content))


def test_limits(tmp_path, monkeypatch):
    with pytest.raises(OutOfBounds, match=r"line 2: a cell of over 65,536 characters"):
        rows(write(tmp_path, "a,b\n1," + "x" * 65537 + "\n"))
    with pytest.raises(OutOfBounds, match="line 2: over 256 MiB in the file or 1 MiB in a line"):
        rows(write(tmp_path, "a,b\n1," + "x" * (1024 * 1024) + "\n"))
    monkeypatch.setattr(table_module, "ROWS_MAX", 2)
    with pytest.raises(OutOfBounds, match="over 2 rows"):
        rows(write(tmp_path, "a\n1\n2\n3\n"))
    monkeypatch.setattr(table_module, "BYTES_MAX", 5)
    with pytest.raises(OutOfBounds, match="line 3"):
        rows(write(tmp_path, "a\n1\n2\n3\n"))


def test_a_cell_of_many_lines_is_limited_too(tmp_path):
    with pytest.raises((Malformed, OutOfBounds), match="line 2"):
        rows(write(tmp_path, 'a\n"' + "x" * 1000 + ("\n" + "x" * 1000) * 200 + '"\n'))


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"absent\.csv: cannot be read: No such file"):
        rows(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="this is a folder; name the files in it"):
        rows(tmp_path)


def test_a_column_that_is_not_there_is_named(tmp_path):
    with opened(write(tmp_path, "a,b\n")) as table:
        assert table.place("b") == 1
        assert table.place_if_any("c") is None
        with pytest.raises(Malformed, match="no column 'c', expected one") as caught:
            table.place("c")
    assert caught.value.context == {"file": "sample.csv", "line": 1, "column": "c"}


def test_a_fault_shows_a_long_value_cut_and_escaped(tmp_path):
    with opened(write(tmp_path, "a\n")) as table:
        fault = table.fault(9, "a", "\x1b[31m" + "x" * 500, "a number")
    assert "\x1b" not in fault.message
    assert len(fault.message) < 150


@pytest.mark.parametrize("text", ["", "1,5", "NaN", "Infinity", "0x1", "--1", "1e999", "٣", " 1"])
def test_what_is_not_a_number(tmp_path, text):
    with opened(write(tmp_path, "a\n")) as table, pytest.raises(Malformed) as caught:
        table.number(4, "fee", text)
    shown = repr(text)
    assert caught.value.message.startswith(f"sample.csv, line 4, column fee: {shown}, expected a")


def test_numbers_keep_every_digit(tmp_path):
    with opened(write(tmp_path, "a\n")) as table:
        assert str(table.number(1, "a", "-0.0500000000")) == "-0.0500000000"
        assert str(table.number(1, "a", "3.605E-05")) == "0.00003605"
        with pytest.raises(Malformed, match="at most 20 integer and 18 fractional"):
            table.number(1, "a", "0." + "1" * 19)


def test_a_time_that_is_none(tmp_path):
    with opened(write(tmp_path, "a\n")) as table, pytest.raises(Malformed) as caught:
        table.time(4, "time", "02/01/2024")
    assert "line 4, column time: '02/01/2024', expected a UTC time" in caught.value.message


def test_progress_is_told_and_ends_at_the_whole(tmp_path):
    path = write(tmp_path, "a,b\n" + "1234567890,1234567890\n" * 150_000)
    told = []
    rows(path, progress=lambda done, total: told.append((done, total)))
    size = path.stat().st_size
    assert len(told) == 4
    assert told == sorted(told)
    assert told[-1] == (size, size)


def test_a_fault_that_quotes_a_long_cell_cuts_it(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\n1\n")
    with opened(path) as table:
        fault = table.fault(2, "a", "EUR", "EU" + '"' * 50_000)
    assert len(fault.message) < 500
    assert fault.message.endswith("…")


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_cells_that_no_commas_part_are_told_though_they_are_quoted(tmp_path, mark):
    with pytest.raises(UnknownFormat, match=r"line 1: cells parted by '.*', expected ','"):
        rows(write(tmp_path, f'"a"{mark}"b"{mark}c\n1{mark}2,5{mark}3\n'))
    assert rows(write(tmp_path, "a,b\n1;2;3;4,5\n"))


def test_a_line_that_lacks_its_names_is_asked_for(tmp_path):
    with pytest.raises(Malformed, match="is the line missing that names the columns"):
        rows(write(tmp_path, "5,-,-\n6,-,-\n"))
