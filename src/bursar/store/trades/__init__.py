"""Where trades are kept: in memory, in a database, or in Redis. One contract, the same answers.

They are a projection. Nothing here is migrated or backed up: what is lost, or of another layout, is
made anew from the journal.
"""

from bursar.store.trades.memory import MemoryTradeStore
from bursar.store.trades.sql import SqlTradeStore, open_sql_trades

__all__ = ["MemoryTradeStore", "SqlTradeStore", "open_sql_trades"]
