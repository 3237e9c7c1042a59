"""The OpenAPI document, made of the route table and of the very records that are answered.

Errors: none.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

import bursar
from bursar.serve import exporting, reporting
from bursar.serve.asking import Kind, Param
from bursar.serve.faults import FaultAnswer
from bursar.serve.health import Health
from bursar.serve.routes import DECIMALS, PREVIEW, READS, ROOT, WRITES, Read, Write
from bursar.serve.spelling import is_instant

_REF: Final = "#/components/schemas/{name}"
_TIME: Final = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z?)?$"
_FAULTS: Final = {
    400: "what was asked says nothing",
    401: "a token is needed, or this one is none",
    403: "the token, or the site that asks, may not",
    404: "there is no such thing",
    409: "someone was first, or the key stands for something else",
    413: "the body is longer than is read",
    421: "the service is not called that",
    422: "the book refuses, or it cannot be known",
    501: "an extra is missing; the message says which",
    503: "busy, or the store is away; retry",
}
_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "a name of your own for this very request; needed unless preview=true",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,100}$"},
}
_NUMBER: Final[Mapping[str, object]] = {"type": ["number", "string"]}  # as decimals= asks
_SAID: Final[Mapping[str, object]] = {
    "anyOf": [
        {"type": "number"},
        {"type": "string", "pattern": r"^-?[0-9]{1,20}(\.[0-9]{1,18})?$"},
    ]
}

Json = dict[str, object]


def document() -> Json:
    """Return the document."""
    answered = [*(each.answers for each in READS), *(e.full for e in READS if e.full is not None)]
    answered += [each.answers for each in WRITES] + [Health, FaultAnswer]
    _, out = msgspec.json.schema_components(answered, ref_template=_REF)
    _, into = msgspec.json.schema_components([e.takes for e in WRITES], ref_template=_REF)
    paths: Json = {"/health": {"get": _health()}, f"{ROOT}export": {"get": _export()}}
    paths[f"{ROOT}report/file"] = {"get": _report()}
    paths |= {ROOT + each.name: {"get": _get(each)} for each in READS}
    for each in WRITES:
        known = paths.setdefault(ROOT + each.name, {})
        assert isinstance(known, dict), "a path has its methods"
        known["post"] = _post(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bursar",
            "version": bursar.__version__,
            "description": "What a portfolio owns, what it cost, what it is worth. Amounts are in"
            " base currency and exact: read numbers as decimals, or ask for decimals=string.",
        },
        "paths": paths,
        "components": {
            "schemas": {
                **{name: _exact(each, _NUMBER) for name, each in out.items()},
                **{name: _exact(each, _SAID) for name, each in into.items()},
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    }


def _health() -> Json:
    return {
        "summary": "How every part of the service stands",
        "security": [],
        "responses": {
            "200": _answer("ok or degraded", "Health"),
            "503": _answer("down", "Health"),
            **dict(_faults(400, 401, 421)),
        },
    }


def _export() -> Json:
    text: Json = {"schema": {"type": "string"}}
    return {
        "summary": "The book, or one table of it, as bursar export writes it",
        "operationId": "export",
        "parameters": [_param(each) for each in exporting.PARAMS],
        "responses": {
            "200": {
                "description": "all of it",
                "content": {
                    kind: text if kind.startswith("text/") or "ndjson" in kind else {"schema": {}}
                    for kind in exporting.MEDIA
                },
            },
            **dict(_faults(400, 401, 403, 421, 501, 503)),
        },
    }


def _report() -> Json:
    text: Json = {"schema": {"type": "string"}}
    return {
        "summary": "A report as a file, as bursar report writes it",
        "operationId": "report_file",
        "parameters": [_param(each) for each in (*reporting.PARAMS, reporting.FORMAT)],
        "responses": {
            "200": {
                "description": "the file",
                "content": {"text/html": text, "application/pdf": text},
            },
            **dict(_faults(400, 401, 403, 421, 422, 503)),
        },
    }


def _get(read: Read) -> Json:
    schemas = [each for each in (read.answers, read.full) if each is not None]
    params = (*read.params, DECIMALS)
    return {
        "summary": read.doc,
        "operationId": read.name.replace("-", "_"),
        "parameters": [_param(each) for each in params],
        "responses": {
            "200": _answer(read.doc, *map(_name, schemas)),
            "304": {"description": "nothing has changed since that ETag"},
            **dict(_faults(400, 401, 403, 404, 421, 422, 503)),
        },
    }


def _post(write: Write) -> Json:
    name = _name(write.answers)
    return {
        "summary": write.doc,
        "operationId": f"post_{write.name.replace('-', '_')}",
        "parameters": [_KEY, _param(PREVIEW), _param(DECIMALS)]
        if write.writes
        else [_param(DECIMALS)],
        "requestBody": {"required": True, "content": _content(_name(write.takes))},
        "responses": {
            "200": _answer("looked at, or done before", name),
            **({"201": _answer("written", name)} if write.writes else {}),
            **dict(_faults(400, 401, 403, 404, 409, 413, 421, 503)),
            "422": _answer("the book refuses", name, "FaultAnswer"),
        },
    }


def _param(param: Param) -> Json:
    schema: Json = {"type": "string", "minLength": 1, "maxLength": 256}
    match param.kind:
        case Kind.COUNT:
            schema = {"type": "integer", "minimum": 1, "maximum": param.most}
        case Kind.FLAG:
            schema = {"type": "boolean"}
        case Kind.TIME:
            schema = {"type": "string", "pattern": _TIME}
        case Kind.TEXT | Kind.CURSOR:
            if param.choices:
                schema = {"type": "string", "enum": list(param.choices)}
    if param.default is not None:
        is_count = param.kind is Kind.COUNT
        schema["default"] = int(param.default) if is_count else param.default
    return {
        "name": param.name,
        "in": "query",
        "required": param.is_required,
        "description": param.doc,
        "schema": schema,
    }


def _answer(doc: str, *names: str) -> Json:
    return {"description": doc, "content": _content(*names)}


def _content(*names: str) -> Json:
    refs = [{"$ref": _REF.format(name=name)} for name in names]
    return {"application/json": {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}}


def _faults(*codes: int) -> Iterator[tuple[str, Json]]:
    for code in codes:
        yield str(code), _answer(_FAULTS[code], "FaultAnswer")
    yield "default", _answer("whatever else goes wrong", "FaultAnswer")


def _name(kind: object) -> str:
    (found,), _ = msgspec.json.schema_components([kind], ref_template="{name}")
    return str(found["$ref"])


def _timed(name: str, node: object) -> object:
    """Say that an instant is written as a time."""
    if not is_instant(name) or not isinstance(node, dict):
        return node
    time = {"type": "string", "format": "date-time"}
    if node.get("type") == "integer":
        return time
    if "anyOf" in node:
        kinds = [time if each.get("type") == "integer" else each for each in node["anyOf"]]
        return {**node, "anyOf": kinds}
    return node


def _exact(node: object, number: Mapping[str, object]) -> object:
    """Say what a decimal is on the wire; and write tuples as the lists that they become."""
    if isinstance(node, Mapping):
        if node.get("format") == "decimal":
            return {**number, **{key: node[key] for key in node if key == "description"}}
        made = {key: _exact(each, number) for key, each in node.items() if key != "default"}
        fields = made.get("properties")
        if isinstance(fields, dict):
            made["properties"] = {name: _timed(name, each) for name, each in fields.items()}
        return made
    return [_exact(each, number) for each in node] if isinstance(node, list | tuple) else node
