"""What truly happens in a world, and in what words the venues tell it.

The truth is a set of facts whose values are worked out here, in fractions, by no code of the
ledger. What is told of each fact, by which venue, is a list of statements; how they reach a desk is
decided elsewhere.

Invariants
- Two happenings never share an instant; the parts of one order always do.
- An account that is told by ledger rows never gives what it does not have, so its history needs no
  opening; one told by events may owe, where the history is careless.
- What is told adds up to the truth once all of it has arrived, whatever came first.
"""

from bursar.sim.happening.ground import CASH, HAND, START, Ground, Place, worth
from bursar.sim.happening.history import history, order

__all__ = ["CASH", "HAND", "START", "Ground", "Place", "history", "order", "worth"]
