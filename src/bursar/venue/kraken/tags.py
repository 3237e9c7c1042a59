"""Strategy tags: who placed an order, told by its `userref` or its client's id for it.

The caller gives the rules: a table of user references, a table of client ids, and patterns over
client ids, such as `KRKKD:(?P<strategy>[a-z0-9_]+)` for `KRKKD:trend_v1`. The first that applies
names the strategy. An order that no rule knows was placed by hand.

Errors: `BadChoice` for a pattern that is none.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bursar.errors import BadChoice
from bursar.ledger.entries import Source, Tag
from bursar.venue.kraken.ledger_rows import ACCOUNT
from bursar.venue.kraken.wire import Order

_PATTERN_MAX: Final = 200
_NONE: Final[Mapping[str, str]] = {}
_NO_REFERENCE: Final[Mapping[int, str]] = {}


class TagRules:
    """Which order belongs to which strategy."""

    def __init__(
        self,
        *,
        userrefs: Mapping[int, str] = _NO_REFERENCE,
        client_ids: Mapping[str, str] = _NONE,
        patterns: Sequence[str] = (),
    ) -> None:
        self._userrefs = dict(userrefs)
        self._client_ids = dict(client_ids)
        self._patterns = tuple(_compiled(pattern) for pattern in patterns)

    def __bool__(self) -> bool:
        return bool(self._userrefs or self._client_ids or self._patterns)

    def strategy(self, order: Order) -> str | None:
        """Return the strategy that placed an order, or `None` where no rule knows it."""
        if order.client_id is not None:
            named = self._client_ids.get(order.client_id)
            if named is not None:
                return named
            for pattern in self._patterns:
                match = pattern.fullmatch(order.client_id)
                if match is not None:
                    return match["strategy"]
        return None if order.userref is None else self._userrefs.get(order.userref)


def tags(orders: Iterable[Order], rules: TagRules, *, account: str = ACCOUNT) -> list[Tag]:
    """Turn orders into tags, one for each execution of an order that a rule knows."""
    told = ((order, rules.strategy(order)) for order in orders)
    return [
        _tag(order, trade, strategy, account)
        for order, strategy in told
        if strategy
        for trade in order.trades
    ]


def _tag(order: Order, trade: str, strategy: str, account: str) -> Tag:
    fill = f"{account}:{trade}/margin" if order.is_margin else f"{account}:{trade}"
    return Tag(
        id=f"{fill}/tag",
        executed_at=order.opened_at,
        account=account,
        source=Source.TRADES,
        target=fill,
        strategy=strategy,
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        compiled = re.compile(pattern) if len(pattern) <= _PATTERN_MAX else None
    except re.error:
        compiled = None
    if compiled is None or "strategy" not in compiled.groupindex:
        raise BadChoice(
            f"{pattern[:_PATTERN_MAX]!r} is no pattern with a group named strategy, as in"
            " 'KRKKD:(?P<strategy>[a-z0-9_]+)'"
        )
    return compiled
