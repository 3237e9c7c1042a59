"""A mapping laid over another: what is written stays in the layer, what is read falls through.

Errors: as `dict`. Nothing can be taken out of what lies below.
"""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Generic, TypeVar, overload

_K = TypeVar("_K")
_V = TypeVar("_V")
_D = TypeVar("_D")


class Layer(MutableMapping[_K, _V], Generic[_K, _V]):
    """Reads and writes cost one look-up more than a dict's."""

    __slots__ = ("below", "own")

    def __init__(self, below: Mapping[_K, _V], own: dict[_K, _V] | None = None) -> None:
        self.own = {} if own is None else own
        self.below = below

    def __getitem__(self, key: _K) -> _V:
        own = self.own
        return own[key] if key in own else self.below[key]

    @overload
    def get(self, key: _K) -> _V | None: ...
    @overload
    def get(self, key: _K, default: _V) -> _V: ...
    @overload
    def get(self, key: _K, default: _D) -> _V | _D: ...
    def get(self, key: _K, default: _V | _D | None = None) -> _V | _D | None:
        """Return what stands under a key, here or below, or the default."""
        own = self.own
        return own[key] if key in own else self.below.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self.own or key in self.below

    def __setitem__(self, key: _K, value: _V) -> None:
        self.own[key] = value

    def __delitem__(self, key: _K) -> None:
        del self.own[key]

    def __iter__(self) -> Iterator[_K]:
        """Yield the keys: those below first, then those that only this layer has."""
        yield from self.below
        yield from (key for key in self.own if key not in self.below)

    def __len__(self) -> int:
        return len(self.below) + sum(key not in self.below for key in self.own)
