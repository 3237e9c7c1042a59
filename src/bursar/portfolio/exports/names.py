"""Names in another program's alphabet: each gets one of its own, and no two the same."""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

_COMMODITY_MAX: Final = 24


class Names:
    """Spells names by a rule; where two would be spelled alike, the later gets a number."""

    def __init__(self, spell: Callable[[str], str], *, join: str = "-") -> None:
        self._spell = spell
        self._join = join
        self._spelled: dict[str, str] = {}
        self._taken: set[str] = set()

    def __call__(self, name: str) -> str:
        """Return the spelling of a name, always the same."""
        if name not in self._spelled:
            spelled = wanted = self._spell(name)
            number = 1
            while spelled in self._taken:
                number += 1
                spelled = f"{wanted}{self._join}{number}"
            self._taken.add(spelled)
            self._spelled[name] = spelled
        return self._spelled[name]


def commodity(name: str) -> str:
    """Spell an asset as beancount does: a capital letter, then capitals, digits, `.`, `_`, `-`."""
    kept = "".join(each if _is_plain(each) or each in "._-" else "-" for each in name.upper())
    kept = kept.strip("._-")[:_COMMODITY_MAX].strip("._-") or "X"
    return kept if kept[0].isalpha() else f"X{kept}"


@lru_cache(maxsize=1024)  # every posting names an account, and there are few of them
def component(name: str) -> str:
    """Spell a part of an account's name as beancount does: a capital or digit, letters, digits."""
    kept = "".join(each if _is_plain(each) else "-" for each in name).strip("-") or "X"
    return kept[0].upper() + kept[1:]


def _is_plain(character: str) -> bool:
    return character.isascii() and character.isalnum()
