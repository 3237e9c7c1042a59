"""Playing a text: each statement is committed, each `=` line is answered by the book.

After a statement stand its verdict, what it realised, and what it restated; after `=` stand the
figures that the line asks for, as the book has them. A statement that is refused says why and
changes nothing.

Figures on a `=` line: `XBT 1.5 cost 60000 USD` (quantity, and cost if asked), `realized`, `income`,
`expenses`, `contributed`; `fees ASSET`, `gap ASSET FLAG`, `owed ASSET`, `lots ASSET`, `pocket NAME
ASSET`, `sleeve NAME`, `margin PAIR`, `unseen PAIR`, `size PAIR`, `strategy NAME`; `in ACCOUNT`
narrows what follows to one account.
"""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

from bursar.errors import BrokenInvariant, BursarError, Malformed
from bursar.exact import ZERO, money, trimmed
from bursar.ledger import audit
from bursar.ledger.book import POOL, Book
from bursar.ledger.course import Plan
from bursar.ledger.entries import AnyEntry
from bursar.ledger.golden.read import read_line, read_terms
from bursar.ledger.golden.words import Words, quote, split_words
from bursar.ledger.golden.write import write_line
from bursar.ledger.journal import Outcome
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline

_Asked = Callable[[Book, Words, str | None], str]


def play(lines: Iterable[str]) -> list[str]:
    """Return the text with the verdicts and figures that come out of it."""
    text = list(lines)
    timeline = Timeline(read_terms(text))
    played: list[str] = []
    held: list[AnyEntry] | None = None
    for number, line in enumerate(text, 1):
        bare = line.strip()
        if not bare or bare[0] in "#@":
            played.append(line)
        elif (word := bare.split()[0]) in {"begin", "commit"}:
            if (word == "begin") is (held is not None):
                raise Malformed(f"line {number}: `{word}` where none can be", line=number)
            verdict = _commit(timeline, held)[1] if held else "recorded"
            played.append("begin" if held is None else f"commit  {verdict}")
            held = [] if held is None else None
        elif bare[0] == "=":
            played.append("= " + "  ".join(_answers(timeline.book, bare[1:], number)))
        elif held is not None:
            held.append(read_line(bare, number))
            played.append(write_line(held[-1]))
        else:
            entry = read_line(bare, number)
            played.append(f"{write_line(entry)}  {_commit(timeline, [entry])[0]}")
    if held is not None:
        raise Malformed(f"line {len(text)}: `begin` without `commit`", line=len(text))
    return played


def _commit(timeline: Timeline, entries: list[AnyEntry]) -> tuple[str, str]:
    """Commit statements: (verdict of the first, verdict of the whole)."""
    try:
        plan = planned(timeline, entries, trace=True)
    except BursarError as error:
        return f"refused {error.code}", f"refused {error.code}"
    broken = audit.changes(timeline.book, plan.book) if plan.course.is_append else []
    timeline.land(plan)
    broken += audit.breaches(timeline.book)
    if broken:
        raise BrokenInvariant(f"the books do not close: {broken[0]}")
    told = _told(timeline, plan)
    verdict = plan.ruled[0].verdict
    own = told if verdict.outcome is Outcome.RECORDED else []
    return "  ".join((str(verdict), *own)), "  ".join(("recorded", *told))


@money
def _told(timeline: Timeline, plan: Plan) -> list[str]:
    words: list[str] = []
    fresh = {fact.id for fact in plan.course.added}
    for fact in plan.course.added:
        words += [flag.value for flag in fact.flags if flag.value not in words]
    made = sum(
        (line.realized for fact, lines in plan.lines if fact.id in fresh for line in lines), ZERO
    )
    if made:
        words.append(f"realized {trimmed(made)} {timeline.terms.base}")
    words += [
        f"restated {each.pair} {trimmed(each.old)} to {trimmed(each.new)}" for each in plan.restated
    ]
    return words


@money
def _answers(book: Book, line: str, number: int) -> list[str]:
    words = Words(split_words(line), number)
    account: str | None = None
    answers = []
    while (word := words.peek()) is not None:
        words.place += 1
        word = words.unquoted(word)
        if word == "in":
            account = words.take("an account")
            answers.append(f"in {quote(account)}")
        elif word in _ASKED:
            answers.append(f"{word} {_ASKED[word](book, words, account)}")
        else:
            answers.append(_holding(book, word, words, account))
    return answers


def _holding(book: Book, asset: str, words: Words, account: str | None) -> str:
    words.take("a quantity")
    quantity, cost = _held(book, asset, account)
    if not words.skip("cost"):
        return f"{quote(asset)} {trimmed(quantity)}"
    words.take("a cost")
    words.take("base currency")
    return f"{quote(asset)} {trimmed(quantity)} cost {trimmed(cost)} {book.terms.base}"


def _held(book: Book, asset: str, account: str | None) -> tuple[Decimal, Decimal]:
    places = [
        holding
        for (place, held), holding in book.holdings.items()
        if held == asset and account in (None, place)
    ]
    quantity = sum((each.quantity for each in places), ZERO)
    if book.is_pooled and account is not None and asset not in book.cash:
        quantity = book.balances.get((account, asset), ZERO)
    return quantity, sum((each.cost for each in places), ZERO)


def _total(name: str) -> _Asked:
    def asked(book: Book, words: Words, _account: str | None) -> str:
        words.take("a sum")
        words.take("base currency")
        return f"{trimmed(getattr(audit.totals(book), name))} {book.terms.base}"

    return asked


def _fees(book: Book, words: Words, account: str | None) -> str:
    asset = words.take("an asset")
    words.take("an amount")
    charged = [
        total
        for (place, _, held), total in book.fees.items()
        if held == asset and account in (None, place)
    ]
    return f"{quote(asset)} {trimmed(sum((total.amount for total in charged), ZERO))}"


def _gap(book: Book, words: Words, _account: str | None) -> str:
    asset, flag = words.take("an asset"), words.take("a flag")
    words.take("a count")
    return f"{quote(asset)} {flag} {book.gaps.get((asset, flag), 0)}"


def _owed(book: Book, words: Words, account: str | None) -> str:
    asset = words.take("an asset")
    words.take("a quantity")
    owed = [
        lot.quantity
        for (place, held), holding in book.holdings.items()
        if held == asset and account in (None, place)
        for lot in holding.owed
    ]
    return f"{quote(asset)} {trimmed(sum(owed, ZERO))}"


def _lots(book: Book, words: Words, account: str | None) -> str:
    asset = words.take("an asset")
    while (word := words.peek()) is not None and ":" in word and "@" in word:
        words.place += 1
    place = POOL if book.is_pooled else account
    found = [
        quote(f"{lot.id}:{trimmed(lot.quantity)}@{trimmed(lot.cost)}")
        for (where, held) in sorted(book.holdings)
        if held == asset and place in (None, where)
        for lot in book.lots(where, asset)
    ]
    return " ".join((quote(asset), *found))


def _pocket(book: Book, words: Words, account: str | None) -> str:
    name, asset = words.take("a pocket"), words.take("an asset")
    words.take("a quantity")
    kept = [
        quantity
        for (place, held, pocket), quantity in book.pockets.items()
        if (held, pocket) == (asset, name) and account in (None, place)
    ]
    return f"{quote(name)} {quote(asset)} {trimmed(sum(kept, ZERO))}"


def _sleeve(book: Book, words: Words, _account: str | None) -> str:
    name = words.take("a strategy")
    words.take("an amount")
    return f"{quote(name)} {trimmed(book.sleeves.get(name, ZERO))}"


def _margin(book: Book, words: Words, account: str | None) -> str:
    pair = words.take("a pair")
    words.take("a quantity")
    words.take("a notional")
    found = [
        margin
        for (place, held), margin in book.margins.items()
        if held == pair and account in (None, place)
    ]
    quantity = sum((each.quantity for each in found), ZERO)
    notional = sum((each.notional for each in found), ZERO)
    return f"{quote(pair)} {trimmed(quantity)} {trimmed(notional)}"


def _size(book: Book, words: Words, account: str | None) -> str:
    pair = words.take("a pair")
    words.take("a quantity")
    sizes = [
        cell.size
        for (place, _, held, _, _), cell in book.cells.items()
        if held == pair and account in (None, place)
    ]
    return f"{quote(pair)} {trimmed(sum(sizes, ZERO))}"


def _strategy(book: Book, words: Words, account: str | None) -> str:
    name = words.take("a strategy")
    words.take("realised PnL")
    made = [
        cell.realized
        for (place, _, _, strategy, _), cell in book.cells.items()
        if strategy == name and account in (None, place)
    ]
    return f"{quote(name)} {trimmed(sum(made, ZERO))}"


def _unseen(book: Book, words: Words, account: str | None) -> str:
    pair = words.take("a pair")
    words.take("a quantity")
    closed = [
        margin.unseen
        for (place, held), margin in book.margins.items()
        if held == pair and account in (None, place)
    ]
    return f"{quote(pair)} {trimmed(sum(closed, ZERO))}"


_ASKED: Final[dict[str, _Asked]] = {
    "realized": _total("realized"),
    "income": _total("income"),
    "expenses": _total("expenses"),
    "contributed": _total("contributed"),
    "fees": _fees,
    "gap": _gap,
    "owed": _owed,
    "lots": _lots,
    "pocket": _pocket,
    "sleeve": _sleeve,
    "margin": _margin,
    "unseen": _unseen,
    "size": _size,
    "strategy": _strategy,
}
