"""Where a portfolio is kept: in memory, or in a database behind SQLAlchemy Core.

The idea: a commit is one transaction. Its journal rows, the cells of the projection, the trade and
flow records, the outbox row and the new version become visible together or not at all, and only a
commit that has returned may be acknowledged. All stores obey one contract
(`bursar.ports.PortfolioStore`), and one test suite holds every one of them to it.

    opening ──▶ schema ──▶ migrate ──▶ migrations/     only an older file loads alembic
       ├─────▶ memory                                  MemoryStore
       └─────▶ sql ──▶ writes ──▶ tables               SqlStore
                └───▶ dialect ──▶ postgres, faults     where databases differ
    backup/ ──▶ writes                                 a book as one file, and back
    timescale                                          history day by day, where the server can

Invariants
- `version` counts commits, and commit n leaves the outbox row number n. `seq` counts journal rows.
- A key stands once in the journal of its portfolio. The journal is only ever appended to.
- A number at rest has every digit that it was written with, and no database ever adds money up.
- Portfolios in one database do not see each other.
- There is one writer connection. To plan a commit, read `head` first and the rest after it: a
  commit that came in between then makes the plan stale and not wrong.

Errors: `StaleVersion`, `KeyReused`, `PortfolioNotFound`, `BadChoice`, and the `StoreError`s:
`StoreBusy`, `StoreDown`, `StoreFull`, `StoreCorrupt`, `SchemaNewer`, `BackupDamaged`,
`OutcomeUnknown`.
"""

from bursar.store.listing import Listed, list_portfolios
from bursar.store.memory import MemoryStore
from bursar.store.opening import open_store
from bursar.store.places import masked
from bursar.store.schema import step_back
from bursar.store.sql import SqlStore
from bursar.store.steps import STEPS, Steps
from bursar.store.whole import whole

__all__ = [
    "STEPS",
    "Listed",
    "MemoryStore",
    "SqlStore",
    "Steps",
    "list_portfolios",
    "masked",
    "open_store",
    "step_back",
    "whole",
]
