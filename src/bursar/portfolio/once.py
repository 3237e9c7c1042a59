"""Once: what a client asks for under a key of its own is done once, however often it is asked.

The key, a digest of what was asked under it, and the id of what was recorded are a memo that lands
in the commit's own transaction. So a client that never heard the answer asks again and gets the
same one; other words under a key are refused.

Errors: `KeyReused` for those, and what the commit raises.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

import msgspec

from bursar.desk import Desk, again
from bursar.errors import BadChoice, KeyReused
from bursar.ledger import instant
from bursar.portfolio import hand
from bursar.portfolio.portfolio import Portfolio

MEMO: Final = "request "
_ENCODER: Final = msgspec.json.Encoder()


class Done(msgspec.Struct, frozen=True):
    """What a request came to: the id, the portfolio's version, whether it was done before, and the
    id of what has taken that back since.
    """

    id: str
    version: int
    is_repeat: bool
    remarks: tuple[str, ...] = ()
    taken_back_by: str | None = None


class _Kept(msgspec.Struct, frozen=True):
    digest: str
    id: str
    version: int
    at: str
    remarks: tuple[str, ...] = ()


_DECODER: Final = msgspec.json.Decoder(_Kept)
_Make = Callable[[Desk], hand.Correction]


def once(portfolio: Portfolio, key: str, asked: bytes, make: _Make) -> Done:
    """Make a correction and commit it under a key, unless that was done before.

    `asked` is what the client said, all of it: the same key with other words is refused.
    """
    if not key.isprintable() or " " in key:
        raise BadChoice("the key has blanks", field="Idempotency-Key")
    digest = sha256(asked).hexdigest()
    return again(portfolio.writer, lambda: _once(portfolio, key, digest, make))


def _once(portfolio: Portfolio, key: str, digest: str, make: _Make) -> Done:
    desk, name = portfolio.corrector, MEMO + key
    desk.catch_up()
    text = desk.store.memo(name)
    if text is not None:
        kept = _DECODER.decode(text)
        if kept.digest != digest:
            raise KeyReused(f"the key {key} stands for another request", key=key)
        gone = desk.timeline.notes.reversal(kept.id)
        by = None if gone is None else gone.id
        return Done(kept.id, kept.version, is_repeat=True, remarks=kept.remarks, taken_back_by=by)
    correction = make(desk)
    staged = None if correction.is_known else hand.stage(desk, correction)
    version = desk.head.version
    with desk.alone():
        if staged is not None:
            version = desk.commit(staged).version
        now = instant.show(desk.clock.now())
        kept = _Kept(digest, correction.id, version, now, correction.remarks)
        desk.store.save_memos({name: _ENCODER.encode(kept).decode()})
    return Done(correction.id, version, correction.is_known, correction.remarks)
