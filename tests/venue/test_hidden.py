"""Keys of every venue show nothing of themselves, and are refused unseen."""

import pickle

import pytest

from bursar.errors import BadChoice
from bursar.venue.alpaca.keys import Keys as AlpacaKeys
from bursar.venue.binance.keys import Keys as BinanceKeys
from bursar.venue.hidden import Hidden
from bursar.venue.kraken.signing import Keys as KrakenKeys

SECRET = "Y2FuYXJ5LXNlY3JldA=="
EVERY = pytest.mark.parametrize("keys", [AlpacaKeys, BinanceKeys, KrakenKeys])


@EVERY
def test_keys_show_nothing(keys):
    made = keys("canary-key", SECRET)
    for shown in (repr(made), str(made), f"{made}", str(made.__reduce_ex__)):
        assert "canary" not in shown
        assert SECRET not in shown
    with pytest.raises(TypeError, match="not written down"):
        pickle.dumps(made)


@EVERY
@pytest.mark.parametrize("said", ["", " ", "canäry", "can\nary"])
def test_what_cannot_be_a_key_is_refused_unseen(keys, said):
    for pair in ((said, SECRET), ("key", said)):
        with pytest.raises(BadChoice) as caught:
            keys(*pair)
        assert "can" not in caught.value.message


def test_what_is_hidden_is_its_text_for_the_sender_alone():
    hidden = Hidden(" canary ", "Kraken")
    assert hidden.said == "canary"
    assert "canary" not in repr(hidden)
