"""A batch of statements laid over a timeline: what they are judged to be, and which facts they
change.

Nothing of the timeline changes here. The draft keeps what it adds, and reads through to what
stands.

Errors: `Behind` for a statement that reaches behind the timeline's checkpoint.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from bursar.errors import Behind
from bursar.exact import money
from bursar.ledger import door, journal
from bursar.ledger.checkpoint import NOTHING_RECALLED, Recalled
from bursar.ledger.entries import AnyEntry, CashFlow, Flag, Link, Movement, Price, Reversal, Split
from bursar.ledger.facts import LENT, Fact, group_of, resolve_within, trade_of
from bursar.ledger.homonyms import understood
from bursar.ledger.journal import RECORDED, Outcome, Ruled
from bursar.ledger.layer import Layer
from bursar.ledger.notes import Note, linked, targets
from bursar.ledger.openings import is_opening
from bursar.ledger.order import ACTIONS, Action, order_key, turns
from bursar.ledger.prices import Prices
from bursar.ledger.pricing import lacks_price, priced_within, rests_on_prices
from bursar.ledger.timeline import Timeline

_T = TypeVar("_T")


class Draft:
    """A timeline with a batch of statements laid over it. More may be laid over it once it is
    settled; then only what they touch is resolved again.
    """

    def __init__(self, timeline: Timeline, recalled: Recalled) -> None:
        self.timeline = timeline
        self._cash = timeline.terms.cash
        self.recalled = recalled
        self.ruled: list[Ruled] = []
        self.groups: dict[str, tuple[AnyEntry, ...]] = {}
        self.raw: dict[str, Fact | None] = {}
        self.raised: dict[str, tuple[str, ...]] = {}
        self.new_notes: list[Note] = []
        self.homes: dict[str, str] = {}
        self.firsts = timeline.firsts  # likewise, as soon as a row is told
        self.conflicts: dict[str, str] = {}
        self.amends = False
        self._told_conflicts = Layer(timeline.conflicts, self.conflicts)
        self.notes = timeline.notes  # a fork of them as soon as more is noted
        self._spoken = Layer(_with(timeline.groups, recalled.groups), self.groups)
        self._home = Layer(_with(timeline.homes, recalled.homes), self.homes)
        self._unresolved: dict[str, None] = {}
        self._dirty: set[str] = set()
        self._changes: dict[str, tuple[Fact | None, Fact | None]] = {}
        self._resting: set[str] = set()
        self._is_repriced = False
        self._is_spoken_of = False
        self._disputed: set[str] = set()
        self._splits: dict[str, Split | None] = {}
        self._actions: dict[tuple[str, int], set[str]] = {}
        self._turns: dict[tuple[str, int], dict[str, int]] = {}

    def lay(self, entries: Iterable[AnyEntry]) -> None:
        """Give statements their verdicts, and lay each over its group if it is accepted."""
        self.ruled += [self._rule(entry) for entry in entries]

    def _rule(self, entry: AnyEntry) -> Ruled:
        entry = understood(entry)
        door.check(entry)
        if entry.id not in self._home:
            return self._rule_first(entry)
        home = self._home[entry.id]
        known = same(entry, self._spoken.get(home, ()))
        verdict = journal.judge(entry, known) if known else RECORDED
        if verdict.outcome is Outcome.DUPLICATE:
            return Ruled(entry, verdict, None)
        key = journal.refinement_key(entry) if known else journal.key(entry)
        if key in self.recalled.conflicts:
            return Ruled(entry, verdict, None)
        self._require_ahead(entry, home)
        if verdict.outcome is Outcome.RECORDED:
            self._lay(entry, home)
            self.amends |= bool(known)
            return Ruled(entry, verdict, key)
        if key in self._told_conflicts:
            return Ruled(entry, verdict, None)
        self.amends = True
        self.conflicts[key] = entry.id
        self._put(home, self._spoken[home])
        return Ruled(entry, verdict, key)

    def _rule_first(self, entry: AnyEntry) -> Ruled:
        """Rule the first that is said of a fact: it is recorded, and nothing has to be moved."""
        self._require_ahead(entry, entry.id)
        self._file(entry, group_of(entry))
        return Ruled(entry, RECORDED, journal.key(entry))

    def _require_ahead(self, entry: AnyEntry, home: str) -> None:
        """Refuse what only the whole journal can judge: it is early, or adds to what is."""
        known, start = self.recalled.groups, self.timeline.start
        is_known = bool(known) and (home in known or group_of(entry) in known)
        if is_known or (start is not None and start.is_behind(entry.executed_at)):
            raise Behind(f"{entry.id} reaches behind the checkpoint")

    def _lay(self, entry: AnyEntry, home: str) -> None:
        """Lay a statement over its group, and bring along what else was said of the fact."""
        there = self._spoken.get(home)
        movers = [each for each in there if each.id == entry.id] if there else []
        group = _group([*movers, entry]) if movers else group_of(entry)
        if movers and group != home:
            self._put(home, tuple(each for each in there or () if each.id != entry.id))
            self._put(group, (*self._spoken.get(group, ()), *movers))
        self._file(entry, group)

    def _file(self, entry: AnyEntry, group: str) -> None:
        self.homes[entry.id] = group
        self.groups[group] = (*self._spoken.get(group, ()), entry)
        if isinstance(entry, Movement):
            if self.firsts is self.timeline.firsts:
                self.firsts = self.timeline.firsts.fork()
            self.firsts.see(entry)
        elif isinstance(entry, Note):
            self._note(entry)
            if not isinstance(entry, Reversal):  # no fact comes of it
                return
        self._unresolved[group] = None

    def _put(self, group: str, spoken: tuple[AnyEntry, ...]) -> None:
        self.groups[group] = spoken
        self._unresolved[group] = None

    @money
    def lacking(self) -> list[Fact]:
        """Return the facts that would come or change, or are told again, and lack a price of their
        own instant.

        What a price of another instant would do for them depends on what was asked for before.
        """
        nothing = Prices(self.notes.prices.base, self._cash)
        added, _ = self.settle()
        told_again = (self._now(name) for name in self._told_again())
        standing = [each for each in told_again if each and lacks_price(each, nothing)]
        return standing + [
            fact
            for fact in added
            if (
                lacks_price(self._now(fact.id) or fact, nothing)
                if fact.id in self._resting
                else Flag.UNPRICED in fact.flags
            )
        ]

    def _told_again(self) -> Iterator[str]:
        """Yield the facts that statements add nothing to, and that nothing else has touched."""
        known = (each.entry.id for each in self.ruled if each.verdict.outcome is Outcome.DUPLICATE)
        for group in dict.fromkeys(self._home[name] for name in known):
            if group not in self.raised:
                yield from self.timeline.raised.get(group, ())

    def settle(self) -> tuple[list[Fact], list[Fact]]:
        """Resolve what the batch touched: (facts as they are to be, facts that give way).

        Of what was settled before, only what has been touched since is looked at again; prices
        that have come since touch what rests on prices.
        """
        self._disputed.update(self._told_conflicts.values())
        self._is_spoken_of = not self.notes.is_silent
        groups, self._unresolved = self._unresolved, {}
        for group in groups:  # all of them first: a fact may have gone from one to another
            for name in self.raised.get(group, self.timeline.raised.get(group, ())):
                self._see_split(name)
                self.raw[name] = None
                self._dirty.add(name)
        for group in groups:
            self._resolve(group)
        if self._splits:
            self._settle_splits()
        if self._is_repriced:
            self._dirty |= self._resting
        self._require_known_targets()
        touched = self._touched()
        touched |= self._actions_beside(touched)
        self._turns = {}  # not all who act were known before
        for name in touched:
            self._settle(name)
        self._dirty, self._is_repriced = set(), False
        changes = [self._changes[name] for name in sorted(self._changes)]
        removed = [old for old, _ in changes if old is not None]
        added = [new for _, new in changes if new is not None]
        return added, removed

    def _see_split(self, name: str) -> None:
        """Remember a split that may come, go or stand again, as it stands."""
        if isinstance(self._now(name), Split):
            self._splits.setdefault(name, self.timeline.splits.get(name))

    def _settle_splits(self) -> None:
        """Let prices know of splits that come or go, before anything is priced by them."""
        changed = []
        for name, was in sorted(self._splits.items()):
            fact = self._final(name)
            self._splits[name] = now = fact if isinstance(fact, Split) else None
            if was != now:
                changed += [each for each in (was, now) if each is not None]
        if not changed:
            return
        if self.notes is self.timeline.notes:
            self.notes = self.timeline.notes.fork()
        standing = {**self.timeline.splits, **self._splits}.values()
        self.notes.prices.part(each for each in standing if each is not None)
        self._is_repriced = True
        for split in changed:
            for asset in self.notes.prices.decided_by(split.asset):
                self._dirty |= self.timeline.wanting(asset, split.executed_at)

    def _settle(self, name: str) -> None:
        """Note what becomes of a fact, if it is not what stands."""
        old = self.timeline.facts.get(name)
        if old is not None and is_opening(old):
            return
        new = self._final(name)
        if old == new:
            self._changes.pop(name, None)
            return
        self._changes[name] = old, new

    def _touched(self) -> set[str]:
        """Return the facts that may change: a flow takes the venue's own reversal of it along."""
        names = self._dirty
        if self._is_spoken_of:
            names = self.notes.related(names)
            names |= {part for name in names for part in self._parts_of(name)}
        told = [self._now(name) for name in names]
        flows = [fact for fact in told if isinstance(fact, CashFlow)]
        return names | {flow.reversed_by for flow in flows if flow.reversed_by is not None}

    def _parts_of(self, name: str) -> list[str]:
        """Return the facts that are parts of a leveraged trade: what is said of it is of them."""
        if not name.endswith(LENT):
            return []
        group = name.removesuffix(LENT)
        beside = self.raised.get(group, self.timeline.raised.get(group, ()))
        return [each for each in beside if trade_of(each) == name]

    def _require_known_targets(self) -> None:
        """Refuse a note whose facts are not all ahead of the checkpoint: they may be behind."""
        if self.timeline.is_whole:
            return
        dirty = sorted(self._dirty) if self._is_spoken_of else ()
        tied = (link for name in dirty for link in self.notes.links(name))
        for note in (*self.new_notes, *tied):
            if any(self._now(name) is None for name in targets(note)):
                raise Behind(f"{note.id} speaks of what may be behind the checkpoint")

    def _note(self, note: Note) -> None:
        if self.notes is self.timeline.notes:
            self.notes = self.timeline.notes.fork()
        self.new_notes.append(note)
        self.notes.add(note)
        self._dirty.update(targets(note))
        if isinstance(note, Link | Reversal):  # a fact may come of it
            self._dirty.add(note.id)
        names = self.notes.spoken_of(note) if isinstance(note, Reversal) else []
        for name in names:
            self._see_split(name)
        for price in self._prices_of(note, names):
            self._is_repriced = True
            for asset in self.notes.prices.decided_by(self.notes.prices.of(price)):
                self._dirty |= self.timeline.wanting(asset, price.executed_at)

    def _prices_of(self, note: Note, names: Iterable[str]) -> list[Price]:
        """Return the prices that a note tells; or takes back or lets stand again, of `names`."""
        if isinstance(note, Price):
            return [note]
        found = (self.notes.prices.find(name) for name in names)
        return [price for price in found if price is not None]

    def _resolve(self, group: str) -> None:
        facts = self._marked(resolve_within(self._spoken[group], self._cash))
        for fact in facts:
            self.raw[fact.id] = fact
            self._dirty.add(fact.id)
            if type(fact) in ACTIONS:
                self._actions.setdefault((fact.account, fact.executed_at), set()).add(fact.id)
            if type(fact) is Split:
                self._see_split(fact.id)
        self.raised[group] = tuple(fact.id for fact in facts)

    def _marked(self, facts: list[Fact]) -> list[Fact]:
        """Mark the facts that one source has told in different words."""
        disputed = self._disputed
        if not disputed:
            return facts
        return [
            msgspec.structs.replace(fact, flags=(*fact.flags, Flag.CONFLICTED))
            if disputed & {fact.id, *fact.rows}
            else fact
            for fact in facts
        ]

    def _now(self, name: str) -> Fact | None:
        return self.raw[name] if name in self.raw else self.timeline.raw.get(name)

    def _final(self, name: str) -> Fact | None:
        """Return a fact as the notes leave it, with its values and in its turn; `None` where there
        is none.
        """
        fact = self._standing(name)
        if not isinstance(fact, Action):
            return fact
        due = self._turns_at(fact.account, fact.executed_at).get(name)
        return fact if due is None else msgspec.structs.replace(fact, turn=due)

    def _turns_at(self, account: str, at: int) -> dict[str, int]:
        """Return the turns of the corporate actions of an account and an instant."""
        known = self._turns.get((account, at))
        if known is None:
            standing = map(self._standing, sorted(self._actions_at(account, at)))
            acting = [each for each in standing if isinstance(each, Action)]
            here = [each for each in acting if (each.account, each.executed_at) == (account, at)]
            known = self._turns[account, at] = turns(here, self._cash)
        return known

    def _actions_beside(self, names: Iterable[str]) -> set[str]:
        """Return the corporate actions of the instants in which one of these stands or stood."""
        known = self.raw, self.timeline.raw, self.timeline.facts
        acting = [
            name  # few of all that are asked for: no calls for the others
            for name in names
            for each in known
            if name in each and type(each[name]) in ACTIONS
        ]
        places: set[tuple[str, int]] = set()
        for name in acting:
            now = self._now(name)
            told = (now, self.timeline.facts.get(name))
            places |= {(e.account, e.executed_at) for e in told if isinstance(e, Action)}
            if isinstance(now, Action):  # it may stand again
                self._actions.setdefault((now.account, now.executed_at), set()).add(name)
        return {name for place in places for name in self._actions_at(*place)}

    def _actions_at(self, account: str, at: int) -> set[str]:
        """Return the corporate actions of an account and an instant, as told now or before."""
        order, facts = self.timeline.order, self.timeline.facts
        known = (
            facts[key[-1]]
            for key in order[bisect_left(order, (at,)) : bisect_left(order, (at + 1,))]
        )
        told = {e.id for e in known if isinstance(e, Action) and e.account == account}
        return told | self._actions.get((account, at), set())

    def _standing(self, name: str) -> Fact | None:
        """Return a fact as the notes leave it, with its values; `None` where there is none."""
        is_spoken_of = self._is_spoken_of
        fact = self._decided(name) if is_spoken_of and self.notes.decide(name) else self._now(name)
        if isinstance(fact, Reversal):
            return self._reversing(fact)
        told = self.notes.tagged(fact) if is_spoken_of and fact is not None else fact
        return None if told is None else self._priced(told)

    def _decided(self, name: str) -> Fact | None:
        """Return a fact that links or reversals speak of, as far as they leave it standing."""
        link = self.notes.link_of(name, self._fits)
        fact = self._linked(link) if link is not None else self._now(name)
        if fact is None or self._absorbed(name):
            return None
        reversal = None if isinstance(fact, Reversal) else self.notes.reversal(name)
        if reversal is not None:
            if reversal.void or not isinstance(fact, CashFlow):
                return None
            if fact.reversed_by is None and reversal.executed_at >= fact.executed_at:
                return msgspec.structs.replace(fact, reversed_by=reversal.id)
        return fact

    def _priced(self, fact: Fact) -> Fact:
        if rests_on_prices(fact, self._cash):
            self._resting.add(fact.id)
        return priced_within(fact, self.notes.prices)

    def _linked(self, link: Link) -> Fact | None:
        if self.notes.reversal(link.withdrawal) or self.notes.reversal(link.deposit):
            return None
        return linked(link, self._now(link.withdrawal), self._now(link.deposit), self._cash)

    def _absorbed(self, name: str) -> bool:
        """Tell whether a link has made a transfer of the flow."""
        link = self.notes.link(name, self._fits)
        return link is not None and self.notes.link_of(link.id, self._fits) is not None

    def _fits(self, link: Link) -> bool:
        return self._linked(link) is not None

    def _reversing(self, reversal: Reversal) -> Fact | None:
        """Return the reversal as a fact of its own, if its target stands until then."""
        target = self._now(reversal.target)
        if not isinstance(target, CashFlow) or reversal.void:
            return None
        by_hand = self.notes.reversal(target.id)
        if target.reversed_by == reversal.id:
            if by_hand is not None and by_hand.void:
                return None
        else:
            if target.reversed_by is not None or by_hand is None or by_hand.id != reversal.id:
                return None
            if reversal.executed_at < target.executed_at:
                return None
        at_home = msgspec.structs.replace(reversal, account=target.account)
        if order_key(at_home) > order_key(target):
            return at_home
        return msgspec.structs.replace(
            at_home, executed_at=target.executed_at, sequence=target.sequence + 1
        )


@money
def drafted(
    timeline: Timeline, entries: Iterable[AnyEntry], recalled: Recalled = NOTHING_RECALLED
) -> Draft:
    """Judge statements, and leave it open what they change.

    Raises:
        Behind: as `Draft`.
    """
    draft = Draft(timeline, recalled)
    draft.lay(entries)
    return draft


def same(entry: AnyEntry, spoken: Iterable[AnyEntry]) -> list[AnyEntry]:
    """Return the statements that the same source has made of the same fact."""
    return [each for each in spoken if each.id == entry.id and each.source is entry.source]


def _group(statements: list[AnyEntry]) -> str:
    """Return a fact's group: what the most authoritative source says, then the smaller name."""
    stated = [(-each.source, each.group) for each in statements if each.group is not None]
    return min(stated)[1] if stated else statements[0].id


def _with(known: dict[str, _T], recalled: Mapping[str, _T]) -> Mapping[str, _T]:
    return Layer(recalled, known) if recalled else known
