"""Seals: a text that was changed or moved is found when it is read."""

import pytest

from bursar.errors import SchemaNewer, StoreCorrupt
from bursar.store import texts

BODY = '{"base":"EUR"}'


@pytest.mark.parametrize("body", [BODY, "", " ", "no braces", "zwei\nZeilen", "π 1.50"])
def test_a_sealed_text_comes_back_as_it_was(body):
    assert texts.unsealed(texts.sealed(body, "main", 7), "main", 7) == body


def test_the_text_itself_stays_readable_behind_its_seal():
    assert texts.sealed(BODY, "main") == f"{texts.sealed(BODY, 'main')[:16]} {BODY}"


@pytest.mark.parametrize("place", [("main", 8), ("other", 7), ("main",), ("main7",), ()])
def test_a_text_in_another_place_is_not_taken(place):
    with pytest.raises(StoreCorrupt, match="changed after it was written"):
        texts.unsealed(texts.sealed(BODY, "main", 7), *place)


def test_no_character_can_be_changed_added_or_taken():
    sealed = texts.sealed(BODY, "main")
    for at, char in enumerate(sealed):
        for other in (sealed[:at] + chr(ord(char) ^ 1) + sealed[at + 1 :], sealed[:at]):
            with pytest.raises(StoreCorrupt):
                texts.unsealed(other, "main")
        with pytest.raises(StoreCorrupt):
            texts.unsealed(sealed[:at] + "0" + sealed[at:] + "0", "main")


@pytest.mark.parametrize("found", [None, 7, b"bytes", BODY])
def test_what_was_never_sealed_is_no_text_of_ours(found):
    with pytest.raises(StoreCorrupt):
        texts.unsealed(found, "main")


def test_terms_that_only_a_newer_bursar_knows_are_said_to_be_such():
    with pytest.raises(SchemaNewer, match=r"wrote the terms.*method.*upgrade"):
        texts.to_terms('{"base":"EUR","method":"by lunar phase"}')
