"""One portfolio's store, and the lines through which desks reach it: where the store's faults are.

A `Shelf` holds the real store and remembers every commit that landed, as the judges need it. A
`Line` is what a desk takes for its store. It fails as real ones do: before a commit is written,
after it, by dying at any step of it, by showing an older version, by letting somebody else be
faster. It never fails in a way that a store may not: what is read on one line never goes back.

Errors: those of a store, and `Crash`, which only the world may catch.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any, Final

import msgspec

from bursar.errors import OutcomeUnknown, StoreBusy, StoreError, StoreFull
from bursar.ledger.journal import Record
from bursar.ports import Commit, Head, StoredCheckpoint
from bursar.sim.chance import hits
from bursar.sim.faults import Fault, Weather
from bursar.store import STEPS

if TYPE_CHECKING:
    from bursar.ports import PortfolioStore

WRITTEN: Final = "after_commit"
_STALE_LOOKS: Final = 6


class Crash(BaseException):
    """The process is dead: nothing of its memory survives, and no `except Exception` helps."""


class Shelf:
    """The store of one portfolio and its past. `on_commit` is told of each commit that landed."""

    def __init__(
        self,
        build: "Callable[[Callable[[str], None]], PortfolioStore]",
        on_commit: Callable[[Commit, Head], None],
    ) -> None:
        self.store = build(self._step)
        self.commits: list[Commit] = []
        self.heads = [self.store.head()]
        self.checkpoints: dict[int, StoredCheckpoint | None] = {}
        self.is_full = False
        self._on_commit = on_commit
        self._writing: tuple[Commit, Callable[[str], None]] | None = None

    def write(self, commit: Commit, watch: Callable[[str], None]) -> Head:
        """Commit to the real store; `watch` is told of every step and may break off."""
        self._writing = (commit, watch)
        try:
            return self.store.commit(commit)
        finally:
            self._writing = None

    def cells_at(self, version: int) -> dict[str, str]:
        """Return the projection as it was at a version."""
        cells: dict[str, str] = {}
        for commit in self.commits[:version]:
            for name, body in commit.cells.items():
                if body is None:
                    cells.pop(name, None)
                else:
                    cells[name] = body
        return dict(sorted(cells.items()))

    def _step(self, name: str) -> None:
        if self._writing is None:
            return
        commit, watch = self._writing
        if name == WRITTEN:
            last = commit.records[-1]
            head = Head(self.heads[-1].version + 1, last.seq, last.hash, self.heads[-1].terms)
            self.commits.append(commit)
            self.heads.append(head)
            self.checkpoints[head.version] = self.store.checkpoint()
            self._on_commit(commit, head)
        watch(name)


class Line:
    """One desk's way to a shelf. What it does not speak of goes straight to the store."""

    def __init__(self, shelf: Shelf, weather: Weather, chance: Random) -> None:
        self.shelf = shelf
        self.rival: Callable[[], None] | None = None
        self.has_garbled = False
        self._has_landed = False
        self._weather = weather
        self._chance = chance
        self._seen = 0
        self._stale: tuple[int, int] | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the store has)
        return getattr(self.shelf.store, name)

    @property
    def could_tell(self) -> bool:
        """Whether the last commit landed, and whoever has looked since could have seen it."""
        return self._has_landed and self._seen == self.shelf.heads[-1].version

    def head(self) -> Head:
        """Return where the portfolio stands, or stood."""
        self._be_overtaken()
        return self.shelf.heads[self._version()]

    def records(self, after: int = 0) -> Iterator[Record]:
        """Yield journal rows, up to what this line may see; one of them may be garbled."""
        self._be_overtaken()
        last = self.shelf.heads[self._version()].seq
        rows: Iterable[Record] = (r for r in self.shelf.store.records(after) if r.seq <= last)
        if self._weather.has(Fault.GARBLED) and last > after:
            rows = self._garbled(list(rows))
        return iter(rows)

    def load_state(self) -> dict[str, str]:
        """Return the projection, or an older one."""
        self._be_overtaken()
        version = self._version()
        if version == self.shelf.heads[-1].version:
            return self.shelf.store.load_state()
        return self.shelf.cells_at(version)

    def checkpoint(self) -> StoredCheckpoint | None:
        """Return the checkpoint of the version that was last seen here."""
        return self.shelf.checkpoints.get(self._seen)

    def save_checkpoint(self, checkpoint: StoredCheckpoint, version: int) -> bool:
        """Keep a checkpoint; later versions have it until a commit takes it away."""
        is_kept = self.shelf.store.save_checkpoint(checkpoint, version)
        if is_kept:
            self.shelf.checkpoints[version] = checkpoint
        return is_kept

    def commit(self, commit: Commit) -> Head:
        """Write, or fail in one of the ways in which stores do."""
        self._be_overtaken()
        self._has_landed = False
        if self._weather.strikes(Fault.BUSY, self._chance):
            raise StoreBusy
        if self._weather.strikes(Fault.LOST_REQUEST, self._chance):
            raise OutcomeUnknown
        step, error = self._breaking_point()

        def watch(name: str) -> None:
            self._has_landed = name == WRITTEN
            if name == step and error is not None:
                if name == WRITTEN and self.rival is not None and hits(self._chance, 0.5):
                    self.rival()  # a reply takes long to be lost
                raise error

        self._stale = None  # a writer sees the present
        head = self.shelf.write(commit, watch)
        self._seen = head.version
        return head

    def _breaking_point(self) -> tuple[str, BaseException | None]:
        """Choose the step at which a commit breaks off, if it does, and how."""
        before = self._chance.choice(STEPS[:-1])
        if self.shelf.is_full:
            self._weather.fired[Fault.FULL] += 1
            return before, StoreFull()
        if self._weather.strikes(Fault.FAILED, self._chance):
            return before, StoreError("the disk does not answer")
        if self._weather.strikes(Fault.LOST_REPLY, self._chance):
            return WRITTEN, OutcomeUnknown()
        if self._weather.strikes(Fault.CRASH, self._chance):
            return self._chance.choice((before, WRITTEN)), Crash()
        return WRITTEN, None

    def _version(self) -> int:
        """Return the version that this line shows now: the last one, or where it is stuck."""
        newest = self.shelf.heads[-1].version
        may_be_stale = self._stale is None and newest > self._seen
        if may_be_stale and self._weather.strikes(Fault.STALE, self._chance):
            self._stale = (self._chance.randint(self._seen, newest - 1), _STALE_LOOKS)
        if self._stale is None or self._weather.has_healed:
            self._seen = newest
            return newest
        version, looks = self._stale
        self._stale = (version, looks - 1) if looks else None
        self._seen = version
        return version

    def _be_overtaken(self) -> None:
        if self.rival is not None and self._weather.strikes(Fault.OVERTAKEN, self._chance):
            self.rival()

    def _garbled(self, rows: list[Record]) -> list[Record]:
        if rows and self._weather.strikes(Fault.GARBLED, self._chance):
            self.has_garbled = True
            place = self._chance.randrange(len(rows))
            rows[place] = msgspec.structs.replace(rows[place], body=f"{rows[place].body} ")
        return rows
