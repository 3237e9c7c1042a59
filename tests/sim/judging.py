"""The last word on a simulated world: the independent auditor, in fractions, over what truly
happened.

    PYTHONPATH=. bursar sim --seed N --judge tests.sim.judging:last_word
"""

from tests.auditor.test_auditor import audited, differences


def last_word(terms, truth, book):
    """Return every figure in which book and auditor differ."""
    own = audited(terms, truth)
    return [f"{part} {key}: {ours} and {theirs}" for part, key, ours, theirs in _four(book, own)]


def _four(book, own):
    for part, *rest in differences(book, own):
        yield (part, *rest) if len(rest) == 3 else (part, "", *rest)


def replay(ending):
    """Say how to see a world that went wrong once more."""
    return (
        f"seed {ending.seed}, step {ending.step}: {ending.verdict}\n"
        f"PYTHONPATH=. bursar sim --seed {ending.seed} --judge tests.sim.judging:last_word"
    )
