"""A venue by hand: it tells what the test put into it, and nothing on its own."""

from bursar.exact import ZERO
from bursar.ledger import golden
from bursar.ports import Chunk
from bursar.reconcile import Holding, Leveraged, Statement
from bursar.value.marks import Mark


class Told:
    """A history of lines, told so many a chunk; the mark is how many lines were told."""

    def __init__(self, clock, *lines, size=2, account="k"):
        self.clock = clock
        self.lines = list(lines)
        self.size = size
        self.account = account
        self.holdings = {}
        self.open = None
        self.worth = {}
        self.reserved = {}
        self.past = {}
        self.asked = []
        self.failing = {}
        self.on_statement = []

    def _ask(self, what):
        self.asked.append(what)
        error = self.failing.get(len(self.asked), self.failing.get(what))
        if error is not None:
            raise error

    async def history(self, mark):
        done = int(mark or 0)
        while True:
            self._ask("history")
            part = self.lines[done : done + self.size]
            done += len(part)
            yield Chunk(tuple(self.statements(part)), str(done), "ledger", done, len(self.lines))
            if done >= len(self.lines):
                return

    def anew(self, _mark):
        return None

    def statements(self, lines):
        return list(golden.read(lines))

    async def statement(self):
        self._ask("statement")
        for happening in self.on_statement:
            happening()
        self.on_statement = []
        holdings = tuple(
            Holding(asset=asset, code=asset, total=total, reserved=self.reserved.get(asset, ZERO))
            for asset, total in sorted(self.holdings.items())
        )
        return Statement(account=self.account, as_of=self.clock.now(), holdings=holdings)

    async def leveraged(self, known):
        if self.open is None:
            return None
        self._ask("leveraged")
        closed = (name for name in known if name not in self.open)
        pairs = dict.fromkeys(closed, (ZERO, None)) | self.open
        return [
            Leveraged(
                pair=name,
                base=name.partition("/")[0],
                quote=name.partition("/")[2],
                quantity=quantity,
                entered=entered,
            )
            for name, (quantity, entered) in sorted(pairs.items())
        ]

    async def marks(self, assets, quote):
        self._ask("marks")
        now = self.clock.now()
        return [Mark(a, quote, self.worth[a], "fake", now) for a in assets if a in self.worth]

    async def prices(self, wanted):
        self._ask("prices")
        self.wanted = list(wanted)
        told = (self.past.get((each.asset, each.at)) for each in wanted)
        return self.statements([line for line in told if line is not None])
