"""Words of a line: splitting, quoting, and reading them one after another."""

import json
import re
from decimal import Decimal
from enum import Enum
from typing import Final, TypeVar

from bursar.errors import InputError, Malformed
from bursar.exact import parse

_WORD: Final = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^\s"]|"\S*$)+')
_SHOWN_MAX: Final = 80
_E = TypeVar("_E", bound=Enum)
_BARE: Final = re.compile(r'[^\s"#=@][^\s"]*')


def split_words(line: str) -> list[str]:
    """Split a line at blanks, keeping quoted text together."""
    return _WORD.findall(line)


def quote(text: str) -> str:
    """Write text as one word: bare if it can be, as a JSON string otherwise."""
    return text if _BARE.fullmatch(text) else json.dumps(text)


def unquote(word: str) -> str:
    """Read a word that `quote` wrote."""
    if not word.startswith('"'):
        return word
    try:
        text = json.loads(word)
    except ValueError:
        raise Malformed(f"{word}: a quoted word that does not end") from None
    return str(text)


class Words:
    """The words of one line, read from the left."""

    def __init__(self, words: list[str], number: int) -> None:
        self.words = words
        self.number = number
        self.place = 0

    def peek(self, beyond: int = 0) -> str | None:
        """Return the next word, or one so many words beyond it, if there is one."""
        place = self.place + beyond
        return self.words[place] if place < len(self.words) else None

    def take(self, expected: str) -> str:
        """Return the next word, or say what was expected."""
        word = self.peek()
        if word is None:
            raise self.wrong("nothing", expected)
        self.place += 1
        return self.unquoted(word)

    def unquoted(self, word: str) -> str:
        """Read a word that may be quoted."""
        try:
            return unquote(word)
        except Malformed:
            raise self.wrong(word, "a quoted word that ends") from None

    def number_of(self, expected: str) -> Decimal:
        """Return the next word as an exact number."""
        word = self.take(expected)
        return self.exact(word, expected)

    def number_or_unknown(self, expected: str) -> Decimal | None:
        """Return the next word as an exact number, or `None` for `?`."""
        return None if self.skip("?") else self.number_of(expected)

    def one_of(self, choices: type[_E]) -> _E:
        """Return the next word as a member of a closed set."""
        return self.member(self.take(_listed(choices)), choices)

    def member(self, word: str, choices: type[_E]) -> _E:
        """Read a word of a closed set, naming the set where it is none."""
        try:
            return choices(word)
        except ValueError:
            raise self.wrong(word, _listed(choices)) from None

    def exact(self, word: str, expected: str) -> Decimal:
        """Read a number, naming the line where it is none."""
        try:
            return parse(word)
        except InputError:
            raise self.wrong(word, expected) from None

    def skip(self, word: str) -> bool:
        """Pass over `word` if it is next."""
        if self.peek() != word:
            return False
        self.place += 1
        return True

    def need(self, word: str) -> None:
        """Pass over `word`, which must be next."""
        found = self.peek()
        if not self.skip(word):
            raise self.wrong(found or "nothing", f"`{word}`")

    def wrong(self, found: str, expected: str) -> Malformed:
        """Return the error that names line, word and expectation."""
        if len(found) > _SHOWN_MAX:
            found = f"{found[:_SHOWN_MAX]}…"
        return Malformed(
            f"line {self.number}: found {found}, expected {expected}",
            line=self.number,
            field=expected,
            value=found,
        )


def _listed(choices: type[Enum]) -> str:
    return "one of " + ", ".join(str(choice.value) for choice in choices)
