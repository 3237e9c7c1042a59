"""WHO GETS THE MONEY: capital divided among strategies, and what becomes of profit.

Every rule is a frozen record of its settings; its functions take a state, what happened, the
instant and the regime, and return the next state with a decision that says why. Nothing here reads
a clock, keeps anything, or moves anything: allocations become sleeve transfers, intents become
events, states are stored, all by others, in one transaction with their cause.

- `allocator` divides: `CapitalAllocator` over `methods`, within bounds kept by `simplex`.
- `capital_pressure`, `strategy_memory`, `decision_memory` and `meta_strategy_brain` remember and
  judge.
- `profit_capture`, `smart_reinvestor`, `profit_target_tracker` deal with profit.
- `rebalancer` turns weights into transfers between sleeves.
- `deciding` is one whole look: trades that closed, figures now → decision and next states.

Invariants: Σ weights + reserve = 1 exactly; bounds hold for the final weights; the same inputs give
the same bytes in any order of arrival; no profit is used twice. Money and weights are exact;
statistics come in through `exact.statistic`. Errors: `BadChoice` for settings that cannot hold.
"""
