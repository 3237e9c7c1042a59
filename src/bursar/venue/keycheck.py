"""What an API key may do, as its venue says it.

Errors: none.
"""

import msgspec


class KeyCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may do. `is_known` is false where the venue would not say; then nothing is
    claimed.

    `missing` are rights that reading needs, `excess` rights that it does not and that change
    things. `sees_from` and `sees_to` bound what the key sees; `valid_until` is when it ends.
    `remark` is what else its owner should know.
    """

    is_known: bool
    missing: tuple[str, ...] = ()
    excess: tuple[str, ...] = ()
    sees_from: int | None = None
    sees_to: int | None = None
    valid_until: int | None = None
    remark: str | None = None

    @property
    def is_read_only(self) -> bool:
        """Whether the key is proved to change nothing."""
        return self.is_known and not self.excess

    @property
    def sees_everything(self) -> bool:
        """Whether the key is proved to see all of the history."""
        unbounded = self.sees_from is None and self.sees_to is None
        return self.is_known and not self.missing and unbounded
