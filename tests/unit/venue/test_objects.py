"""JSON read as a table: exact, and with its faults named."""

from contextlib import suppress

import pytest

from bursar.errors import InputError, Malformed, OutOfBounds, UnknownFormat
from bursar.venue.files import objects
from bursar.venue.files import table as table_module
from bursar.venue.files.objects import Fields, is_json, opened_objects

FIELDS = Fields(
    texts=frozenset({"id", "note"}),
    numbers=frozenset({"qty"}),
    known_by=frozenset({"id"}),
    said="the list of a test",
)


def write(tmp_path, content):
    path = tmp_path / "sample.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def rows(path, **options):
    with opened_objects(path, FIELDS, **options) as table:
        return [(line, dict(zip(table.columns, cells, strict=True))) for line, cells in table]


def refused(path, kind=Malformed):
    with pytest.raises(kind) as caught:
        rows(path)
    assert caught.value.message.startswith("sample.json")
    assert len(caught.value.message) < 300
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        '[{"id": "a"}, {"id": "b"}]',
        '[{"id": "a"}]\n[{"id": "b"}]',
        '[{"id": "a"}][][{"id": "b"}]',
        '[[{"id": "a"}], [{"id": "b"}], []]',
        '{"id": "a"}\n{"id": "b"}\n',
        '\ufeff \r\n[\t{"id": "a"},\r\n{"id": "b", "other": [{"deep": null}]}]\n\n',
        '{"id": "a"}[{"id": "b", "note": null}]',
    ],
)
def test_one_list_in_many_spellings(tmp_path, content):
    path = write(tmp_path, content)
    assert is_json(path)
    found = [row for _, row in rows(path)]
    assert found == [{"id": "a", "note": "", "qty": ""}, {"id": "b", "note": "", "qty": ""}]


@pytest.mark.parametrize("content", ["[]", "[] []", "[[], []]", "[\n]\n"])
def test_a_list_of_nothing_is_a_list(tmp_path, content):
    assert rows(write(tmp_path, content)) == []


@pytest.mark.parametrize("content", ["id,qty\n", "", "hello", '"[]"', "1", b"\xff\xfe[\x00"])
def test_what_is_no_json(tmp_path, content):
    assert not is_json(write(tmp_path, content))


def test_lines_are_counted(tmp_path):
    path = write(tmp_path, '[\n {"id": "a",\n  "qty": 1},\n\n {"id": "b"}]\n{"id": "c"}')
    assert [line for line, _ in rows(path)] == [2, 5, 6]


@pytest.mark.parametrize(
    "written,text",
    [
        ("0.12345678901234567891", "0.12345678901234567891"),
        ("1234567890123456789012345", "1234567890123456789012345"),
        ("-2.50", "-2.50"),
        ("1E999999", "1E999999"),
        ('"3.605E-05"', "3.605E-05"),
        ("NaN", "NaN"),
        ("-Infinity", "-Infinity"),
        ("null", ""),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_number_is_taken_by_its_text(tmp_path, written, text):
    ((_, row),) = rows(write(tmp_path, f'[{{"id": "a", "qty": {written}}}]'))
    assert row["qty"] == text


@pytest.mark.parametrize(
    "field,written,expected",
    [
        ("qty", "true", "'true', expected a number"),
        ("qty", "[1]", "expected a number"),
        ("qty", '{"a": 1}', "expected a number"),
        ("note", "5", "'5', expected text"),
        ("note", "NaN", "'NaN', expected text"),
        ("note", "false", "'false', expected text"),
        ("note", '["x"]', "expected text"),
        ("note", '{"a": {"a": 1, "a": 2}}', "expected text"),
        ("note", r'"\u0000"', "expected text"),
        ("note", r'"\ud83d"', "expected text"),
        ("id", "7", "'7', expected text"),
    ],
)
def test_a_value_of_another_kind_is_named(tmp_path, field, written, expected):
    rest = "" if field == "id" else '"id": "b", '
    fault = refused(write(tmp_path, f'[{{"id": "a"}},\n{{{rest}"{field}": {written}}}]'))
    assert f"sample.json, line 2, field {field}: " in fault.message
    assert expected in fault.message
    assert (fault.context["line"], fault.context["column"]) == (2, field)


@pytest.mark.parametrize("depth", [10, 300, 900, 980, 1100, 50_000])
def test_no_depth_of_nesting_breaks_anything(tmp_path, depth):
    deep = "[" * depth + "]" * depth
    refused(write(tmp_path, f'[{{"id": "a", "qty": {deep}}}]'))
    path = write(tmp_path, f'[{{"id": "a", "other": {deep}}}]')
    if depth < 500:
        assert len(rows(path)) == 1
    else:
        with suppress(Malformed):
            rows(path)


def test_a_field_that_stands_twice_is_named(tmp_path):
    fault = refused(write(tmp_path, '[{"id": "a", "qty": 1, "qty": 1}]'))
    assert fault.message == "sample.json, line 1, field qty: 'qty', expected each field once"


@pytest.mark.parametrize(
    "content,line,says",
    [
        ('[{"id": "a"}', 1, "the array to close; is the file cut off?"),
        ('[{"id": "a"},\n', 2, "the array to close"),
        ('[{"id": "a"},\n{"id": "b', 2, "is the file cut off?"),
        ('[{"id": "a"}\n{"id": "b"}]', 2, "separated by commas"),
        ('[{"id": "a"},\n]', 2, "separated by commas"),
        ('[,{"id": "a"}]', 1, "separated by commas"),
        ('[{"id": "a"}]\n]', 2, "separated by commas"),
        ('{"id": "a"},{"id": "b"}', 1, "separated by commas"),
        ('[[[{"id": "a"}]]]', 1, "separated by commas"),
        ('[{"id": "a"}, 5]', 1, "'5', expected objects"),
        ('[{"id": "a"}, "b"]', 1, "expected objects"),
        ("[1]", 1, "'1', expected objects"),
        ("[NaN]", 1, "expected objects"),
        ("{'id': 1}", 1, "expected JSON"),
        ('[{"id": "a\tb"}]', 1, "expected JSON"),
        ('[{"id": "a", "x": ' + "[" * 100_000, 1, "expected a flat object"),
        ("[" * 100_000, 1, "separated by commas"),
        ('{"id": ' * 100_000, 1, "expected a flat object"),
        (b'[{"id": "a"},\n{"id": "\xff"}]', 2, "0xff, expected UTF-8"),
        (b'[{"id": "\xed\xa0\xbd"}]', 1, "expected UTF-8"),
    ],
)
def test_broken_json_is_refused_by_line(tmp_path, content, line, says):
    fault = refused(write(tmp_path, content))
    assert fault.message.startswith(f"sample.json, line {line}")
    assert fault.context["line"] == line
    assert says in fault.message


@pytest.mark.parametrize("content", ["{}", '{"name": "x"}', '[{"qty": 1}]', '\n[{"note": "x"}]'])
def test_objects_of_something_else(tmp_path, content):
    fault = refused(write(tmp_path, content), UnknownFormat)
    assert "JSON, but not the list of a test: expected objects with id" in fault.message


def test_a_later_object_may_lack_what_the_first_has(tmp_path):
    assert [row["id"] for _, row in rows(write(tmp_path, '[{"id": "a"}, {}]'))] == ["a", ""]


def test_limits(tmp_path, monkeypatch):
    long = '[{"id": "' + "x" * 65537 + '"}]'
    assert "a cell of over 65,536" in refused(write(tmp_path, long), OutOfBounds).message
    path = write(tmp_path, '[{"id": "a"}, {"id": "b"}, {"id": "c"}]')
    monkeypatch.setattr(table_module, "ROWS_MAX", 2)
    assert "over 2 rows" in refused(path, OutOfBounds).message
    monkeypatch.setattr(table_module, "BYTES_MAX", 10)
    assert "over 0 MiB" in refused(path, OutOfBounds).message


def test_a_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        rows(tmp_path / "absent.json")


def test_progress_is_told_and_ends_at_the_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(objects, "_REPORT_EVERY", 100)
    path = write(tmp_path, "[" + ",".join(['{"id": "a"}'] * 50) + "]")
    told = []
    rows(path, progress=lambda done, total: told.append((done, total)))
    size = path.stat().st_size
    assert told == sorted(set(told))
    assert told[-1] == (size, size)
    assert len(told) > 3
