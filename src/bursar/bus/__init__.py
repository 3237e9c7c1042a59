"""The bus: events in order within a topic, at least once, in this process or over Redis Streams.

Both keep `ports.Bus`, and one suite of tests asks it of both. `consume` hands a topic to a handler
and looks after retries and parking.
"""

from bursar.bus.consuming import TRIES, Handler, consume, settle
from bursar.bus.local import LocalBus

__all__ = ["TRIES", "Handler", "LocalBus", "consume", "settle"]
