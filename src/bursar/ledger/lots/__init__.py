"""Lots: what was acquired, when, and what it cost in total; and the rules by which a disposal
takes them.

A pool is an immutable value that holds the lots of one asset. A rule says how a lot joins a pool
and which lots a disposal takes; it plans the take and returns a new pool, so a refused change has
changed nothing. One file per rule.

Invariants
- A lot keeps its total cost. Taking a part takes `exact.share` of it and leaves the rest, so the
  costs of the parts add up to the cost of the lot, to the last digit; the same holds for the pool.
- Lots stand in the order in which they were acquired (`acquired_at`, then arrival), also after a
  transfer or a reversal has brought some back. A part that returns to its lot joins it again.
- fifo and lifo take O(1) amortised per lot touched, hifo O(log n); `specific` is O(n) in the lots
  held. Putting lots back (transfer, reversal) is O(n).

Errors: none. The book asks only for what is there.
"""

from bursar.ledger.lots.base import COUNT, Lot, Pool, Rule, Take
from bursar.ledger.lots.fifo import FIFO
from bursar.ledger.lots.hifo import HIFO
from bursar.ledger.lots.lifo import LIFO
from bursar.ledger.lots.specific import SPECIFIC
from bursar.ledger.lots.wac import WAC
from bursar.ledger.terms import Method

RULES: dict[Method, Rule] = {
    Method.WAC: WAC,
    Method.FIFO: FIFO,
    Method.LIFO: LIFO,
    Method.HIFO: HIFO,
    Method.SPECIFIC: SPECIFIC,
}

__all__ = ["COUNT", "RULES", "Lot", "Pool", "Rule", "Take"]
