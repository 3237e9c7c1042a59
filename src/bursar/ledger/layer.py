"""A mapping laid over another: what is written stays in the layer, what is read falls through.

Errors: as `dict`. Nothing can be taken out of what lies below.
"""

from collections.abc import ItemsView, Iterator, Mapping, MutableMapping
from enum import Enum
from typing import Final, Generic, TypeVar, overload

_K = TypeVar("_K")
_V = TypeVar("_V")
_D = TypeVar("_D")


class _Missing(Enum):
    MISSING = "missing"


_MISSING: Final = _Missing.MISSING


class Layer(MutableMapping[_K, _V], Generic[_K, _V]):
    """Reads and writes cost one look-up more than a dict's."""

    __slots__ = ("below", "own")

    def __init__(self, below: Mapping[_K, _V], own: dict[_K, _V] | None = None) -> None:
        self.own = {} if own is None else own
        self.below = below

    def __getitem__(self, key: _K) -> _V:
        found = self.own.get(key, _MISSING)
        return self.below[key] if found is _MISSING else found

    @overload
    def get(self, key: _K) -> _V | None: ...
    @overload
    def get(self, key: _K, default: _V) -> _V: ...
    @overload
    def get(self, key: _K, default: _D) -> _V | _D: ...
    def get(self, key: _K, default: _V | _D | None = None) -> _V | _D | None:
        """Return what stands under a key, here or below, or the default."""
        found = self.own.get(key, _MISSING)  # one look, since a key may be long to hash
        return self.below.get(key, default) if found is _MISSING else found

    def __contains__(self, key: object) -> bool:
        return key in self.own or key in self.below

    def __setitem__(self, key: _K, value: _V) -> None:
        self.own[key] = value

    def __delitem__(self, key: _K) -> None:
        del self.own[key]

    def items(self) -> ItemsView[_K, _V]:
        """Return what there is, as it is now: all at once, since one key after another is slow."""
        return {**self.below, **self.own}.items()

    def __iter__(self) -> Iterator[_K]:
        """Yield the keys: those below first, then those that only this layer has."""
        yield from self.below
        yield from (key for key in self.own if key not in self.below)

    def __len__(self) -> int:
        return len(self.below) + sum(key not in self.below for key in self.own)
