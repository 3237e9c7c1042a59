"""What the golden journals come to, book and records, is written down with the fold's number.

Whoever changes the fold raises `projection.FOLD`, which has stored books folded anew; then
`python -m tests.golden.test_fold` writes the file again. A journal that is new, or says something
else now, is written down by that too.
"""

import sys
from hashlib import sha256
from pathlib import Path

from bursar.ledger import describe
from bursar.ledger.projection import FOLD, digest
from tests.golden.test_golden import FILES, told

KEPT = Path(__file__).with_name("FOLD")


def comes_to(path):
    timeline, _ = told(path)
    records = describe.retold(timeline.terms, timeline)
    return sha256(f"{digest(timeline.book)} {records!r}".encode()).hexdigest()[:16]


def text():
    lines = (f"{path.stem} {comes_to(path)}" for path in FILES)
    return "\n".join((f"fold {FOLD}", *lines, ""))


def test_a_journal_comes_to_another_book_only_under_another_fold():
    assert text() == KEPT.read_text(encoding="utf-8"), "raise projection.FOLD? see this file's head"


if __name__ == "__main__":
    KEPT.write_text(text(), encoding="utf-8")
    sys.exit()
