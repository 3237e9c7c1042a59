"""The golden language: facts as lines of text, verdicts at their ends, the book between them.

    @ base USD
    2026-01-05T10:00:00Z  buy   2    XBT @ 40000 USD  fee 8 USD  #k:1  recorded  realized -8 USD
    2026-01-05T10:00:00Z  buy   2    XBT @ 40000 USD  fee 8 USD  #k:1  duplicate
    2026-02-01T09:30:00Z  sell  0.5  XBT @ 50000 USD  fee 5 USD  #k:2  recorded  realized 4995 USD
    = XBT 1.5 cost 60000 USD   USD -55013   realized 4987 USD

One statement a line: time, verb, what moved, `#id`, then `name=value` options; what stands after
them is the verdict, and is not part of the statement. `@` lines set terms, `=` lines ask the book,
`#` starts a comment line, `begin` … `commit` make one commit of several lines. The account is the
id up to its last colon unless `account=` says otherwise.

`read` and `write` are each other's inverse on every entry, so the language is an export format as
well. `play` runs a text through a timeline and returns it with the verdicts and figures that came
out.

Errors: `Malformed` with the line number, the word, and what was expected.
"""

from bursar.ledger.golden.play import play
from bursar.ledger.golden.read import read, read_line, read_terms
from bursar.ledger.golden.write import write, write_line, write_terms

__all__ = ["play", "read", "read_line", "read_terms", "write", "write_line", "write_terms"]
