"""What the golden journals come to, book and records, is written down with the fold's number.

Whoever changes the fold raises `checkpoint.FORMAT`, which has stored books folded anew; then
`python -m tests.golden.test_fold` writes the file again. A journal that says something else now is
written down by that too; a new one is when that is next done.
"""

import sys
from hashlib import sha256
from pathlib import Path

from bursar.ledger import describe
from bursar.ledger.checkpoint import FORMAT
from bursar.ledger.projection import digest
from tests.golden.test_golden import FILES, told

KEPT = Path(__file__).with_name("FOLD")


def comes_to(path):
    timeline, _ = told(path)
    records = describe.retold(timeline.terms, timeline)
    return sha256(f"{digest(timeline.book)} {records!r}".encode()).hexdigest()[:16]


def text():
    return "\n".join((f"fold {FORMAT}", *(f"{name} {found}" for name, found in now().items()), ""))


def now():
    return {path.stem: comes_to(path) for path in FILES}


def test_a_journal_comes_to_another_book_only_under_another_fold():
    head, *lines = KEPT.read_text(encoding="utf-8").splitlines()
    kept, found = dict(line.split() for line in lines), now()
    assert head == f"fold {FORMAT}"
    assert len(kept) > 100
    changed = [name for name, was in kept.items() if found.get(name) != was]
    assert changed == [], "raise checkpoint.FORMAT? see this file's head"


if __name__ == "__main__":
    KEPT.write_text(text(), encoding="utf-8")
    sys.exit()
