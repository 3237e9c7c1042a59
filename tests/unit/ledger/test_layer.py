"""A mapping laid over another."""

import pytest

from bursar.ledger.layer import Layer


def test_what_is_written_stays_in_the_layer_and_what_is_read_falls_through():
    below = {"a": 1, "b": 2}
    layer = Layer(below)
    layer["b"] = 3
    layer["c"] = 4
    assert (layer["a"], layer["b"], layer.get("c"), layer.get("d", 0)) == (1, 3, 4, 0)
    assert list(layer.items()) == [("a", 1), ("b", 3), ("c", 4)]
    assert (len(layer), "a" in layer, "d" in layer) == (3, True, False)
    assert (below, layer.own) == ({"a": 1, "b": 2}, {"b": 3, "c": 4})


def test_only_what_the_layer_has_itself_can_be_taken_out():
    layer = Layer({"a": 1}, {"a": 2})
    del layer["a"]
    assert layer["a"] == 1
    with pytest.raises(KeyError):
        del layer["a"]
