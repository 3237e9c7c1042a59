"""What is taken back is as if it had never been told, whatever it was and whenever either came."""

from hypothesis import given
from hypothesis import strategies as st

from bursar.ledger.entries import Fill, MarginFill, Movement, Reversal
from bursar.ledger.planning import planned
from bursar.ledger.timeline import Timeline
from tests.auditor import histories
from tests.auditor.picture import digest, picture

CHANCE = st.randoms(use_true_random=False)


def landed(terms, batches):
    line = Timeline(terms)
    for batch in batches:
        line.land(planned(line, batch))
    return line


def stands_alone(entry):
    """Whether a statement is a fact or a note by itself: rows make a fact together."""
    if isinstance(entry, Movement):
        return False
    return not (isinstance(entry, Fill | MarginFill) and (entry.rows or entry.group))


def void(entry, number, target):
    return Reversal(
        id=f"hand:{number}",
        executed_at=histories.START,
        account=entry.account,
        target=target,
        void=True,
    )


@given(CHANCE, st.integers(1, 14))
def test_what_is_taken_back_was_never_told(chance, length):
    terms = histories.terms(chance)
    entries = histories.history(chance, length, terms)
    grouped = {each.group for each in entries if isinstance(each, Movement)}
    alone = [each for each in entries if stands_alone(each) and each.id not in grouped]
    gone = chance.sample(alone, min(len(alone), chance.randint(1, 3)))
    voids = [void(each, place, each.id) for place, each in enumerate(gone)]
    never = landed(terms, [[each for each in entries if each not in gone]])
    told = entries + voids
    chance.shuffle(told)
    back = landed(terms, histories.batches(chance, told))
    assert list(back) == list(never)
    if digest(back.book) != digest(never.book):
        assert picture(back.book) == picture(never.book)

    whole = landed(terms, [entries])
    again = [void(each, f"again-{place}", voids[place].id) for place, each in enumerate(gone)]
    chance.shuffle(again)
    for each in again:
        back.land(planned(back, [each]))
    assert list(back) == list(whole)
    if digest(back.book) != digest(whole.book):
        assert picture(back.book) == picture(whole.book)
