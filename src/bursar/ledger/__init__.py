"""What happened: statements, the facts they add up to, and the book that folds the facts.

    statements ──journal──▶ groups ──facts──▶ facts ──pricing──▶ valued facts ──timeline──▶ Book

`entries` names every kind of statement. `journal` gives each one its verdict and its place in the
hash chain. `facts` merges what several sources said of one fact. `pricing` writes down each value
in base currency. `book` is the fold, `lots` its cost rules, `timeline` keeps the canonical order
and refolds from the place of a late fact. `audit` proves that the books close; `golden` is the
text form of it all.

Everything here is pure: same input, same bytes out.
"""
