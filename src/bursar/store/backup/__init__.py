"""Backups: a book as one file, taken while it is written to, proved when it is made and when it is
read.

The idea: a backup holds what cannot be worked out again (terms, journal, snapshots, messages) as
lines of text, whichever database the book is in. The rest (projection, trade and flow records)
follows from the journal, so `restore` folds it anew. One format therefore serves every store, a
backup taken from one restores into another, and damage to a database's own pages cannot hide in
it.

    gzip of lines, one JSON object each:
      header      what this is, when it was taken
      portfolio   name, terms, version, last row and its hash       ┐
      row         one of the journal, its hash with it              │ for each portfolio
      snapshot                                                      │
      message     one of the outbox                                 ┘
      end         what each portfolio must come to; SHA-256 of all the lines before

    take ──▶ lines ◀── read ◀── restore
                        └──▶ manifest

Invariants
- All of a backup is one moment of the book: it is read in one transaction, which stops no writer.
- A file stands at its name only when it is whole and on the disk; a restored book likewise.
- Nothing is written by `restore` before the chain of hashes, the fold and the end line agree.

Errors: `BackupDamaged`, `BadChoice` where a file or a book is there already, `PortfolioNotFound`,
and what opening a store raises.
"""

from bursar.store.backup.manifest import Kept, Manifest
from bursar.store.backup.restore import restore_backup
from bursar.store.backup.take import take_backup

__all__ = ["Kept", "Manifest", "restore_backup", "take_backup"]
