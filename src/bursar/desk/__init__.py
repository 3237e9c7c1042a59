"""The one writer: stage → review → commit.

Every change to a portfolio goes through here. `stage` judges statements and works out their effect
without changing anything; what it returns can be looked at (`review`) and dropped. `commit` writes
it in one transaction (journal rows with their dedupe keys, projection, records, one outbox row,
the new version) and only then lets the book in memory take it over.

Invariants
- The books close before anything is written; if they do not, nothing is written and writing stops.
- The book in memory is the fold of the stored journal, and the stored projection is that book's.
- A commit that finds another writer was first raises `StaleVersion`; `reload` brings the desk up
  to date.
- A commit that says nothing new writes nothing.

Errors: `StaleVersion`, `Oversold`, every `StoreError`, and `BrokenInvariant` for our own mistakes.
"""

from bursar.desk.covering import require_covered
from bursar.desk.desk import Beside, Desk, Receipt, Staged
from bursar.desk.retrying import again
from bursar.desk.sketching import Sketch, sketch, stage_over, unpriced
from bursar.desk.streaming import submit_in_order, unswept
from bursar.desk.telling import Review

__all__ = [
    "Beside",
    "Desk",
    "Receipt",
    "Review",
    "Sketch",
    "Staged",
    "again",
    "require_covered",
    "sketch",
    "stage_over",
    "submit_in_order",
    "unpriced",
    "unswept",
]
