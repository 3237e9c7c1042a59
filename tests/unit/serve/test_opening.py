"""Commands that the page shows mean the book that it shows."""

import shlex
from pathlib import Path

import pytest

from bursar.config import PortfolioSettings
from bursar.serve.opening import words_for


@pytest.mark.parametrize(
    "book, name, words",
    [
        ("bursar.db", "main", []),
        ("bursar.db", "own", ["--portfolio", "own"]),
        ("a book.db", "main", ["--book", str(Path("a book.db").absolute())]),
        ("postgresql://me:secret@db/books", "own", ["--portfolio", "own"]),
    ],
)
def test_a_command_names_the_book_where_it_is_not_the_usual_one(book, name, words):
    assert shlex.split(words_for(PortfolioSettings(book=book, name=name))) == words
