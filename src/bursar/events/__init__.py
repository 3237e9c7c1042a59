"""What is said on the bus: one envelope, and a typed record for each type of event.

    envelope   the frame around every event, and how it is written
    incoming   what other programs tell: trades, orders, ticks, a tripped stop
    outgoing   what a portfolio tells: its state, its positions, what was restated
    catalog    every type by name, with direction and version; the schemas come from here

Pure: no clock, no ids of its own, no network. docs/EVENTS.md has every field.
"""

from bursar.events.envelope import Envelope, from_fields, to_fields

__all__ = ["Envelope", "from_fields", "to_fields"]
