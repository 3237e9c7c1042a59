"""What a user enters by hand: money and trades, prices, tags, links, and taking any of it back.

Each verb turns words into statements and stops there: a `Correction` is staged, looked at as a
`Preview`, and committed by the desk like everything else. Nothing is ever edited. What was entered
is taken back by a reversal, and the book is then what it was before.

Invariants
- The id of what is entered follows from its content, so the same words twice are one statement;
  `again` says that it did happen once more. With an id of the user's own, other words under it are
  refused.
- An account is never made to spend what it does not have: no opening comes or grows by hand, but
  for what a venue told when that stands again.
- Entries of one instant and account are folded in the order in which they were entered.

Errors: `BadChoice` and the number errors for words that say nothing, `EntryNotFound`, `KeyReused`
for an id that stands for something else, `Oversold`.
"""

from bursar.portfolio.hand.deeds import VERBS, entered
from bursar.portfolio.hand.notes import linked, priced, tagged
from bursar.portfolio.hand.preview import Preview, preview
from bursar.portfolio.hand.reversal import reversed_
from bursar.portfolio.hand.words import Correction, Details, Number, Time, stage

__all__ = [
    "VERBS",
    "Correction",
    "Details",
    "Number",
    "Preview",
    "Time",
    "entered",
    "linked",
    "preview",
    "priced",
    "reversed_",
    "stage",
    "tagged",
]
