"""Does it agree: what a venue says that it holds, against what the book says.

    statement ┐
              ├─compare─▶ lines ─trace─▶ parts ─classify─▶ breaks ─propose─▶ entries to accept
    book, rows┘                            ▲
                                        locate: the running balances, row by row

`reconcile` goes the whole way, `compare` the first step, which is enough for an alarm. `alarm` says
when somebody is told, `certificate` what can be certified, `reasons` why a difference is what it
is. Nothing here writes: what is proposed a person accepts.
"""

from bursar.reconcile.alarm import Alarm, Signal, heard
from bursar.reconcile.breaks import Break, Kind, Place, Shift, Where
from bursar.reconcile.certificate import Certificate, certify
from bursar.reconcile.compare import Comparison, Limits, Line, Verdict, compare, usual
from bursar.reconcile.leverage import PositionLine
from bursar.reconcile.ours import Ours, ours_of
from bursar.reconcile.propose import Proposal, propose
from bursar.reconcile.reasons import why_difference
from bursar.reconcile.reconciliation import Reconciliation, Underway, reconcile
from bursar.reconcile.statement import Holding, Leveraged, Statement

__all__ = [
    "Alarm",
    "Break",
    "Certificate",
    "Comparison",
    "Holding",
    "Kind",
    "Leveraged",
    "Limits",
    "Line",
    "Ours",
    "Place",
    "PositionLine",
    "Proposal",
    "Reconciliation",
    "Shift",
    "Signal",
    "Statement",
    "Underway",
    "Verdict",
    "Where",
    "certify",
    "compare",
    "heard",
    "ours_of",
    "propose",
    "reconcile",
    "usual",
    "why_difference",
]
