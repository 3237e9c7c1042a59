"""docs/EVENTS.md and the schemas beside it say what the program does."""

import re
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from bursar.errors import Malformed
from bursar.events import Envelope, from_fields, to_fields
from bursar.events.catalog import KINDS, read, write
from bursar.events.outgoing import EquityUpdate, Restated, Restatement
from bursar.events.schema import text
from tools.events import FILES, FOLDER

PAGE = (FOLDER.parent / "EVENTS.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z_.]+)`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL))


def example(name):
    (told,) = re.findall(r"```json\n(.*?)\n```", SECTIONS[name], re.DOTALL)
    return told


def fields_of(record):
    """The names of a record's fields, and of the records in them."""
    told = set(record.__struct_fields__)
    for line in msgspec.structs.fields(record):
        for part in getattr(line.type, "__args__", ()):
            told |= fields_of(part) if hasattr(part, "__struct_fields__") else set()
    return told


@pytest.mark.parametrize("name", FILES)
def test_a_schema_is_what_the_records_give(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == text(FILES[name]()), (
        "run: python -m tools.events"
    )


def test_every_type_has_a_section_and_no_other():
    assert list(SECTIONS) == [name for name in SECTIONS if name in KINDS]
    assert SECTIONS.keys() == KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_every_field_is_explained(name):
    missing = {field for field in fields_of(KINDS[name].record) if f"`{field}`" not in PAGE}
    own = {f for f in KINDS[name].record.__struct_fields__ if f"`{f}`" not in SECTIONS[name]}
    assert not missing | own


@pytest.mark.parametrize("name", KINDS)
def test_every_example_is_an_event_of_its_type(name):
    kind, data = KINDS[name], example(name)
    if kind.is_incoming:
        told = read(Envelope(id="1", type=name, source="page", time=0, data=data))
        assert isinstance(told, kind.record)
        assert set(msgspec.json.decode(data)) <= set(kind.record.__struct_fields__)
    else:
        said: Any = msgspec.json.decode(data, type=kind.record)
        assert msgspec.json.decode(write(said)) == msgspec.json.decode(data)


def resolved(document, pointer):
    for step in pointer.removeprefix("#/").split("/"):
        document = document[step]
    return document


def references(part):
    if isinstance(part, dict):
        yield from [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        for each in part.values():
            yield from references(each)
    elif isinstance(part, list):
        for each in part:
            yield from references(each)


@pytest.mark.parametrize("name", FILES)
def test_every_reference_of_a_schema_leads_somewhere(name):
    document = FILES[name]()
    found = list(references(document))
    assert found
    assert all(resolved(document, pointer) for pointer in found)


def test_the_channels_carry_every_type_once():
    channels: Any = FILES["asyncapi.json"]()["channels"]
    told = [name for each in channels.values() for name in each["messages"]]
    assert sorted(told) == sorted(name.replace(".", "_") for name in KINDS)


def test_no_number_that_goes_out_has_an_exponent():
    told = EquityUpdate(
        equity=Decimal("1E+3"),
        cash=Decimal("1E-7"),
        unrealized_pnl=Decimal("-0E-18"),
        peak_equity=None,
        drawdown_pct=Decimal("0E-18"),
        timestamp="2E3",
        version=1,
    )
    assert write(told) == (
        '{"equity":1000,"cash":0.0000001,"unrealized_pnl":-0.000000000000000000,"peak_equity":null,'
        '"drawdown_pct":0.000000000000000000,"timestamp":"2E3","version":1}'
    )
    quiet = msgspec.structs.replace(told, equity=Decimal("1.50"), cash=Decimal(0))
    assert write(quiet).startswith('{"equity":1.50,"cash":0,')
    moved = Restatement(
        account="a",
        asset="XBT",
        pair="1E5",
        strategy="",
        regime="",
        old=Decimal("0E-9"),
        new=Decimal(1),
        cause=("m:1",),
    )
    assert '"old":0.000000000' in write(
        Restated(restated=(moved,), version=1, first_seq=1, last_seq=1, hash="")
    )


def test_what_an_envelope_lacks_is_filled_in_by_who_carries_it():
    told = from_fields({"type": "t", "data": " {}", "huh": "x"}, place="7-1", at=5)
    assert told == Envelope(id="7-1", type="t", source="unknown", time=5, data=" {}")
    assert from_fields(to_fields(told), place="8", at=6) == told


@pytest.mark.parametrize(
    "field, value",
    [
        *(("type", ""), ("type", "a\nb"), ("id", "x" * 201), ("source", "\x00")),
        *(("data", ""), ("data", "7"), ("data", "{" + " " * 1_000_000)),
        *(("version", "0"), ("version", "²"), ("version", "1e9"), ("version", "9" * 99)),
        *(("time", "noon"),),
    ],
)
def test_what_is_no_envelope_is_refused_by_field(field, value):
    told = {"type": "t", "data": "{}", field: value}
    with pytest.raises(Malformed) as caught:
        from_fields(told, place="1", at=0)
    assert caught.value.context["field"] == field
