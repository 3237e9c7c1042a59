"""Corrections of one process while another one writes to the book."""

import bursar
from bursar.ledger.terms import Terms
from bursar.portfolio import hand
from bursar.portfolio.once import once


def test_what_is_said_by_hand_is_planned_anew_where_another_writer_was_first(tmp_path):
    place = tmp_path / "book.db"
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:

        def meanwhile():
            other.add("deposit", "7", "EUR", again=True)

        for said in (
            lambda: mine.add("buy", "1", "XBT/EUR", price="5", time="2024-01-05", id="bought"),
            lambda: mine.add("withdrawal", "1", "XBT", time="2024-01-06", id="out"),
            lambda: mine.add(
                "deposit", "1", "XBT", time="2024-01-07", id="in", account="manual:other"
            ),
            lambda: mine.price("XBT", "2024-01-02", "41000"),
            lambda: mine.tag("bought", strategy="dip"),
            lambda: mine.link("out", "in"),
            lambda: mine.add("deposit", "1", "EUR", id="gift"),
            lambda: mine.reverse("gift"),
        ):
            meanwhile()
            before = other.desk.head.version
            assert said().version == before + 1
        assert mine.verify().is_sound


def test_a_request_under_a_key_is_made_anew_where_another_writer_is_faster(tmp_path):
    place, tries = tmp_path / "book.db", []
    with bursar.open(place, terms=Terms(base="EUR")) as mine, bursar.open(place) as other:

        def made(desk):
            tries.append(desk.head.version)
            if len(tries) == 1:
                other.add("deposit", "7", "EUR")
            return hand.entered(desk, "deposit", "1", "EUR", {"time": "2024-01-05"})

        done = once(mine, "k", b"asked", made)
        assert (tries, done.version, done.is_repeat) == ([0, 1], 2, False)
        assert once(other, "k", b"asked", made).is_repeat
        assert mine.verify().is_sound
