"""Operations: what a document asks for, understood, held against the limits, and answered.

    {"query": "…", "variables": {…}, "operationName": "…"}
    {"data": {…}, "errors": [{"message", "path", "extensions": {"code", "context"}}]}

A document is read and measured where requests come in; what it asks for is picked in one job of the
keeper, so all of it is of one version of the book.

Invariants
- Nothing is validated before it is measured, and nothing is read before it is valid.
- What nobody foresaw is `internal`; its words stay in the log.

Errors: `Malformed`, `BadChoice` and `OutOfBounds` for what is not understood. What goes wrong with
one field stands in the answer.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationType,
    execute_sync,
    get_operation_ast,
    get_variable_values,
    parse,
    specified_rules,
    validate,
)

from bursar.errors import BadChoice, BursarError, Malformed, OutOfBounds
from bursar.serve.asking import Query
from bursar.serve.faults import fault_of, log
from bursar.serve.graph import limits, schema
from bursar.serve.reading import Room
from bursar.serve.routes import Read
from bursar.serve.shelf import Publication
from bursar.serve.spelling import spelled

_ERRORS_MAX: Final = 10
_ENCODER: Final = msgspec.json.Encoder()
Answer = dict[str, object]


class Said(msgspec.Struct, frozen=True):
    """The body of a request, as GraphQL over HTTP has it."""

    query: str
    operationName: str | None = None  # noqa: N815 (theirs)
    variables: dict[str, object] | None = None
    extensions: dict[str, object] | None = None


class Asked(msgspec.Struct, frozen=True):
    """An operation that is understood, and is within the limits."""

    document: DocumentNode
    name: str | None
    variables: Mapping[str, object]
    is_live: bool


class Looking:
    """What one operation looks at: the room where routes are read; none, for the live views."""

    def __init__(self, room: Room | None = None) -> None:
        self._room = room
        self._left = limits.ROWS_MAX

    def read(self, route: Read, query: Query) -> object:
        """Return what a route answers."""
        assert self._room is not None, "a query is asked of the book"
        return route.read(self._room, query)

    def spend(self, rows: int) -> None:
        """Count rows of the answer.

        Raises:
            OutOfBounds: there are too many.
        """
        self._left -= rows
        if self._left < 0:
            raise OutOfBounds(
                f"the answer has over {limits.ROWS_MAX} rows; ask for less at once, or for all"
                " of it over REST",
                limit="rows",
                most=limits.ROWS_MAX,
            )


class Operations:
    """The schema, and what may be asked of it."""

    def __init__(self, *, may_introspect: bool) -> None:
        self.schema = schema.made()
        closed = () if may_introspect else (NoSchemaIntrospectionCustomRule,)
        self._rules = (*specified_rules, *closed)
        self._hides = not may_introspect
        self._live: tuple[int, Mapping[str, object]] = (0, {})

    def understood(self, said: Said) -> Asked | Sequence[Exception]:
        """Read an operation and hold it against the limits, or say what is wrong with it."""
        variables = said.variables or {}
        try:
            document = parse(said.query, max_lexical_tokens=limits.TOKENS_MAX, no_location=False)
            limits.require_within(document, variables)
            wrong = validate(
                self.schema, document, self._rules, _ERRORS_MAX, hide_suggestions=self._hides
            )
        except RecursionError:
            raise OutOfBounds("the operation is nested too deeply", limit="depth") from None
        except GraphQLSyntaxError as error:
            return [error]
        if wrong:
            return wrong
        operation = get_operation_ast(document, said.operationName)
        if operation is None:
            raise BadChoice("operationName has to name one of the operations", field="query")
        coerced = get_variable_values(
            self.schema,
            operation.variable_definitions or (),
            dict(variables),
            max_errors=_ERRORS_MAX,
            hide_suggestions=self._hides,
        )
        if isinstance(coerced, list):
            return coerced
        is_live = operation.operation is OperationType.SUBSCRIPTION
        return Asked(document, said.operationName, variables, is_live)

    def heard(self, body: bytes) -> Asked | bytes:
        """Read a query that came over HTTP; the answer itself, where something is wrong with it."""
        try:
            asked = self.understood(_read(body))
        except BursarError as error:
            asked = [error]
        if isinstance(asked, Asked) and asked.is_live:
            asked = [BadChoice("a subscription goes over the WebSocket of this path")]
        return asked if isinstance(asked, Asked) else _ENCODER.encode(refused(asked))

    def written(self, asked: Asked, room: Room) -> bytes:
        """Answer a query, as the body of a response. In the keeper's thread."""
        return _ENCODER.encode(self.answered(asked, room))

    def answered(self, asked: Asked, room: Room) -> Answer:
        """Answer a query. In the keeper's thread."""
        return self._picked(asked, None, Looking(room))

    def told(self, asked: Asked, made: Publication) -> Answer:
        """Answer a subscription with what is published."""
        if self._live[0] != made.seq:
            self._live = made.seq, _live(made)
        return self._picked(asked, {"live": self._live[1]}, Looking())

    def _picked(self, asked: Asked, root: object, looking: Looking) -> Answer:
        found = execute_sync(
            self.schema,
            asked.document,
            root,
            looking,
            dict(asked.variables),
            asked.name,
            schema.pick,
            hide_suggestions=self._hides,
        )
        assert isinstance(found, ExecutionResult), "nothing here is awaited"
        made: Answer = {"data": found.data}
        return made | refused(found.errors) if found.errors else made


def refused(errors: Iterable[Exception]) -> Answer:
    """Write errors as an answer has them, each with the code that REST has for it."""
    return {"errors": [_told(each) for each in errors]}


def _read(body: bytes) -> Said:
    try:
        return msgspec.json.decode(body, type=Said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Malformed(f"the body is no GraphQL request: {why}", field="body") from None


def _told(error: Exception) -> Answer:
    cause, told = _cause(error), Answer()
    if not isinstance(cause, BursarError):
        log(cause)
    if isinstance(error, GraphQLError) and error.locations:
        told["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if isinstance(error, GraphQLError) and error.path:
        told["path"] = error.path
    fault = fault_of(cause)
    known = {"code": fault.code, "context": fault.context}
    return {"message": fault.message, **told, "extensions": known}


def _cause(error: Exception) -> Exception:
    """Return what is behind an error. What the library itself refuses gets one of our names."""
    if not isinstance(error, GraphQLError):
        return error
    behind = error.original_error
    if behind is not None and not isinstance(behind, GraphQLError):
        return behind
    if not isinstance(error, GraphQLSyntaxError):
        return BadChoice(error.message)
    if error.message.endswith("Parsing aborted."):  # too many tokens, or nested too deeply
        return OutOfBounds(error.message, limit="tokens", most=limits.TOKENS_MAX)
    return Malformed(error.message)


def _live(made: Publication) -> Mapping[str, object]:
    """Return what is published as the views of a query are."""
    coverage = spelled(made.coverage, as_text=True)
    views = {name: json.loads(held.body, parse_float=str) for name, held in made.views.items()}
    full = {name: schema.with_coverage(view, coverage) for name, view in views.items()}
    return {"seq": made.seq, "version": made.version, **full}
