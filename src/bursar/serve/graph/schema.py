"""The schema, made of the route table and of the records that are answered.

A GET of REST is a field of `Query` under its own name (`-` is `_`), its parameters are arguments. A
record is an object, whose fields keep their names; what stands in REST under names of its own
(PnL by strategy) is a list of entries, `name` and `value`. What `detail=full` adds is a field of
the view: `coverage`.

    Decimal   text, in plain notation, every digit         Time   RFC 3339 UTC
    Long      a whole number, as JSON; up to 64 bits        Date   2026-03-01

Invariants
- A value is spelled by `spelling`, as REST spells it; here it is only picked from.
- A field that REST may answer with `null` is nullable, and no other is.
- Each field of `Query` is nullable, so that one that cannot be answered leaves the others.

Errors: those of the readers.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final, Protocol

import msgspec
from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLNullableOutputType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    GraphQLUnionType,
    get_nullable_type,
    is_list_type,
)
from msgspec import inspect

from bursar.serve.asking import Kind, Param, Query, query_of
from bursar.serve.routes import READS, Read
from bursar.serve.spelling import is_instant, spelled
from bursar.serve.views import NAMES

PAGED: Final[Mapping[str, int]] = {
    each.name.replace("-", "_"): int(param.default or param.most)
    for each in READS
    for param in each.params
    if param.name == "limit"
}
"""How many rows a field of `Query` answers where nothing else is said."""


class Book(Protocol):
    """What the fields of `Query` are read from."""

    def read(self, route: Read, query: Query) -> object:
        """Return what a route answers."""
        ...

    def spend(self, rows: int) -> None:
        """Count rows of an answer, and refuse what is too large."""
        ...


DECIMAL: Final = GraphQLScalarType(
    "Decimal", str, description="An exact number as text, in plain notation; never rounded."
)
TIME: Final = GraphQLScalarType("Time", str, description="A UTC time, RFC 3339.")
DATE: Final = GraphQLScalarType("Date", str, description="A day, such as 2026-03-01.")
LONG: Final = GraphQLScalarType(
    "Long", int, description="A whole number of up to 64 bits; a duration is in nanoseconds."
)


def made() -> GraphQLSchema:
    """Return the schema."""
    types = _Types([each.full or each.answers for each in READS])
    fields = {each.name.replace("-", "_"): _field(types, each) for each in READS}
    views = {each.name: types.output(_info(each)) for each in READS if each.name in NAMES}
    live = GraphQLObjectType(
        "Live",
        {
            "seq": GraphQLField(GraphQLNonNull(LONG), description="Grows with each publication."),
            "version": GraphQLField(GraphQLNonNull(LONG), description="How many commits so far."),
            **{name: GraphQLField(view) for name, view in views.items()},
        },
        description="The contract's four views of one moment.",
    )
    told = GraphQLField(GraphQLNonNull(live), description="All of it now, and whenever it changes.")
    return GraphQLSchema(
        query=GraphQLObjectType("Query", fields),
        subscription=GraphQLObjectType("Subscription", {"live": told}),
    )


def pick(source: Mapping[str, object], info: GraphQLResolveInfo[Book]) -> object:
    """Return a field of what is already spelled; what stands under names of its own as a list."""
    value = source[info.field_name]
    if isinstance(value, Mapping) and is_list_type(get_nullable_type(info.return_type)):
        value = [{"name": name, "value": each} for name, each in value.items()]
    if isinstance(value, list):
        info.context.spend(len(value))
    return value


def _field(types: "_Types", read: Read) -> GraphQLField:
    output = types.output(_info(read))
    return GraphQLField(
        output.of_type if isinstance(output, GraphQLNonNull) else output,
        args={each.name: _argument(each) for each in _params(read)},
        resolve=partial(_read, read),
        description=read.doc,
    )


def _read(read: Read, _root: object, info: GraphQLResolveInfo[Book], **said: object) -> object:
    told = [(name, _text(value)) for name, value in said.items() if value is not None]
    more = () if read.full is None else (("detail", "full"),)
    answer = info.context.read(read, query_of((*told, *more), read.params))
    found = spelled(answer, as_text=True)
    assert isinstance(found, Mapping), "a record is answered"
    return with_coverage(found["view"], found["coverage"]) if more else found


def with_coverage(view: object, coverage: object) -> Mapping[str, object]:
    """Put beside the figures of a view what they do not know."""
    assert isinstance(view, Mapping), "a view is a record"
    return {**view, "coverage": coverage}


def _params(read: Read) -> Iterator[Param]:
    return (each for each in read.params if each.name != "detail")


def _argument(param: Param) -> GraphQLArgument:
    kind = {Kind.COUNT: GraphQLInt, Kind.FLAG: GraphQLBoolean}.get(param.kind, GraphQLString)
    choices = f": {', '.join(param.choices)}" if param.choices else ""
    usual = f"; {param.default} where nothing is said" if param.default is not None else ""
    return GraphQLArgument(
        GraphQLNonNull(kind) if param.is_required else kind,
        description=f"{param.doc}{choices}{usual}",
    )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _info(read: Read) -> inspect.Type:
    return inspect.type_info(read.full or read.answers)


class _Types:
    """Turns what records hold into GraphQL types, each made once, under the names of OpenAPI."""

    def __init__(self, answers: list[object]) -> None:
        _, found = msgspec.json.schema_components(answers, ref_template="{name}")
        self._names = frozenset(found)
        self._objects: dict[str, GraphQLObjectType] = {}
        self._unions: dict[str, GraphQLUnionType] = {}

    def output(self, kind: inspect.Type) -> GraphQLOutputType:
        """Return the type of a field."""
        if not isinstance(kind, inspect.UnionType):
            return GraphQLNonNull(self._one(kind))
        known = [each for each in kind.types if not isinstance(each, inspect.NoneType)]
        records = [each for each in known if isinstance(each, inspect.StructType)]
        assert len(known) == 1 or records == known, "of several kinds each is a record"
        one = self._one(known[0]) if len(known) == 1 else self._union(records)
        return one if kind.includes_none else GraphQLNonNull(one)

    def _one(self, kind: inspect.Type) -> GraphQLNullableOutputType:
        match kind:
            case inspect.StructType():
                return self._object(kind)
            case inspect.DictType():
                return GraphQLList(GraphQLNonNull(self._entry(kind.value_type)))
            case inspect.VarTupleType() | inspect.ListType():
                return GraphQLList(self.output(kind.item_type))
            case inspect.TupleType():  # a pair and the like, of one kind
                return GraphQLList(self.output(kind.item_types[0]))
            case _:
                return self._scalar(kind)

    def _scalar(self, kind: inspect.Type) -> GraphQLScalarType:
        scalars: dict[type[inspect.Type], GraphQLScalarType] = {
            inspect.BoolType: GraphQLBoolean,
            inspect.DateTimeType: TIME,
            inspect.DateType: DATE,
            inspect.DecimalType: DECIMAL,
            inspect.EnumType: GraphQLString,  # its word, as REST has it
            inspect.IntType: LONG,
            inspect.StrType: GraphQLString,
        }
        return scalars[type(kind)]

    def _object(self, kind: inspect.StructType) -> GraphQLObjectType:
        held = {each.name: each.type for each in kind.fields}
        if {"view", "coverage"} == set(held):  # `Full`: one object of the two
            view = held["view"]
            assert isinstance(view, inspect.StructType), "what is full is a view"
            return self._named(view, {"coverage": held["coverage"]})
        return self._named(kind, {})

    def _named(
        self, kind: inspect.StructType, more: Mapping[str, inspect.Type]
    ) -> GraphQLObjectType:
        name = self._name(kind)
        if name not in self._objects:
            fields = {each.name: each.type for each in kind.fields} | dict(more)
            self._objects[name] = GraphQLObjectType(
                name,
                lambda: {
                    each: GraphQLField(self._timed(each, held)) for each, held in fields.items()
                },
                description=(kind.cls.__doc__ or "").strip().partition("\n")[0] or None,
                is_type_of=lambda told, _info: kind.tag is None or told["type"] == kind.tag,
            )
        return self._objects[name]

    def _timed(self, name: str, kind: inspect.Type) -> GraphQLOutputType:
        """Tell an instant, which is a whole number by its type, from other whole numbers."""
        held = kind.types if isinstance(kind, inspect.UnionType) else (kind,)
        if not is_instant(name) or not any(isinstance(each, inspect.IntType) for each in held):
            return self.output(kind)
        return TIME if len(held) > 1 else GraphQLNonNull(TIME)

    def _entry(self, kind: inspect.Type) -> GraphQLObjectType:
        value = self.output(kind)
        is_known = isinstance(value, GraphQLNonNull)
        name = f"{'' if is_known else 'Maybe'}{get_nullable_type(value)}Entry"
        if name not in self._objects:
            held = {"name": GraphQLNonNull(GraphQLString), "value": value}
            fields = {each: GraphQLField(of) for each, of in held.items()}
            self._objects[name] = GraphQLObjectType(name, fields)
        return self._objects[name]

    def _union(self, kinds: list[inspect.StructType]) -> GraphQLUnionType:
        members = [self._object(each) for each in kinds]
        name = "Or".join(each.name for each in members)
        return self._unions.setdefault(name, GraphQLUnionType(name, members))

    def _name(self, kind: inspect.StructType) -> str:
        """Return the name that OpenAPI has, as GraphQL may write it."""
        of = getattr(kind.cls, "__args__", ())
        if of:  # a page of something
            return f"{of[0].__name__}{kind.cls.__name__}"
        name = kind.cls.__name__
        qualified = f"{kind.cls.__module__}.{name}"
        if qualified not in self._names:
            return name
        return f"{qualified.split('.')[1].title()}{name}"  # two packages have one of that name
