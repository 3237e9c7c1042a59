"""A world: one integer decides who there is, what happens, what goes wrong and when.

It is small: one to three desks on each of one to three portfolios, one to four venues, twenty to
three hundred statements. In the safety phase faults strike; then all heal, and within two virtual
minutes everything must have come to rest: every feed read, every order's fate known, every desk at
the same version. Then the judges speak.

Errors: none leaves `play`; what went wrong is the `verdict` of the `Ending`.
"""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from bursar.exact import money
from bursar.ledger.terms import Terms
from bursar.ports import Commit, Head
from bursar.sim import judge
from bursar.sim.chance import Streams
from bursar.sim.clerk import Clerk
from bursar.sim.faults import Fault, Weather
from bursar.sim.judge import Judge, Witness
from bursar.sim.loop import Deadlock, Exhausted, VirtualLoop
from bursar.sim.practice import RIGHT, Practice
from bursar.sim.rooms import Air, furnish
from bursar.sim.shelf import Shelf
from bursar.sim.story import Story, Wrong
from bursar.store import MemoryStore, open_store

if TYPE_CHECKING:
    from bursar.ports import PortfolioStore

SETTLE_S: Final = 120
STEPS_MAX: Final = 200_000
VENUES: Final = ("alpaca", "binance", "coinbase", "kraken")
_LEAST, _RATIO, _SKEW = 20, 15, 4  # most worlds are small, a few have 300 statements
_ROOMS: Final = (1, 1, 1, 1, 1, 2, 3)
_ROOM_LEAST: Final = 8
_SHOWN: Final = 3


class Ending(msgspec.Struct, frozen=True):
    """How a world ended: `verdict` is empty where all is well."""

    seed: int
    verdict: str
    step: int
    story: tuple[str, ...]
    digest: str
    rates: dict[str, float]
    fired: dict[str, int]
    errors: dict[str, int]
    commits: int
    statements: int

    @property
    def is_well(self) -> bool:
        """Whether no judge found anything."""
        return not self.verdict


def play(
    seed: int,
    *,
    practice: Practice = RIGHT,
    last_word: Judge | None = None,
    folder: Path | None = None,
) -> Ending:
    """Play a world to its end. With a `folder` its stores are in an SQLite file there."""
    with ExitStack() as stack:
        stack.enter_context(practice.planted())

        def build(name: str, terms: Terms, steps: Callable[[str], None]) -> "PortfolioStore":
            if folder is None:
                return MemoryStore(name, terms=terms, steps=steps)
            store = open_store(folder / f"world-{seed}.db", name, terms=terms, steps=steps)
            stack.callback(store.close)
            return store

        return money(lambda: World(seed, practice, build).play(last_word))()


class World:
    """One seed's world. It is played once."""

    def __init__(
        self,
        seed: int,
        practice: Practice,
        build: "Callable[[str, Terms, Callable[[str], None]], PortfolioStore]",
    ) -> None:
        self.seed = seed
        self.loop = VirtualLoop(steps_max=STEPS_MAX)
        self.story = Story(self.loop.time)
        self.streams = Streams(seed)
        self.weather = Weather(self.streams.named("swarm"))
        self.verdict = ""
        self.step = 0
        self._build = build
        shape = self.streams.named("shape")
        self.span = shape.uniform(15, 45)
        venues = sorted(shape.sample(VENUES, shape.randint(1, len(VENUES))))
        air = Air(
            self.loop.time, self.streams, self.weather, self.story, practice, self.span, venues
        )
        size = round(_LEAST * _RATIO ** (shape.random() ** _SKEW))
        count = shape.choice(_ROOMS)
        self.rooms = [
            furnish(f"p{number}", max(size // count, _ROOM_LEAST), air, self._shelve)
            for number in range(1, count + 1)
        ]

    def play(self, last_word: Judge | None) -> Ending:
        """Play both phases, then let the judges speak."""
        try:
            self.loop.play(self._day)
            if not self.verdict:
                self._judge(last_word)
        except (Wrong, Deadlock, Exhausted) as error:
            self._fail(error)
        return Ending(
            seed=self.seed,
            verdict=self.verdict,
            step=self.step or self.loop.steps,
            story=tuple(self.story.lines),
            digest=self.story.digest,
            rates={fault.value: rate for fault, rate in self.weather.rates.items() if rate},
            fired={fault.value: self.weather.fired[fault] for fault in Fault},
            errors=dict(sorted(self.story.errors.items())),
            commits=sum(len(room.shelf.commits) for room in self.rooms),
            statements=sum(len(room.ground.told) for room in self.rooms),
        )

    async def _day(self) -> None:
        for room in self.rooms:
            for clerk in room.clerks:
                self.loop.spawn(self._watched(clerk), clerk.name)
        self.loop.spawn(self._fill_up(), "disk")
        for _ in range(round(self.span)):
            await asyncio.sleep(0 if self.verdict else 1)
        self.weather.heal()
        for room in self.rooms:
            room.shelf.is_full = False
        self.story.tell("world", "heals")
        healed = self.loop.time()
        while not self.verdict and (left := self._unsettled()):
            if self.loop.time() - healed > SETTLE_S:
                raise Wrong(f"{SETTLE_S} s after all healed, {left}")
            await asyncio.sleep(1)

    async def _watched(self, clerk: Clerk) -> None:
        try:
            await clerk.live()
        except Exception as error:  # noqa: BLE001 (what nobody foresaw is a verdict too)
            self._fail(error)

    async def _fill_up(self) -> None:
        """Let the disk be full for some seconds, again and again."""
        chance = self.streams.named("faults", "disk")
        while self.weather.has(Fault.FULL):
            await asyncio.sleep(chance.uniform(1, 10))
            for room in self.rooms:
                room.shelf.is_full = self.weather.has(Fault.FULL) and not room.shelf.is_full

    def _unsettled(self) -> str:
        waiting = ((c.name, c.unsettled) for room in self.rooms for c in room.clerks)
        return next((f"{name} {left}" for name, left in waiting if left), "")

    def _judge(self, last_word: Judge | None) -> None:
        for room in self.rooms:
            store = room.shelf.store
            truth = room.truth(judge.orders(room.name, store, room.orders))
            desks = [clerk.desk for clerk in room.clerks if clerk.desk is not None]
            book = judge.final(room.name, desks, truth)
            found = [] if last_word is None else list(last_word(room.terms, truth, book))
            if found:
                raise Wrong(f"{room.name}: {'; '.join(found[:_SHOWN])}")
        self.story.tell("world", "is well")

    def _fail(self, error: BaseException) -> None:
        if not self.verdict:
            kind = "" if isinstance(error, Wrong) else f"{type(error).__name__}: "
            self.verdict, self.step = f"{kind}{error}", self.loop.steps
            self.story.tell("judge", self.verdict)

    def _shelve(self, name: str, terms: Terms) -> Shelf:
        """Make a store whose every commit is told and witnessed."""
        witness = Witness(name)

        def told(commit: Commit, head: Head) -> None:
            self.story.tell(name, f"version {head.version}, row {head.seq}, {head.hash[:12]}")
            witness.see(shelf.store, commit, head)

        shelf = Shelf(lambda steps: self._build(name, terms, steps), told)
        return shelf
