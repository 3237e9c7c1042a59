"""Where the verbs tell what an operator has to know: the logger `bursar.portfolio`.

A record's message is one line to read; its event and fields are attributes of it too, so whoever
formats records as JSON has them. Who runs bursar decides what becomes of it; unasked, warnings go
to stderr.
"""

import logging
from typing import Final

import structlog

_line = structlog.processors.KeyValueRenderer(key_order=["event"])


def _record(
    _: object, name: str, event: structlog.typing.EventDict
) -> tuple[tuple[str], dict[str, object]]:
    fields = dict(event)  # the line takes away what it has written
    return (_line(_, name, event),), {"extra": fields}


LOG: Final[structlog.BoundLogger] = structlog.wrap_logger(
    logging.getLogger("bursar.portfolio"), processors=[_record]
)
