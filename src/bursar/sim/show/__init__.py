"""The show: a made-up market in which three strategies and a person trade, before bursar's eyes.

    market ──▶ players ──▶ past      four months of facts, written before the page opens
                  │
                  └──────▶ present   what goes on while it is open: ticks and fills on the bus

`prepare(place, shape, now=…)` writes the past into a book of its own; `Present` plays on. Engine,
store, bus and service are the real ones; the market alone is invented.
"""

from bursar.sim.show.past import Shape, prepare
from bursar.sim.show.present import Present

__all__ = ["Present", "Shape", "prepare"]
