"""One account of a book: the part of it that is that account's own.

What belongs to no one account is left out: sleeves, and lots that are pooled over accounts. Gaps
are told of an asset and not of an account, so the part has those of every asset in it: rather one
too many than one too few. So it is with how far the book reaches.

Errors: `BadChoice` where lots are pooled, since then cost is no account's.
"""

from bursar.errors import BadChoice
from bursar.ledger.book import POOL, Book
from bursar.ledger.projection import digest

_KEYED = ("holdings", "cells", "fees", "flows", "margins", "balances", "pockets")


def accounts(book: Book) -> list[str]:
    """Return the accounts of a book, by name."""
    places = {key[0] for name in _KEYED for key in getattr(book, name)}
    return sorted(places - {POOL})


def account_book(book: Book, account: str) -> Book:
    """Return the part of a book that is one account's, as a book of its own. O(keys).

    Raises:
        BadChoice: lots are pooled over all accounts.
    """
    if book.is_pooled:
        raise BadChoice("lots are pooled over all accounts: none has a cost of its own")
    part = Book(book.terms)
    part.latest = book.latest
    for name in _KEYED:
        own = {key: value for key, value in getattr(book, name).items() if key[0] == account}
        setattr(part, name, own)
    assets = {asset for _, asset in part.holdings} | {cell[1] for cell in part.cells}
    part.gaps = {key: count for key, count in book.gaps.items() if key[0] in assets}
    return part


def account_digest(book: Book, account: str) -> str:
    """Return a hash of all that the book says of one account, and of nothing else.

    Raises:
        BadChoice: lots are pooled over all accounts.
    """
    part = account_book(book, account)
    part.gaps = {}
    return digest(part)
