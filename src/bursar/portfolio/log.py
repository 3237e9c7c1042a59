"""Where the verbs tell what an operator has to know: the logger `bursar.portfolio`.

Who runs bursar decides what becomes of it; unasked, warnings go to stderr.
"""

import logging
from typing import Final

import structlog

LOG: Final[structlog.BoundLogger] = structlog.wrap_logger(
    logging.getLogger("bursar.portfolio"),
    processors=[structlog.processors.KeyValueRenderer(key_order=["event"])],
)
