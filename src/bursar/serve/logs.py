"""Logs: one JSON object a line on stderr, with the correlation id of the request it is about.

`LOG` may be used from any thread. What is bound to a request (`request_id`) is bound to its context
alone. No header, token, query or body is ever logged: a line says the route, not the address.

Errors: none.
"""

import logging
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import structlog

_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_SECRET: Final = re.compile(r"bursar_[A-Za-z0-9_-]{20,}|(?<=://)[^/@\s]+@")

LOG: Final[structlog.BoundLogger] = structlog.wrap_logger(
    logging.getLogger("bursar.serve"),
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        lambda _logger, _method, event: {key: hushed(each) for key, each in event.items()},
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ],
)


class JsonLines(logging.Formatter):
    """Writes every line as JSON: what structlog has written already stays as it is."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        said = str(hushed(record.getMessage()))
        told: dict[str, object] = {"time": _time(record), "logger": record.name}
        if not said.startswith("{"):
            told |= {"level": record.levelname.lower(), "event": said}
            told |= {name: hushed(each) for name, each in _fields(record)}
            if record.exc_info and record.exc_info[0] is not None:
                told["exception"] = hushed(self.formatException(record.exc_info))
            return str(structlog.processors.JSONRenderer()(None, "", told))
        return f'{{"time":"{told["time"]}","logger":"{record.name}",{said[1:]}'


def _fields(record: logging.LogRecord) -> Iterator[tuple[str, object]]:
    """Yield what a caller gave beside the message: the fields of a money event."""
    return ((name, each) for name, each in vars(record).items() if name not in _USUAL)


def hushed(value: object) -> object:
    """Take out what must not be told: tokens, and the user and password of an address."""
    return _SECRET.sub("***", value) if isinstance(value, str) else value


def configure(level: str = "INFO") -> None:
    """Write all logs of the process as JSON lines to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("bursar").propagate = True  # whatever a command has said of it
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = name != "uvicorn.access"


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
