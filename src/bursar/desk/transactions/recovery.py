"""After a crash: what stands, what the next transaction is compared with, what was cut off.

The state is the last commit; there is nothing to repair. What can be unknown is whether a commit
whose answer never came has landed. Those are found by id: the ones of this process whose answer was
lost, the ones that were announced, and any the caller names. A server may still be at a COMMIT
whose client is gone, so the answer is given under the store's lock, which is had when that is over.

Errors: `StoreError`; `StoreBusy` while somebody is still at a commit.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from bursar.desk.desk import Desk
from bursar.desk.transactions import keeping
from bursar.desk.transactions.rules import ACCOUNT


class Interrupted(msgspec.Struct, frozen=True):
    """A commit whose answer is not known to whoever asked for it, and whether it has landed."""

    id: str
    has_landed: bool
    staged_at_version: int | None = None


class Recovery(msgspec.Struct, frozen=True):
    """Where a session stands."""

    session_id: str
    version: int
    seq: int
    hash: str
    previous_equity: Decimal | None
    interrupted: tuple[Interrupted, ...]


def recover(desk: Desk, *, keys: Iterable[str] = (), account: str = ACCOUNT) -> Recovery:
    """Take up what is stored, and find out what became of commits that were cut off.

    `keys` are idempotency keys, or ids of transactions, that the caller asks about. A key is found
    by the answer that was kept under it, in whatever account; what has none is called by `account`.
    """
    announced, keys = keeping.announced(desk), tuple(keys)
    asked: dict[str, int | None] = {each.id: each.version for each in announced}
    asked.update(desk.unresolved)
    ids = {each.key: each.id for each in announced if each.key is not None}
    found = _found(desk, asked, ids, keys, account) if asked or keys else ()
    desk.catch_up()
    desk.unresolved.clear()
    return Recovery(
        session_id=desk.store.portfolio,
        version=desk.head.version,
        seq=desk.head.seq,
        hash=desk.head.hash,
        previous_equity=keeping.equity(desk),
        interrupted=found,
    )


def _found(
    desk: Desk,
    asked: Mapping[str, int | None],
    ids: Mapping[str, str],
    keys: Iterable[str],
    account: str,
) -> tuple[Interrupted, ...]:
    """Find out what became of them while nobody is at a commit, and take the notes away."""
    with desk.store.grouped():
        answers = {key: keeping.answer_to(desk, key) for key in keys}
        landed = {answer.review.id: None for answer in answers.values() if answer is not None}
        named = {
            (ids.get(key) or (key if ":" in key else f"{account}:tx-{key}")): None
            for key, answer in answers.items()
            if answer is None
        }
        found = tuple(
            Interrupted(name, name in landed or bool(desk.store.recall([name], [])), version)
            for name, version in sorted({**named, **landed, **asked}.items())
        )
        keeping.withdraw(desk, {**named, **asked})
    return found
