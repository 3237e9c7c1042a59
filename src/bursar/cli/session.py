"""One command's surroundings: which book, which marks, how to speak.

Only names and flags are read when this loads; the database comes with `open`.
"""

from __future__ import annotations

import os
import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Mapping
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from cyclopts import Parameter

from bursar.cli.answers import json_pieces, json_text
from bursar.cli.faults import BROKEN_OFF
from bursar.cli.loading import unbroken

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from bursar.cli.progress import Bar
    from bursar.cli.screen import Screen
    from bursar.config import Settings
    from bursar.ledger.terms import Terms
    from bursar.portfolio import Portfolio
    from bursar.portfolio.risk import Measuring
    from bursar.value.marks import Mark, Marks
    from bursar.value.worth import Options

HIDDEN: Final = Parameter(parse=False)
"""Marks the parameter through which a command gets its session."""

CONFIG: Final = Path("config.yaml")
_SECTIONS: Final = ("portfolio", "venues", "capital")
_OWN: Final = re.compile(rf"^({'|'.join(_SECTIONS)})\s*:", re.MULTILINE)
_LIKENESS: Final = 0.8
_MANY: Final = 10**12


class Session(msgspec.Struct, frozen=True, dict=True):
    """The options that every command takes."""

    book: str
    portfolio: str = "main"
    price: tuple[str, ...] = ()
    prices: Path | None = None
    is_exact: bool = False
    wants_json: bool = False
    is_quiet: bool = False
    at: str | None = None
    known_at: str | None = None
    config: Path | None = None
    is_apart: bool = False
    """Whether the command is about a made-up world, in which nobody's settings count."""

    @cached_property
    def settings(self) -> Settings:
        """What config.yaml and the environment say."""
        with unbroken():
            from bursar.config import load

        return load(self.config)

    @property
    def chosen(self) -> Settings:
        """The settings, with the book and the portfolio that this command is about."""
        own = {"book": self.book, "name": self.portfolio}
        told = self.settings
        return told.model_copy(update={"portfolio": told.portfolio.model_copy(update=own)})

    @property
    def is_told(self) -> bool:
        """Whether there are settings besides the defaults."""
        if self.is_apart:
            return False
        return self.config is not None or any(name.startswith("PORTFOLIO_") for name in os.environ)

    @property
    def terms(self) -> Terms:
        """What a new book is kept in, as the settings want it."""
        from bursar.app import terms_of
        from bursar.ledger.terms import Terms

        return terms_of(self.settings.portfolio) if self.is_told else Terms()

    @property
    def states_base(self) -> bool:
        """Whether the settings say what a new book counts in."""
        return self.is_told and "base_currency" in self.settings.portfolio.model_fields_set

    @property
    def is_new(self) -> bool:
        """Whether the portfolio is not there yet, so that a command that makes one would do so."""
        from bursar.app import is_new

        return is_new(self.book, self.portfolio)

    def made(self, terms: Terms, *, is_stated: bool = False) -> str:
        """Say what was made, and that its base currency is fixed where nobody has named it."""
        unsaid = "" if is_stated or self.states_base else " (by default, and for good)"
        near = _currency_near(terms.base)
        meant = f" (which no state has, and it is for good; was {near} meant?)" if near else unsaid
        return (
            f"Made {self.place}, portfolio {self.portfolio}: base currency {terms.base}{meant},"
            f" cost rule {terms.method.value}."
        )

    @cached_property
    def screen(self) -> Screen:
        """Where a reader looks."""
        from bursar.cli.screen import Screen

        return Screen(is_exact=self.is_exact, is_quiet=self.is_quiet or self.wants_json)

    @cached_property
    def bar(self) -> Bar:
        """The progress bar: on stderr, on a terminal, after two seconds, until an answer comes."""
        from bursar.cli.progress import Bar

        made = Bar(self.screen.remarks, is_quiet=self.screen.is_quiet)
        self.screen.resting = made.stop
        return made

    def rest(self) -> None:
        """Show no progress any more."""
        if "bar" in self.__dict__:
            self.bar.stop()

    @property
    def place(self) -> str:
        """Where the book is, as it may be shown."""
        from bursar.store import masked

        return masked(self.book)

    @property
    def is_past(self) -> bool:
        """Whether the past is asked for."""
        return self.at is not None or self.known_at is not None

    def require_present(self) -> None:
        """Refuse the past to a command that does more than look."""
        from bursar.errors import BadChoice

        if self.is_past:
            raise BadChoice("--at and --known-at only look; this command does more", at=self.at)

    def open(self, *, terms: Terms | None = None, create: bool = False) -> Portfolio:
        """Open the portfolio, as it is or as it was; progress is shown until there is an answer."""
        with unbroken():
            from bursar.app import open as opened
            from bursar.errors import PortfolioNotFound

        measuring = self._measuring()  # what is wrong with it is told before a book is made
        try:
            self.bar.start()
            found = opened(
                self.book,
                portfolio=self.portfolio,
                terms=terms,
                create=create,
                options=self._options(),
                progress=self.bar.tell,
            )
            if measuring is not None:
                found.measuring = measuring
            self.screen.figures = self.screen.figures.of(found.terms.base)
            self._remark_refold(found)
            return self._then(found) if self.is_past else found
        except PortfolioNotFound as error:
            if "portfolio" in error.context:
                raise
            raise PortfolioNotFound(f"there is no book at {self.place}", book=self.place) from None

    def _remark_refold(self, portfolio: Portfolio) -> None:
        """Say that a book of an older bursar was brought along, and which figures are others now.

        The first line has what matters: nothing that was told has changed.
        """
        from bursar.desk import Desk
        from bursar.desk.telling import in_words

        made = portfolio.desk.refolded if isinstance(portfolio.desk, Desk) else None
        if made is None:
            return
        others = (
            f"{made.cells:,} of its figures are others now, {len(made.restated):,} realised ones"
        )
        self.screen.remark(
            "An older bursar made this book. It was worked out anew from its journal, which is"
            f" whole and as it was; {others if made.cells else 'no figure is another now'}."
        )
        for line in in_words(made.restated):
            self.screen.remark(f"  realised, {line}")

    def _measuring(self) -> Measuring | None:
        """Return how the settings want the portfolio measured, if they say."""
        from bursar.app.measuring import measuring_of

        return measuring_of(self.settings.portfolio) if self.is_told else None

    def _options(self) -> Options:
        """Return how the settings want assets shown and priced."""
        from bursar.app import options_of
        from bursar.value.worth import EVERYTHING

        return options_of(self.settings.portfolio) if self.is_told else EVERYTHING

    def _then(self, portfolio: Portfolio) -> Portfolio:
        """Return the past that is asked for, which closes what it is the past of."""
        from bursar.portfolio.past import require_begun

        try:
            then = portfolio.at(self.at, known_at=self.known_at, is_closing=True)
            require_begun(portfolio.desk, then.desk, is_at=self.at is not None)
        except BaseException:
            portfolio.close()
            raise
        return then

    def asset(self, name: str | None) -> str | None:
        """Read the name of an asset: `xbt` is XBT."""
        return name.upper() if name is not None and name.islower() else name

    def require_count(self, option: str, said: int | None) -> None:
        """Refuse a number of rows that is none; of 0 no row is shown."""
        from bursar.errors import BadChoice

        if said is not None and not 0 <= said <= _MANY:
            wrong = "below zero" if said < 0 else "more than there can be"
            raise BadChoice(f"{option} {said} is {wrong}", value=str(said))

    def none_of(self, what: str, asset: str | None, portfolio: Portfolio) -> str:
        """Say that there is nothing, and whether the book ever knew that asset: a slip, perhaps."""
        from bursar.value.marks import Marks

        name = Marks().name
        if asset is None or any(name(held) == name(asset) for _, held in portfolio.book().holdings):
            return f"No {what}." if asset is None else f"No {what} of {asset}."
        return f"No {what} of {asset}: there never was any in the book."

    def marks(self, portfolio: Portfolio, wanted: Collection[str] = ()) -> Marks | None:
        """Return the marks that the user gives: those of the prices file, then the flags.

        `wanted` names assets that are asked about and need not be held.
        """
        from bursar.value.marks import Marks, parse_flag

        base, now = portfolio.terms.base, portfolio.desk.clock.now()
        flags = [parse_flag(_raised(text), base, at=now) for text in self.price]
        filed = [] if self.prices is None else _marks_of(self.prices, base)
        if self.is_past:
            filed = [mark for mark in filed if mark.at <= now]
        self._doubt(portfolio, flags, wanted)
        return Marks(flags).plus(_unsaid(filed, flags)) if flags or filed else None

    def _doubt(self, portfolio: Portfolio, flags: Sequence[Mark], wanted: Collection[str]) -> None:
        """Say which prices are of nothing that is held: a slip of the pen, most likely."""
        from bursar.value.marks import Marks

        names = Marks()
        known = {names.name(asset) for _, asset in portfolio.book().holdings}
        known |= {names.name(mark.quote) for mark in flags} | {names.name(each) for each in wanted}
        for mark in flags:
            if names.name(mark.asset) not in known:
                self.screen.remark(f"--price {mark.pair}: no {mark.asset} in the book")

    def tell(self, answer: object) -> None:
        """Print an answer as JSON; what is an iterator in it becomes a list, item by item."""
        self.screen.make_way()
        if isinstance(answer, Mapping):
            try:
                sys.stdout.writelines(chain(json_pieces(answer), "\n"))
            except Exception as error:  # a second document behind half of one reads as neither
                error.add_note(BROKEN_OFF)
                raise
        else:
            print(json_text(answer))


def found_config(asked: Path | None) -> Path | None:
    """Return the settings file: the one asked for, or a config.yaml here that speaks of bursar."""
    if asked is not None or not CONFIG.is_file():
        return asked
    return CONFIG if _OWN.search(_here()) else None


def passed_over() -> str | None:
    """Say which slip of the pen makes a config.yaml here look like another program's, if one does.

    Another program's may stand here as well, so this is a remark and no error.
    """
    from difflib import get_close_matches

    for key in re.findall(r"^(\w+)\s*:", _here(), re.MULTILINE) if CONFIG.is_file() else ():
        if near := get_close_matches(key, _SECTIONS, 1, _LIKENESS):
            return f"config.yaml is not read: {key}: is no section of bursar's; is it {near[0]}:?"
    return None


def _here() -> str:
    text = CONFIG.read_bytes()
    coding = "utf-16" if text[:2] in {BOM_UTF16_LE, BOM_UTF16_BE} else "utf-8-sig"
    return text.decode(coding, errors="replace").replace("\r", "\n")


def _raised(flag: str) -> str:
    """Read `xbt=65000` as `XBT=65000`."""
    pair, equals, price = flag.partition("=")
    return f"{pair.upper()}{equals}{price}" if pair.islower() else flag


def _unsaid(marks: Iterable[Mark], flags: Iterable[Mark]) -> list[Mark]:
    """Leave out what a flag says already, whatever its time."""
    from bursar.value.marks import Marks

    known = Marks(flags)
    return [mark for mark in marks if known.get(mark.asset, mark.quote) is None]


def _marks_of(path: Path, base: str) -> list[Mark]:
    from bursar.errors import UnknownFormat
    from bursar.ledger.entries import Price
    from bursar.value.marks import Mark, Standing
    from bursar.venue import files

    reading = files.read(path, options=files.Options(quote=base))
    told = list(reading.statements)
    said = [each for each in told if isinstance(each, Price)]
    if len(said) != len(told):
        raise UnknownFormat(
            f"{path.name}: not a prices file (asset, time, price, quote)", file=path.name
        )
    return [
        Mark(each.asset, each.quote, each.value, path.name, each.executed_at, Standing.GIVEN)
        for each in said
    ]


def _currency_near(name: str) -> str | None:
    """Return the currency that may have been meant by a name that is none: EUR by EURO."""
    from difflib import get_close_matches

    from bursar.ledger.currencies import NAMES

    near = [] if name in NAMES else get_close_matches(name, sorted(NAMES), 1, 0.8)
    return near[0] if near else None
