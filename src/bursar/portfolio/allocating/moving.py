"""Capital moved between sleeves, as facts, written with what is kept of why.

Errors: `StaleVersion` where what was worked out no longer stands.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from bursar.desk.desk import Beside
from bursar.errors import StaleVersion
from bursar.exact import money
from bursar.ledger.entries import SleeveTransfer
from bursar.portfolio.allocating.standing import books
from bursar.portfolio.portfolio import Portfolio

Memos = Mapping[str, str | None]


@money
def transfers(
    portfolio: Portfolio, moves: Iterable[tuple[str, str, Decimal]], *, name: str, at: int
) -> list[SleeveTransfer]:
    """Return moves of capital (from, to, amount) as facts, where the money lies: base currency
    first, then its pegs, account by account.
    """
    sleeves, base, cash = books(portfolio), portfolio.terms.base, portfolio.terms.cash
    purses = {
        strategy: {
            place: holding.quantity
            for place, holding in sorted(
                sleeves.of(strategy).holdings.items(),
                key=lambda each: (each[0][1] != base, each[0]),
            )
            if place[1] in cash and holding.quantity > 0
        }
        for strategy in sleeves.strategies()
    }
    found: list[SleeveTransfer] = []
    for source, target, amount in moves:
        left, purse = amount, purses[source]
        for (account, asset), there in purse.items():
            part = min(left, there)
            if part > 0:
                found.append(
                    SleeveTransfer(
                        id=f"{account}:{name}:{len(found) + 1}",
                        executed_at=at,
                        account=account,
                        note=name,
                        from_strategy=source,
                        to_strategy=target,
                        amount=part,
                        asset=None if asset == base else asset,
                    )
                )
                purse[account, asset] -= part
                left -= part
    return found


def post(portfolio: Portfolio, moves: Sequence[SleeveTransfer], memos: Callable[[], Memos]) -> None:
    """Write moves of capital and what is kept with them: all, or nothing.

    Others may write until the store is ours, and memos alone make no new version. So `memos` is
    asked once the store is ours, and refuses where what was worked out no longer stands.
    """
    desk = portfolio.writer
    with desk.alone() if moves else desk.store.grouped():
        kept = memos()
        if moves:
            desk.commit(desk.stage(moves), Beside(memos=kept))
        else:
            desk.store.save_memos(kept)


def require_version(portfolio: Portfolio, seen: int, again: str) -> None:
    """Refuse what was worked out at another version of the portfolio."""
    now = portfolio.desk.store.head().version
    if now != seen:
        raise StaleVersion(
            f"worked out at version {seen}, the portfolio is at {now}; {again}",
            expected=seen,
            actual=now,
        )
