"""Write the pages that follow from the program: `python -m tools.pages`.

docs/ERRORS.md has every error that the program knows, docs/SETTINGS.md every key that it reads. A
test makes both again and compares, so neither can fall behind.
"""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import msgspec
from pydantic import BaseModel

from bursar import errors
from bursar.capital.settings import CapitalSettings
from bursar.cli.faults import NEXT, exit_code
from bursar.config import PREFIX, PortfolioSettings, VenueSettings
from bursar.serve.faults import is_worth_retrying, status

FOLDER = Path(__file__).parents[1] / "docs"

_ERRORS = """# Every error

An error is one block: what happened, with file, line, field or id where there is one; its code;
and what to do. With `--json` it is `{"error": {"code", "message", "context"}}`, and the service
answers with the same object. In Python it is an exception of `bursar.errors`; `BursarError`
catches them all but `BrokenInvariant`, which no program should swallow.

An answer that stdout does not take ends with exit code 74 and the code `unsaid`: what the command
did stands, only its answer is lost.

A code stays what it is; a message may be said better one day. *exit* is the exit code of the
command line, *HTTP* the status of the service; ↻ marks what the same request may find gone in a
moment. Where no advice stands, the message has it.

| code | what it means | what to do | exit | HTTP |
|---|---|---|---|---|
"""

_SETTINGS = """# Every setting

`bursar init` writes the file below, with `--base EUR` or the base currency of the book that is
there. Nothing in it is needed: what is not said has its default.
What counts, first to last: an option of the command, a variable of the environment,
`config.yaml`, the default. A key that is not known is refused by name, with the line it stands
on and the key that was most likely meant; so is one that stands twice, and a variable that begins
with `PORTFOLIO_` and sets nothing. Base currency, rule and pegs are those of a new book: one that
is there keeps its own, and a sync refuses settings that say others.

Every value is read as the text that stands there, for what the setting is: `010` is ten, `NO` an
asset and `2024` a name, and `yes` is a truth where one is asked for and no number. YAML alone would
read some of them otherwise. A number is plain, such as `65000.5`: no exponent, no separators, at
most 20 digits before the point and 18 after it.

Two underscores in a variable go down a level: `PORTFOLIO_HTTP__PORT=8010` is `port` under `http`.
Lists and mappings are JSON: `PORTFOLIO_EXCLUDE_ASSETS='["DOT"]'`. A secret never stands in the
file, only the name of the variable or of the keyring entry that holds it.

```yaml
{sample}```

## `portfolio:`

| key | variable | default |
|---|---|---|
{portfolio}
## `venues:`

A list; each entry has these keys.

| key | default |
|---|---|
{venues}
## `capital:`

What divides capital among strategies: [capital](CAPITAL.md) says what each does.
`INITIAL_CAPITAL` in the environment counts before `initial`.

| key | default |
|---|---|
{capital}"""


def main() -> None:
    """Write both pages."""
    for name, made in pages().items():
        (FOLDER / name).write_text(made, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return every page that is made, by the name of its file."""
    return {"ERRORS.md": errors_page(), "SETTINGS.md": settings_page()}


def errors_page() -> str:
    """Return the page of errors: the tree in its own order, a row each."""
    return (
        _ERRORS
        + "".join(_error_row(kind) for kind in _kinds(errors.BursarError))
        + _error_row(errors.BrokenInvariant)
    )


def settings_page() -> str:
    """Return the page of settings."""
    sample = (files("bursar.samples") / "config.yaml").read_text(encoding="utf-8")
    own = "".join(
        f"| `{key}` | `{PREFIX}{key.upper().replace('.', '__')}` | {value} |\n"
        for key, value in _keys(PortfolioSettings)
    )
    return _SETTINGS.format(
        sample=sample,
        portfolio=own,
        venues=_rows(_keys(VenueSettings)),
        capital=_rows(_fields(CapitalSettings())),
    )


def _kinds(kind: type[errors.BursarError]) -> Iterator[type[errors.BursarError]]:
    """Yield a kind of error and all below it, as the tree has them."""
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == errors.__name__:
            yield from _kinds(below)


def _error_row(kind: type[errors.BursarError] | type[errors.BrokenInvariant]) -> str:
    error = kind("")
    meaning = " ".join((kind.__doc__ or "").partition("\n")[0].split())
    advice = NEXT.get(kind.code, "")
    http = f"{status(error)}{' ↻' if is_worth_retrying(error) else ''}"
    return f"| `{kind.code}` | {meaning} | {advice} | {exit_code(error)} | {http} |\n"


def _rows(keys: Iterator[tuple[str, str]]) -> str:
    return "".join(f"| `{key}` | {value} |\n" for key, value in keys)


def _keys(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, str]]:
    """Yield every key of settings with its default, those of a section after it."""
    for name, field in model.model_fields.items():
        section = _section(field.annotation)
        if section is not None and section.__name__ != "SecretName":
            yield from _keys(section, f"{above}{name}.")
        else:
            yield f"{above}{name}", _shown(field.get_default(call_default_factory=True))


def _section(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (any annotation)
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)


def _fields(record: msgspec.Struct, above: str = "") -> Iterator[tuple[str, str]]:
    for name in record.__struct_fields__:
        value = getattr(record, name)
        if isinstance(value, msgspec.Struct):
            yield from _fields(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", _shown(value)


def _shown(value: object) -> str:
    """Show a default as the file would have it."""
    match value:
        case None:
            return "—"
        case bool():
            return f"`{str(value).lower()}`"
        case BaseModel():
            told = {key: each for key, each in value.model_dump().items() if each is not None}
            return f"`{{{', '.join(f'{key}: {each}' for key, each in told.items())}}}`"
        case dict():
            told = {str(key): getattr(each, "value", each) for key, each in value.items()}
            return f"`{{{', '.join(f'{key}: {each}' for key, each in told.items())}}}`"
        case tuple() | list():
            return f"`[{', '.join(str(each) for each in value)}]`"
        case _:
            return f"`{getattr(value, 'value', value)}`"


if __name__ == "__main__":
    main()
