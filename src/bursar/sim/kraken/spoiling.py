"""What a fault makes of an answer that was right: pages cut and repeated, numbers lost, bodies cut.

`spoiled` changes what the venue says, `damaged` the bytes in which it says it.

Errors: none.
"""

from collections.abc import Callable, Mapping
from typing import Final

from bursar.sim.http import Answer, Manner
from bursar.sim.kraken.faults import Fault, Trouble
from bursar.sim.kraken.wire import Json, number

_PAGES: Final = ("ledger", "trades", "closed")
_CUT: Final = 2


def spoiled(  # noqa: PLR0911 (one fault a line)
    result: Json, trouble: Trouble, before: Json | None
) -> Json:
    """Return a result with a fault in it; `before` is what the endpoint answered last time."""
    match trouble.fault:
        case Fault.REPEATED_PAGE if before is not None:
            return before
        case Fault.EMPTY_PAGE:
            return _page(result, 0)
        case Fault.SHORT_PAGE:
            return _page(result, -int(trouble.value or 1))
        case Fault.COUNT_MOVES if isinstance(result, dict) and "count" in result:
            return {**result, "count": result["count"] + int(trouble.value or 1)}
        case Fault.WRONG_TYPE:
            return [result]
        case Fault.NULLS:
            return _each(result, lambda _: None)
        case Fault.LONG_NUMBERS:
            return _each(result, lambda said: _long(said, trouble.value))
        case _:
            return result


def damaged(body: bytes, trouble: Trouble) -> tuple[bytes, Manner]:
    """Return the bytes that a fault leaves of a body, and how they are sent."""
    match trouble.fault:
        case Fault.EMPTY_BODY:
            return b"", Manner()
        case Fault.TRUNCATED:
            return body[: max(len(body) // _CUT, 1)], Manner()
        case Fault.RESET:
            return body, Manner(is_reset=True)
        case Fault.DRIP:
            return body, Manner(is_slow=True)
        case Fault.HUGE:
            return body[:1] + b" " * int(trouble.value or 9_000_000) + body[1:], Manner()
        case _:
            return body, Manner()


def kept_away(trouble: Trouble) -> Answer:
    """Return what stands in front of the venue says: no envelope, a page of HTML at most."""
    html = (("content-type", "text/html"),)
    if trouble.fault is Fault.TOO_MANY:
        waits = (("retry-after", trouble.value or "5"),)
        return Answer(429, (*html, *waits), b"<html><h1>Too Many Requests</h1></html>")
    if trouble.fault is Fault.TIMEOUT:
        return Answer(200, (), b"", Manner(is_never=True))
    status = int(trouble.value or 502)
    return Answer(status, html, f"<html><h1>error code: {status}</h1></html>".encode())


def _page(result: Json, cut: int) -> Json:
    """Cut a page down to its first rows; the count stays."""
    if isinstance(result, list):
        return result[:cut]
    if not isinstance(result, dict):
        return result
    found = {**result}
    for name in _PAGES:
        if isinstance(found.get(name), dict):
            found[name] = dict(list(found[name].items())[:cut])
    return found


def _each(result: Json, change: Callable[[str], Json]) -> Json:
    """Change every text that is a number, wherever it stands."""
    if isinstance(result, Mapping):
        return {name: _each(value, change) for name, value in result.items()}
    if isinstance(result, list):
        return [_each(value, change) for value in result]
    return change(result) if isinstance(result, str) and _is_number(result) else result


def _is_number(said: str) -> bool:
    whole, dot, part = said.removeprefix("-").partition(".")
    return bool(dot) and whole.isdigit() and part.isdigit()


def _long(said: str, more: str) -> Json:
    """Return a JSON number with 18 decimals: these digits behind it, then zeros."""
    whole, _, part = said.partition(".")
    return number(f"{whole}.{(part + more)[:18].ljust(18, '0')}")
