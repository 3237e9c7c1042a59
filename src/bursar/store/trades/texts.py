"""How a trade is written, the same in every place."""

from typing import Final

import msgspec

from bursar.measure.positions import Trade

LAYOUT: Final = "5"
"""Changes when a trade is made or written differently; what is of another layout is made anew."""

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Trade)


def encode(trade: Trade) -> str:
    """Write a trade, every digit kept."""
    return _ENCODER.encode(trade).decode()


def decode(text: str | bytes) -> Trade:
    """Read a trade back."""
    return _DECODER.decode(text)


def stamped(reached: str) -> str:
    """Return the state with the layout in front."""
    return f"{LAYOUT} {reached}"


def unstamped(text: str) -> str:
    """Return the state, or nothing where the trades are of another layout."""
    layout, _, reached = text.partition(" ")
    return reached if layout == LAYOUT else ""
