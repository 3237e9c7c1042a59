"""Simulated worlds: days of trouble made from one integer, judged, and replayed at will.

    chance ──▶ history ──▶ venue ──▶ clerk ──▶ desk ──▶ shelf ──▶ store
                  │                    loop: virtual time          │
                  └────────── truth ──▶ judge ◀── commits ─────────┘

`play(seed)` plays one world and returns its `Ending`. docs/SIMULATION.md says what it models.
"""

from bursar.sim.world import Ending, play

__all__ = ["Ending", "play"]
