"""What a user asks: the verbs over one book.

`Portfolio` is what `bursar.open` returns. Its verbs read the book and what `value` says of it, and
hand every change to the desk; nothing is computed here.

Invariants: an import writes all of its files or none; a figure that is not known is named, never
zero.

Errors: everything that the desk, the readers and `value` raise; `FigureNotFound` for a `why` of
nothing.
"""

from bursar.portfolio.answers import (
    Check,
    Equity,
    FileImported,
    ImportReport,
    MethodPnL,
    Verification,
)
from bursar.portfolio.portfolio import Portfolio

__all__ = [
    "Check",
    "Equity",
    "FileImported",
    "ImportReport",
    "MethodPnL",
    "Portfolio",
    "Verification",
]
